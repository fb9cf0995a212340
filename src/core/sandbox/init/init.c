/*
 * The first process of a jail. It starts one program, reaps everything, relays stdout and stderr through real pipes,
 * tells the host how the program ended, and takes the whole jail down with it. Freestanding: no libc, no allocation.
 *
 *   init N J PORTS FOLDER FLAGS PROGRAM ARG... [COLLECTOR ARG...]
 *
 * N = number of words that belong to PROGRAM; J = number of control groups to join; PORTS = "-", or "53,80,443";
 * FOLDER = "-", or a folder that is made for the program before it starts; FLAGS = "-", or letters:
 *   w   PROGRAM is an interpreter that is started before there is a job, and waits for it
 *   e   the collector is left out when FOLDER is empty
 *
 * File descriptors: 0-2 the program's own, 3 the host's control socket, 4 the collector's output, 6 the host's network
 * channel, and J open task lists of control groups from 7 on. Whoever is moved by another waits for a grace period of the kernel (10 ms); whoever
 * writes itself into a list does not, so this process joins its control groups itself.
 * With PORTS this process binds a socket for each port of the jail's own network and hands it to the host over the network
 * channel, in the words in which Node.js passes handles between processes (a line of JSON with the descriptor beside it).
 * Port 53 is UDP, the others TCP. Binding needs one capability, which is dropped before anything else happens.
 *
 * Control socket, host to init; a hang-up ends the jail:
 *   g                                  go; only waited for when this process has no control groups to join by itself
 *   G FILES FILE PROCESSES SPACE BYTES the job: limits of the program (open files, bytes of a file, processes, bytes of
 *                                      address space; 0 = as they are), and behind the line so many bytes of variables,
 *                                      NAME=VALUE, each with a NUL at its end. They are the whole environment
 * Control socket, init to host, one line each:
 *   R                                  the jail stands
 *   W                                  the interpreter has started and waits
 *   B                                  the interpreter that waited is given its job now; nothing of it has run before
 *   X ERRNO                            the program could not be executed
 *   J ERRNO                            a control group did not take this process
 *   N ERRNO                            the network of the jail could not be prepared
 *   L ERRNO                            the kernel refused a limit
 *   S STATUS USER_US SYSTEM_US RSS_KB OUT ERR
 *                                      how the program ended (wait(2) status), what all its processes used, and how many
 *                                      bytes of stdout and stderr the host has to wait for; nothing of it is alive then
 *   E                                  FOLDER is empty, nothing that could be meant for it lies elsewhere, nothing was collected
 *   C STATUS                           how the collector ended
 *
 * An interpreter that waits writes one byte to descriptor 4 when it has started, and reads its variables from descriptor 3
 * until that ends. One that says anything before its job, or ends, is not fit for one: the jail ends.
 *
 * Why it exists: as process 1 a program would ignore its own signals and leave zombies; exit codes above 128 could be
 * forged; and sockets cannot be reopened as /dev/stdout. It is not dumpable, so no jailed program can reach its
 * descriptors through /proc and forge a status.
 */

#if defined(__x86_64__)
#define SYS_read 0
#define SYS_write 1
#define SYS_close 3
#define SYS_rt_sigprocmask 14
#define SYS_clone 56
#define SYS_execve 59
#define SYS_exit_group 231
#define SYS_wait4 61
#define SYS_kill 62
#define SYS_fcntl 72
#define SYS_capset 126
#define SYS_socket 41
#define SYS_sendmsg 46
#define SYS_bind 49
#define SYS_listen 50
#define SYS_setsockopt 54
#define SYS_getrusage 98
#define SYS_prctl 157
#define SYS_openat 257
#define SYS_mkdirat 258
#define SYS_ppoll 271
#define SYS_signalfd4 289
#define SYS_dup3 292
#define SYS_pipe2 293
#define SYS_prlimit64 302
#define SYS_getdents64 217
#define DIRECTORY_FLAG 0200000
#define NOFOLLOW_FLAG 0400000
#elif defined(__aarch64__)
#define SYS_fcntl 25
#define SYS_capset 91
#define SYS_socket 198
#define SYS_bind 200
#define SYS_listen 201
#define SYS_setsockopt 208
#define SYS_sendmsg 211
#define SYS_dup3 24
#define SYS_mkdirat 34
#define SYS_openat 56
#define SYS_close 57
#define SYS_pipe2 59
#define SYS_read 63
#define SYS_write 64
#define SYS_ppoll 73
#define SYS_signalfd4 74
#define SYS_exit_group 94
#define SYS_kill 129
#define SYS_rt_sigprocmask 135
#define SYS_getrusage 165
#define SYS_prctl 167
#define SYS_clone 220
#define SYS_execve 221
#define SYS_wait4 260
#define SYS_prlimit64 261
#define SYS_getdents64 61
#define DIRECTORY_FLAG 040000
#define NOFOLLOW_FLAG 0100000
#else
#error "init is written for x86_64 and aarch64"
#endif

enum {
	CONTROL = 3,
	COLLECTED = 4,
	NETWORK = 6,
	FIRST_LIST = 7,
	DT_DIR_ = 4,
	DT_REG_ = 8,
	DIRENT_LENGTH = 16,
	DIRENT_TYPE = 18,
	DIRENT_NAME = 19,
	FIRST_WORD = 6,
	JOB = 3,
	READY = 4,
	AT_FDCWD_ = -100,
	SIGKILL_ = 9,
	SIGCHLD_ = 17,
	EINTR_ = 4,
	F_SETFD_ = 2,
	FD_CLOEXEC_ = 1,
	O_CLOEXEC_ = 02000000,
	O_NONBLOCK_ = 04000,
	POLLIN_ = 1,
	POLLHUP_ = 16,
	PR_SET_DUMPABLE_ = 4,
	PR_SET_NAME_ = 15,
	PR_SET_SECCOMP_ = 22,
	SECCOMP_MODE_FILTER_ = 2,
	SECCOMP_RET_ALLOW_ = 0x7fff0000,
	SECCOMP_RET_ENOSYS_ = 0x00050026,
	SECCOMP_RET_EPERM_ = 0x00050001,
	BPF_LOAD_ = 0x20,
	BPF_JUMP_IF_AT_LEAST_ = 0x35,
	BPF_JUMP_IF_EQUAL_ = 0x15,
	BPF_RETURN_ = 0x06,
	X32_BIT_ = 0x40000000,
	NUMBER_ = 0,
	FIRST_ARGUMENT_ = 16,
	RLIMIT_FSIZE_ = 1,
	RLIMIT_NPROC_ = 6,
	RLIMIT_NOFILE_ = 7,
	RLIMIT_AS_ = 9,
	E2BIG_ = 7,
	O_DIRECTORY_ = DIRECTORY_FLAG,
	O_NOFOLLOW_ = NOFOLLOW_FLAG,
	RUSAGE_CHILDREN_ = -1,
	WNOHANG_ = 1,
	PR_CAP_AMBIENT_ = 47,
	PR_CAP_AMBIENT_CLEAR_ALL_ = 4,
	AF_INET_ = 2,
	SOCK_STREAM_ = 1,
	SOCK_DGRAM_ = 2,
	SOCK_CLOEXEC_ = 02000000,
	SOL_SOCKET_ = 1,
	SO_REUSEADDR_ = 2,
	SCM_RIGHTS_ = 1,
	DNS_PORT = 53,
	BUFFER = 65536,
	/* What the kernel takes for words and variables of a program together. */
	BLOCK = 2 * 1024 * 1024,
	VARIABLES = 65536,
};

struct rusage_ {
	long user_s, user_us, system_s, system_us, max_rss_kb, rest[13];
};
struct pollfd_ {
	int fd;
	short events, revents;
};

/* sockaddr_in(7), both port and address in network order. */
struct address_ {
	unsigned short family, port;
	unsigned int host;
	unsigned char zero[8];
};
/* One descriptor as ancillary data, cmsg(3). */
struct rights_ {
	unsigned long length;
	int level, type;
	int fd, padding;
};
struct iovec_ {
	const char *base;
	unsigned long length;
};
struct msghdr_ {
	void *name;
	unsigned long name_length;
	struct iovec_ *iov;
	unsigned long iov_count;
	void *control;
	unsigned long control_length;
	unsigned long flags;
};

static char buffer[BUFFER];
/* The variables of the job, and where each of them begins. */
static char block[BLOCK];
static long block_size;
static char *variables[VARIABLES + 1];
/* Bytes relayed to stdout and to stderr, by descriptor. */
static long relayed[3];

static long call(long n, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
#endif
}
#define call1(n, a) call(n, (long)(a), 0, 0, 0, 0, 0)
#define call2(n, a, b) call(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define call3(n, a, b, c) call(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define call4(n, a, b, c, d) call(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

static void quit(int code) {
	for (;;) call1(SYS_exit_group, code);
}

/* Writes everything, or ends the jail: a host that has hung up wants nothing more. */
static void write_all(int fd, const char *data, long size) {
	while (size > 0) {
		long n = call3(SYS_write, fd, data, size);
		if (n == -EINTR_) continue;
		if (n <= 0) quit(1);
		data += n;
		size -= n;
	}
}

static char *put_number(char *at, long value) {
	char digits[24];
	int n = 0;
	do digits[n++] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	*at++ = ' ';
	while (n > 0) *at++ = digits[--n];
	return at;
}

static void tell(char what, const long *numbers, int count) {
	char line[160], *at = line;
	*at++ = what;
	for (int i = 0; i < count; i++) at = put_number(at, numbers[i]);
	*at++ = '\n';
	write_all(CONTROL, line, at - line);
}

static void await_go(void) {
	char byte = 0;
	long n;
	do n = call3(SYS_read, CONTROL, &byte, 1);
	while (n == -EINTR_);
	if (n != 1 || byte != 'g') quit(1);
}

/* Opened from inside: a file that the host had opened could be opened anew and written through /proc/self/fd/0. */
static void open_input(void) {
	long input = call4(SYS_openat, AT_FDCWD_, "/opt/secure-code/stdin", O_CLOEXEC_, 0);
	if (input < 0) quit(7);
	call3(SYS_dup3, input, 0, 0);
	call1(SYS_close, input);
}

static void fail(char what, long result) {
	long failure = -result;
	if (result >= 0) return;
	tell(what, &failure, 1);
	quit(5);
}

/* The host answers names on 127.0.0.1; every other port listens on all addresses, since each name gets its own. */
static long bound_socket(int port) {
	int is_dns = port == DNS_PORT, on = 1;
	struct address_ address = {AF_INET_, (unsigned short)(port >> 8 | (port & 255) << 8), is_dns ? 0x0100007f : 0, {0}};
	long fd = call3(SYS_socket, AF_INET_, (is_dns ? SOCK_DGRAM_ : SOCK_STREAM_) | SOCK_CLOEXEC_, 0);
	fail('N', fd);
	call(SYS_setsockopt, fd, SOL_SOCKET_, SO_REUSEADDR_, (long)&on, sizeof on, 0);
	fail('N', call3(SYS_bind, fd, &address, sizeof address));
	if (!is_dns) fail('N', call2(SYS_listen, fd, 64));
	return fd;
}

static long length_of(const char *text) {
	long n = 0;
	while (text[n]) n++;
	return n;
}

static void hand_over(int port, long fd) {
	const char *head = port == DNS_PORT ? "{\"cmd\":\"NODE_HANDLE\",\"type\":\"dgram.Socket\",\"dgramType\":\"udp4\",\"msg\":"
	                                    : "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Server\",\"msg\":";
	long length = length_of(head);
	for (long i = 0; i < length; i++) buffer[i] = head[i];
	char *end = put_number(buffer + length, port);
	*end++ = '}';
	*end++ = '\n';
	struct rights_ rights = {sizeof(long) + 2 * sizeof(int) + sizeof(int), SOL_SOCKET_, SCM_RIGHTS_, (int)fd, 0};
	struct iovec_ iov = {buffer, (unsigned long)(end - buffer)};
	struct msghdr_ message = {0, 0, &iov, 1, &rights, sizeof rights, 0};
	fail('N', call3(SYS_sendmsg, NETWORK, &message, 0));
	call1(SYS_close, fd);
}

static void drop_capabilities(void) {
	unsigned int header[2] = {0x20080522, 0}, none[6] = {0};
	call(SYS_prctl, PR_CAP_AMBIENT_, PR_CAP_AMBIENT_CLEAR_ALL_, 0, 0, 0, 0);
	fail('N', call2(SYS_capset, header, none));
}

static void open_network(const char *ports) {
	while (*ports >= '0' && *ports <= '9') {
		int port = 0;
		while (*ports >= '0' && *ports <= '9') port = port * 10 + (*ports++ - '0');
		hand_over(port, bound_socket(port));
		if (*ports == ',') ports++;
	}
	call1(SYS_close, NETWORK);
	drop_capabilities();
}

/* A jail whose /work is no memory of its own, or full, has no such folder; the program sees that for itself. */
static void make_folder(const char *path) {
	if (path[0] == '/') call3(SYS_mkdirat, AT_FDCWD_, path, 0755);
}

static void join_groups(long count) {
	for (long fd = FIRST_LIST; fd < FIRST_LIST + count; fd++) {
		fail('J', call3(SYS_write, fd, "0", 1));
		call1(SYS_close, fd);
	}
}

/*
 * Two rules beside the filter that nsjail puts on, for the program and what it starts but not for this process. A kernel
 * built for x32 has all 64-bit system calls a second time, under numbers with one bit more, and these would pass that
 * filter: they are refused as a whole. And nobody may change the limits of another process: with them a program could end
 * this one and make its jail look broken.
 */
static void narrow_filter(void) {
	static const struct {
		unsigned short code;
		unsigned char yes, no;
		unsigned int value;
	} filter[] = {
		{BPF_LOAD_, 0, 0, NUMBER_},
#if defined(__x86_64__)
		{BPF_JUMP_IF_AT_LEAST_, 4, 0, X32_BIT_},
#else
		{BPF_JUMP_IF_AT_LEAST_, 0, 0, X32_BIT_},
#endif
		{BPF_JUMP_IF_EQUAL_, 0, 2, SYS_prlimit64},
		{BPF_LOAD_, 0, 0, FIRST_ARGUMENT_},
		{BPF_JUMP_IF_EQUAL_, 0, 2, 0},
		{BPF_RETURN_, 0, 0, SECCOMP_RET_ALLOW_},
		{BPF_RETURN_, 0, 0, SECCOMP_RET_ENOSYS_},
		{BPF_RETURN_, 0, 0, SECCOMP_RET_EPERM_},
	};
	struct {
		unsigned short size;
		const void *filter;
	} program = {sizeof filter / sizeof filter[0], filter};
	if (call3(SYS_prctl, PR_SET_SECCOMP_, SECCOMP_MODE_FILTER_, &program) != 0) quit(6);
}

static void block_sigchld(int how) {
	unsigned long mask = 1UL << (SIGCHLD_ - 1);
	call4(SYS_rt_sigprocmask, how, &mask, 0, sizeof mask);
}

static void end_in_place_of_program(long result) {
	long failure = -result;
	tell('X', &failure, 1);
	quit(127);
}

/* Starts a program with the given descriptors as stdout and stderr; returns its process id. */
static long start(char **argv, char **environment, int out, int err) {
	long pid = call(SYS_clone, SIGCHLD_, 0, 0, 0, 0, 0);
	if (pid != 0) return pid;
	call3(SYS_dup3, out, 1, 0);
	call3(SYS_dup3, err, 2, 0);
	block_sigchld(1);
	narrow_filter();
	end_in_place_of_program(call3(SYS_execve, argv[0], argv, environment));
	return -1;
}

/* Starts an interpreter that waits: it has two descriptors more, and nobody to complain to. */
static long start_waiting(char **argv, char **environment, int out, int err, int job, int ready) {
	long pid = call(SYS_clone, SIGCHLD_, 0, 0, 0, 0, 0);
	if (pid != 0) return pid;
	call3(SYS_dup3, out, 1, 0);
	call3(SYS_dup3, err, 2, 0);
	call3(SYS_dup3, job, JOB, 0);
	call3(SYS_dup3, ready, READY, 0);
	block_sigchld(1);
	narrow_filter();
	call3(SYS_execve, argv[0], argv, environment);
	quit(127);
	return -1;
}

/* Copies what a pipe holds; returns 0 once it has ended. */
static int relay(int from, int to) {
	long n = call3(SYS_read, from, buffer, BUFFER);
	if (n == -EINTR_) return 1;
	if (n <= 0) return 0;
	write_all(to, buffer, n);
	relayed[to] += n;
	return 1;
}

/* Reaps every child that has ended; returns 1 when `awaited` was among them and stores its status. */
static int reap(long awaited, int *status, int options) {
	int found = 0;
	for (;;) {
		int one = 0;
		long pid = call4(SYS_wait4, -1, &one, options, 0);
		if (pid == -EINTR_) continue;
		if (pid <= 0) return found;
		if (pid == awaited) {
			*status = one;
			found = 1;
		}
	}
}

/* Relays output until the program has ended; a hang-up of the host ends the jail. */
static void attend(long pid, int signals, int out, int err, int *status) {
	struct pollfd_ watched[4] = {{signals, POLLIN_, 0}, {CONTROL, POLLIN_, 0}, {out, POLLIN_, 0}, {err, POLLIN_, 0}};
	for (;;) {
		if (call(SYS_ppoll, (long)watched, 4, 0, 0, 0, 0) < 0) continue;
		if (watched[1].revents) quit(1);
		for (int i = 2; i < 4; i++)
			if (watched[i].revents && !relay(watched[i].fd, i - 1)) watched[i].fd = -1;
		if (!watched[0].revents) continue;
		call3(SYS_read, signals, buffer, BUFFER);
		if (reap(pid, status, WNOHANG_)) return;
	}
}

static void read_all(int fd, char *to, long size) {
	while (size > 0) {
		long n = call3(SYS_read, fd, to, size);
		if (n == -EINTR_) continue;
		if (n <= 0) quit(1);
		to += n;
		size -= n;
	}
}

/* Reads numbers up to the end of a line; anything else is not the host. */
static void read_numbers(long *numbers, int count) {
	for (int i = 0; i < count; i++) {
		char digit = 0;
		numbers[i] = 0;
		for (int n = 0;; n++) {
			read_all(CONTROL, &digit, 1);
			if (digit < '0' || digit > '9' || n > 15) break;
			numbers[i] = numbers[i] * 10 + (digit - '0');
		}
		if (digit != (i + 1 < count ? ' ' : '\n')) quit(1);
	}
}

/* Limits in the order in which they are told. */
static const int resources[4] = {RLIMIT_NOFILE_, RLIMIT_FSIZE_, RLIMIT_NPROC_, RLIMIT_AS_};

/* Reads the job: its limits, and its variables into `block`. */
static void read_job(long *limits) {
	long numbers[5];
	char start[2];
	read_all(CONTROL, start, 2);
	if (start[0] != 'G' || start[1] != ' ') quit(1);
	read_numbers(numbers, 5);
	for (int i = 0; i < 4; i++) limits[i] = numbers[i];
	if (numbers[4] > BLOCK) fail('X', -E2BIG_);
	block_size = numbers[4];
	read_all(CONTROL, block, block_size);
	if (block_size > 0 && block[block_size - 1] != 0) quit(1);
}

static void limit(long pid, const long *limits) {
	for (int i = 0; i < 4; i++) {
		unsigned long both[2] = {(unsigned long)limits[i], (unsigned long)limits[i]};
		if (limits[i] > 0) fail('L', call4(SYS_prlimit64, pid, resources[i], both, 0));
	}
}

/* Finds the variables in `block`. */
static char **list_variables(void) {
	long count = 0;
	for (long at = 0; at < block_size; at += length_of(block + at) + 1) {
		if (count == VARIABLES) fail('X', -E2BIG_);
		variables[count++] = block + at;
	}
	variables[count] = 0;
	return variables;
}

/* Waits until the interpreter has started; then until there is a job for it. */
static void await_ready_and_job(int signals, int out, int err, int ready) {
	struct pollfd_ watched[5] = {{signals, POLLIN_, 0}, {out, POLLIN_, 0}, {err, POLLIN_, 0}, {ready, POLLIN_, 0}, {CONTROL, POLLIN_, 0}};
	for (;;) {
		if (call(SYS_ppoll, (long)watched, 5, 0, 0, 0, 0) < 0) continue;
		if (watched[0].revents || watched[1].revents || watched[2].revents) quit(8);
		if (watched[3].revents) {
			if (call3(SYS_read, ready, buffer, 1) != 1) quit(8);
			watched[3].fd = -1;
			call1(SYS_close, ready);
			tell('W', 0, 0);
		}
		if (watched[4].revents) {
			if (watched[3].fd >= 0) quit(1);
			return;
		}
	}
}

static void report(int status) {
	struct rusage_ used;
	call2(SYS_getrusage, RUSAGE_CHILDREN_, &used);
	long user = used.user_s * 1000000 + used.user_us, system = used.system_s * 1000000 + used.system_us;
	long numbers[6] = {status, user, system, used.max_rss_kb, relayed[1], relayed[2]};
	tell('S', numbers, 6);
}

/* The collector may not add to the stderr of the program: its own is the read-only stdin. */
static void collect(char **argv, char **environment) {
	int status = 0;
	long pid = start(argv, environment, COLLECTED, 0);
	reap(pid, &status, 0);
	long number = status;
	tell('C', &number, 1);
}

/* A folder that the program has put a link in the place of is not empty. */
static int is_empty(const char *path) {
	long fd = call4(SYS_openat, AT_FDCWD_, path, O_CLOEXEC_ | O_DIRECTORY_ | O_NOFOLLOW_, 0);
	if (fd < 0) return 0;
	long bytes = call3(SYS_getdents64, fd, buffer, BUFFER);
	call1(SYS_close, fd);
	/* Two entries, "." and "..", each of 24 bytes. */
	return bytes == 48;
}

static int same(const char *one, const char *other) {
	while (*one && *one == *other) one++, other++;
	return *one == *other;
}

/* Ordinary files, and folders that may hold some; hidden ones are nobody's results, and what was given is none either. */
static int could_be_result(const char *entry, const char *folder) {
	const char *name = entry + DIRENT_NAME;
	if (name[0] == '.') return 0;
	if (entry[DIRENT_TYPE] == DT_REG_) return 1;
	return entry[DIRENT_TYPE] == DT_DIR_ && !same(name, folder) && !same(name, "in");
}

/* Whether something in this place may have been meant for the folder; the collector looks more closely. */
static int has_results(const char *place, const char *folder) {
	long fd = call4(SYS_openat, AT_FDCWD_, place, O_CLOEXEC_ | O_DIRECTORY_ | O_NOFOLLOW_, 0), bytes;
	int found = 0;
	if (fd < 0) return 0;
	while (!found && (bytes = call3(SYS_getdents64, fd, buffer, BUFFER)) > 0)
		for (long at = 0; at < bytes && !found; at += *(unsigned short *)(buffer + at + DIRENT_LENGTH))
			found = could_be_result(buffer + at, folder);
	call1(SYS_close, fd);
	return found;
}

/* A program may have taken /tmp, or the place where the folder lies, for the folder. */
static int has_files_elsewhere(const char *path) {
	char parent[64];
	long end = 0;
	for (long i = 0; path[i] && i < (long)sizeof parent - 1; i++) {
		parent[i] = path[i];
		if (path[i] == '/') end = i;
	}
	parent[end] = 0;
	return has_results(parent, path + end + 1) || has_results("/tmp", "");
}

static long number_of(const char *text) {
	long value = 0;
	while (*text >= '0' && *text <= '9') value = value * 10 + (*text++ - '0');
	return value;
}

static int has(const char *flags, char one) {
	while (*flags && *flags != one) flags++;
	return *flags == one;
}

/* Starts the program when its job is there; an interpreter that waits, before. Returns its process id. */
static long begin(char **program, char **environment, int waits, int signals, int *out, int *err) {
	long limits[4], pid;
	int job[2], ready[2];
	if (!waits) {
		read_job(limits);
		pid = start(program, list_variables(), out[1], err[1]);
		if (pid > 0) limit(pid, limits);
		return pid;
	}
	if (call2(SYS_pipe2, job, O_CLOEXEC_) < 0 || call2(SYS_pipe2, ready, O_CLOEXEC_) < 0) quit(3);
	pid = start_waiting(program, environment, out[1], err[1], job[0], ready[1]);
	call1(SYS_close, job[0]);
	call1(SYS_close, ready[1]);
	if (pid < 0) return pid;
	await_ready_and_job(signals, out[0], err[0], ready[0]);
	read_job(limits);
	limit(pid, limits);
	tell('B', 0, 0);
	write_all(job[1], block, block_size);
	call1(SYS_close, job[1]);
	return pid;
}

__attribute__((used)) void run(long *stack) {
	char **argv = (char **)(stack + 1);
	char **environment = argv + stack[0] + 1;
	int out[2], err[2], status = 0;
	unsigned long mask = 1UL << (SIGCHLD_ - 1);
	char *program[512];
	long words = stack[0] > FIRST_WORD ? number_of(argv[1]) : 0;
	if (words < 1 || words > 510 || words > stack[0] - FIRST_WORD) quit(2);
	for (long i = 0; i < words; i++) program[i] = argv[FIRST_WORD + i];
	program[words] = 0;
	const char *folder = argv[4], *flags = argv[5];

	call(SYS_prctl, PR_SET_DUMPABLE_, 0, 0, 0, 0, 0);
	call(SYS_prctl, PR_SET_NAME_, (long)"init", 0, 0, 0, 0);
	call3(SYS_fcntl, CONTROL, F_SETFD_, FD_CLOEXEC_);
	call3(SYS_fcntl, COLLECTED, F_SETFD_, FD_CLOEXEC_);
	block_sigchld(0);
	int signals = (int)call4(SYS_signalfd4, -1, &mask, sizeof mask, O_CLOEXEC_ | O_NONBLOCK_);
	if (signals < 0 || call2(SYS_pipe2, out, O_CLOEXEC_) < 0 || call2(SYS_pipe2, err, O_CLOEXEC_) < 0) quit(3);

	open_input();
	make_folder(folder);
	open_network(argv[3]);
	long groups = number_of(argv[2]);
	join_groups(groups);
	tell('R', 0, 0);
	if (groups == 0) await_go();
	long pid = begin(program, environment, has(flags, 'w'), signals, out, err);
	if (pid < 0) quit(4);
	call1(SYS_close, out[1]);
	call1(SYS_close, err[1]);
	attend(pid, signals, out[0], err[0], &status);

	call2(SYS_kill, -1, SIGKILL_);
	reap(-1, &status, 0);
	while (relay(out[0], 1));
	while (relay(err[0], 2));
	report(status);
	if (has(flags, 'e') && is_empty(folder) && !has_files_elsewhere(folder)) tell('E', 0, 0);
	else if (argv[FIRST_WORD + words]) collect(argv + FIRST_WORD + words, environment);
	quit(0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call run\n");
#else
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x0, sp\n bl run\n");
#endif

/* Which source this binary was made from; test/house compares it with the source that lies beside it. */
__attribute__((used, section(".source"))) static const char source[] = "source-sha256=" SOURCE_SHA256;

/*
 * The keeper of a command that runs on the device itself, without a jail. It starts the command as its user, becomes the
 * parent of whatever the command leaves behind (setsid, double fork, nohup change nothing about that), and ends only when
 * the kernel says that nobody is left. Freestanding: no libc, no allocation.
 *
 *   keeper UID GID PROCESSES FOLDER PROGRAM ARG...
 *
 * UID and GID = "-" to stay who one is. PROCESSES = how many the user may have in all, "-" for as many as before. FOLDER becomes the working folder, entered as the user; the umask is inherited.
 * File descriptors: 0-2 the command's own, 3 the host's control socket.
 *
 * Control socket, host to keeper: one byte 'g' (go) when the limits stand around the keeper, which the command inherits.
 * Anything else, or a hang-up, ends the command and all it started: a host that dies leaves nothing behind.
 * Control socket, keeper to host, one line each, as the first process of a jail speaks:
 *   R                                  ready: the command starts when the host says go
 *   U ERRNO                            the keeper cannot become the user
 *   D ERRNO                            the user cannot enter the folder
 *   X ERRNO                            the command could not be executed
 *   S STATUS USER_US SYSTEM_US RSS_KB 0 0
 *                                      how the command ended (wait(2) status) and what all processes used; nothing of it is
 *                                      alive then, and their ends of stdout and stderr are closed
 *
 * The keeper keeps the user of the agent, so the command can neither kill nor trace it.
 */

#if defined(__x86_64__)
#define SYS_read 0
#define SYS_write 1
#define SYS_close 3
#define SYS_rt_sigprocmask 14
#define SYS_clone 56
#define SYS_execve 59
#define SYS_wait4 61
#define SYS_kill 62
#define SYS_fcntl 72
#define SYS_chdir 80
#define SYS_getrusage 98
#define SYS_setuid 105
#define SYS_setgid 106
#define SYS_setsid 112
#define SYS_setgroups 116
#define SYS_prctl 157
#define SYS_setrlimit 160
#define SYS_exit_group 231
#define SYS_openat 257
#define SYS_ppoll 271
#define SYS_signalfd4 289
#elif defined(__aarch64__)
#define SYS_fcntl 25
#define SYS_chdir 49
#define SYS_openat 56
#define SYS_close 57
#define SYS_read 63
#define SYS_write 64
#define SYS_ppoll 73
#define SYS_signalfd4 74
#define SYS_exit_group 94
#define SYS_kill 129
#define SYS_rt_sigprocmask 135
#define SYS_setgid 144
#define SYS_setuid 146
#define SYS_setsid 157
#define SYS_setgroups 159
#define SYS_setrlimit 164
#define SYS_getrusage 165
#define SYS_prctl 167
#define SYS_clone 220
#define SYS_execve 221
#define SYS_wait4 260
#else
#error "keeper is written for x86_64 and aarch64"
#endif

enum {
	CONTROL = 3,
	AT_FDCWD_ = -100,
	SIGKILL_ = 9,
	SIGCHLD_ = 17,
	EINTR_ = 4,
	ECHILD_ = 10,
	F_SETFD_ = 2,
	FD_CLOEXEC_ = 1,
	O_CLOEXEC_ = 02000000,
	O_NONBLOCK_ = 04000,
	POLLIN_ = 1,
	PR_SET_PDEATHSIG_ = 1,
	PR_SET_DUMPABLE_ = 4,
	PR_SET_NAME_ = 15,
	PR_SET_CHILD_SUBREAPER_ = 36,
	PR_SET_NO_NEW_PRIVS_ = 38,
	PR_CAP_AMBIENT_ = 47,
	PR_CAP_AMBIENT_CLEAR_ALL_ = 4,
	RLIMIT_CORE_ = 4,
	RLIMIT_NPROC_ = 6,
	RUSAGE_CHILDREN_ = -1,
	WNOHANG_ = 1,
	BUFFER = 16384,
};

struct rusage_ {
	long user_s, user_us, system_s, system_us, max_rss_kb, rest[13];
};
struct pollfd_ {
	int fd;
	short events, revents;
};
struct time_ {
	long seconds, nanoseconds;
};

static char buffer[BUFFER];

static long call(long n, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
#endif
}
#define call1(n, a) call(n, (long)(a), 0, 0, 0, 0)
#define call2(n, a, b) call(n, (long)(a), (long)(b), 0, 0, 0)
#define call3(n, a, b, c) call(n, (long)(a), (long)(b), (long)(c), 0, 0)
#define call4(n, a, b, c, d) call(n, (long)(a), (long)(b), (long)(c), (long)(d), 0)

static void quit(int code) {
	for (;;) call1(SYS_exit_group, code);
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

/* A host that has hung up hears nothing; the command is ended all the same. */
static void tell(char what, const long *numbers, int count) {
	char line[160], *at = line, *from = line;
	*at++ = what;
	for (int i = 0; i < count; i++) at = put_number(at, numbers[i]);
	*at++ = '\n';
	while (from < at) {
		long n = call3(SYS_write, CONTROL, from, at - from);
		if (n == -EINTR_) continue;
		if (n <= 0) return;
		from += n;
	}
}

static void fail(char what, long result) {
	long failure = -result;
	if (result >= 0) return;
	tell(what, &failure, 1);
	quit(5);
}

static int is_go(void) {
	char byte = 0;
	long n;
	do n = call3(SYS_read, CONTROL, &byte, 1);
	while (n == -EINTR_);
	return n == 1 && byte == 'g';
}

static int is_number(const char *text) {
	return *text >= '0' && *text <= '9';
}

static long number_of(const char *text) {
	long value = 0;
	while (is_number(text)) value = value * 10 + (*text++ - '0');
	return value;
}

static void signals(int how, unsigned long mask) {
	call4(SYS_rt_sigprocmask, how, &mask, 0, sizeof mask);
}

/* Groups first, for who is no longer root cannot give them up. */
static void become(const char *user, const char *group) {
	if (is_number(user) && is_number(group)) {
		fail('U', call2(SYS_setgroups, 0, 0));
		fail('U', call1(SYS_setgid, number_of(group)));
		fail('U', call1(SYS_setuid, number_of(user)));
	}
	call(SYS_prctl, PR_CAP_AMBIENT_, PR_CAP_AMBIENT_CLEAR_ALL_, 0, 0, 0);
	fail('U', call(SYS_prctl, PR_SET_NO_NEW_PRIVS_, 1, 0, 0, 0));
}

static long start(char **words, char **environment) {
	unsigned long no_core[2] = {0, 0}, processes = number_of(words[2]);
	unsigned long most[2] = {processes, processes};
	long pid = call(SYS_clone, SIGCHLD_, 0, 0, 0, 0);
	if (pid != 0) return pid;
	call1(SYS_setsid, 0);
	call2(SYS_setrlimit, RLIMIT_CORE_, no_core);
	become(words[0], words[1]);
	/* Becoming another user takes it back, so it comes after. */
	call(SYS_prctl, PR_SET_PDEATHSIG_, SIGKILL_, 0, 0, 0);
	if (is_number(words[2])) call2(SYS_setrlimit, RLIMIT_NPROC_, most);
	fail('D', call1(SYS_chdir, words[3]));
	signals(2, 0);
	fail('X', call3(SYS_execve, words[4], words + 4, environment));
	return -1;
}

/* Reaps whoever has ended; stores the status of `awaited` and returns 1 when it was among them, -1 when no child is left. */
static int reap(long awaited, int *status) {
	int found = 0;
	for (;;) {
		int one = 0;
		long pid = call4(SYS_wait4, -1, &one, WNOHANG_, 0);
		if (pid == -EINTR_) continue;
		if (pid == -ECHILD_) return -1;
		if (pid <= 0) return found;
		if (pid != awaited) continue;
		*status = one;
		found = 1;
	}
}

/* Whoever's parent is killed becomes a child of the keeper, so children are all that need be looked for. */
static void kill_children(void) {
	long list = call4(SYS_openat, AT_FDCWD_, "/proc/thread-self/children", O_CLOEXEC_, 0), n;
	long pid = 0;
	if (list < 0) return;
	while ((n = call3(SYS_read, list, buffer, BUFFER)) > 0) {
		for (long i = 0; i < n; i++) {
			if (is_number(buffer + i)) {
				pid = pid * 10 + (buffer[i] - '0');
				continue;
			}
			if (pid > 0) call2(SYS_kill, pid, SIGKILL_);
			pid = 0;
		}
	}
	if (pid > 0) call2(SYS_kill, pid, SIGKILL_);
	call1(SYS_close, list);
}

static void end_all(long awaited, int *status) {
	struct time_ pause = {0, 1000000};
	for (;;) {
		kill_children();
		if (reap(awaited, status) < 0) return;
		call(SYS_ppoll, 0, 0, (long)&pause, 0, 0);
	}
}

/* Returns when the command has ended by itself, or when the host wants it ended or is gone. */
static void attend(long pid, int events, int *status) {
	struct pollfd_ watched[2] = {{events, POLLIN_, 0}, {CONTROL, POLLIN_, 0}};
	for (;;) {
		if (call(SYS_ppoll, (long)watched, 2, 0, 0, 0) < 0) continue;
		if (watched[1].revents) return;
		call3(SYS_read, events, buffer, BUFFER);
		if (reap(pid, status) != 0) return;
	}
}

static void report(int status) {
	struct rusage_ used;
	call2(SYS_getrusage, RUSAGE_CHILDREN_, &used);
	long user = used.user_s * 1000000 + used.user_us, system = used.system_s * 1000000 + used.system_us;
	long numbers[6] = {status, user, system, used.max_rss_kb, 0, 0};
	tell('S', numbers, 6);
}

__attribute__((used)) void run(long *stack) {
	char **argv = (char **)(stack + 1);
	char **environment = argv + stack[0] + 1;
	unsigned long child_ended = 1UL << (SIGCHLD_ - 1);
	int status = 0;
	if (stack[0] < 6) quit(2);

	call(SYS_prctl, PR_SET_DUMPABLE_, 0, 0, 0, 0);
	call(SYS_prctl, PR_SET_NAME_, (long)"keeper", 0, 0, 0);
	fail('U', call(SYS_prctl, PR_SET_CHILD_SUBREAPER_, 1, 0, 0, 0));
	call3(SYS_fcntl, CONTROL, F_SETFD_, FD_CLOEXEC_);
	/* A terminal or a manager that signals the whole group must not end the keeper before those it keeps. */
	signals(2, ~0UL);
	int events = (int)call4(SYS_signalfd4, -1, &child_ended, sizeof child_ended, O_CLOEXEC_ | O_NONBLOCK_);
	if (events < 0) quit(3);

	tell('R', 0, 0);
	if (!is_go()) quit(1);
	long pid = start(argv + 1, environment);
	if (pid < 0) quit(4);
	for (int fd = 0; fd < 3; fd++) call1(SYS_close, fd);
	attend(pid, events, &status);
	end_all(pid, &status);
	report(status);
	quit(0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call run\n");
#else
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x0, sp\n bl run\n");
#endif

/* Which source this binary was made from; test/house compares it with the source that lies beside it. */
__attribute__((used, section(".source"))) static const char source[] = "source-sha256=" SOURCE_SHA256;

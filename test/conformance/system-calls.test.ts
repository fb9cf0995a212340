/** Ways out through the kernel: each is refused, and the jail holds no right that could open another. */
import { describe, expect, test } from 'vitest';
import { asEachIdentity, printed } from '../helpers/jail.ts';

/** Tries system calls by number and prints one line for each: its name and the error, or "ALLOWED". */
const attempts = (calls: readonly Attempt[]) => `
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
page = ctypes.create_string_buffer(4096)
def attempt(name, number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_ulong(a) if isinstance(a, int) else a for a in args])
    print(name, 'ALLOWED' if result >= 0 else errno.errorcode[ctypes.get_errno()], flush=True)
    if result == 0 and 'clone' in name: os._exit(0)
${calls.map(([name, x64, arm64, ...args]) => `attempt('${name}', ${process.arch === 'x64' ? x64 : arm64}, ${args.join(', ')})`).join('\n')}
`;

/** Name, number on x64, number on arm64, arguments as Python. */
type Attempt = [name: string, x64: number, arm64: number, ...args: (string | number)[]];

const CLONE_NEW = {
	time: 0x80,
	mount: 0x20000,
	cgroup: 0x2000000,
	uts: 0x4000000,
	ipc: 0x8000000,
	user: 0x10000000,
	pid: 0x20000000,
	net: 0x40000000,
};
const SIGCHLD = 17;

const notPermitted: Attempt[] = [
	...Object.entries(CLONE_NEW).map(([name, flag]): Attempt => [`unshare ${name}`, 272, 97, flag]),
	...Object.entries(CLONE_NEW)
		.filter(([name]) => name !== 'time')
		.map(([name, flag]): Attempt => [`clone ${name}`, 56, 220, flag | SIGCHLD, 0, 0, 0, 0]),
	['clone user with a dirty upper half', 56, 220, '0xF00000010000011', 0, 0, 0, 0],
	['setns', 308, 268, 0, 0],
	['mount', 165, 40, "b'none'", "b'/tmp'", "b'tmpfs'", 0, 0],
	['umount2', 166, 39, "b'/work'", 2],
	['pivot_root', 155, 41, "b'/work'", "b'/work'"],
	['chroot', 161, 51, "b'/work'"],
	['ptrace traceme', 101, 117, 0, 0, 0, 0],
	['ptrace attach', 101, 117, 16, 1, 0, 0],
	['process_vm_readv', 310, 270, 1, 'page', 1, 'page', 1, 0],
	['process_vm_writev', 311, 271, 1, 'page', 1, 'page', 1, 0],
	['kcmp', 312, 272, 1, 2, 0, 0, 0],
	['bpf', 321, 280, 0, 'page', 128],
	['perf_event_open', 298, 241, 'page', 0, -1, -1, 0],
	['userfaultfd', 323, 282, 1],
	['keyctl', 250, 219, 0, -3, 0],
	['add_key', 248, 217, "b'user'", "b'k'", "b'v'", 1, -3],
	['request_key', 249, 218, "b'user'", "b'k'", 0, 0],
	['open_by_handle_at', 304, 265, -100, 'page', 0],
	['name_to_handle_at', 303, 264, -100, "b'/'", 'page', 'page', 0],
	['init_module', 175, 105, 'page', 1, "b''"],
	['finit_module', 313, 273, 0, "b''", 0],
	['kexec_load', 246, 104, 0, 0, 0, 0],
	['reboot', 169, 142, 0, 0, 0, 0],
	['swapon', 167, 224, "b'/work/x'", 0],
	['quotactl', 179, 60, 0, 0, 0, 0],
	['acct', 163, 89, "b'/work/x'"],
	['syslog', 103, 116, 3, 'page', 100],
	['personality', 135, 92, '0x0400000'],
	['sethostname', 170, 161, "b'x'", 1],
	['clock_settime', 227, 112, 0, 'page'],
	['settimeofday', 164, 170, 'page', 0],
	['adjtimex', 159, 171, 'page'],
	['fanotify_init', 300, 262, 0, 0],
	['mbind', 237, 235, 0, 4096, 1, 0, 0, 0],
	['move_pages', 279, 239, 1, 0, 0, 0, 0, 0],
	['migrate_pages', 256, 238, 1, 0, 0, 0],
	['vmsplice', 278, 75, 1, 'page', 0, 0],
	['limits of another process', 302, 261, 1, 0, 'page', 0],
	['socket NETLINK', 41, 198, 16, 3, 0],
	['socket PACKET', 41, 198, 17, 3, 0],
	['socket ALG', 41, 198, 38, 5, 0],
	['socket VSOCK', 41, 198, 40, 1, 0],
	['socket BLUETOOTH', 41, 198, 31, 3, 0],
	['socket CAN', 41, 198, 29, 3, 0],
	['socket KEY', 41, 198, 15, 3, 2],
	['socket XDP', 41, 198, 44, 3, 0],
	['socket VSOCK with a dirty upper half', 41, 198, '(1 << 32) | 40', 1, 0],
	['socketpair INET', 53, 199, 2, 1, 0, 'page'],
	['raw socket', 41, 198, 2, 3, 1],
	['TIOCSTI', 16, 29, 0, '0x5412', 'page'],
	['TIOCSTI with a dirty upper half', 16, 29, 0, '(1 << 32) | 0x5412', 'page'],
	['TIOCLINUX', 16, 29, 0, '0x541C', 'page'],
	[
		'a device node',
		133,
		33,
		...(process.arch === 'x64' ? ["b'/work/d'", '0o60600', '0x800'] : [-100, "b'/work/d'", '0o60600', '0x800']),
	],
];

const notKnown: Attempt[] = [
	['clone3', 435, 435, 'page', 88],
	['io_uring_setup', 425, 425, 1, 'page'],
	['io_uring_enter', 426, 426, 0, 0, 0, 0, 0, 0],
	['io_uring_register', 427, 427, 0, 0, 0, 0],
	['open_tree', 428, 428, -100, "b'/'", 1],
	['move_mount', 429, 429, -100, "b'/'", -100, "b'/work'", 0],
	['fsopen', 430, 430, "b'tmpfs'", 0],
	['fsconfig', 431, 431, 0, 0, 0, 0, 0],
	['fsmount', 432, 432, 0, 0, 0],
	['fspick', 433, 433, -100, "b'/'", 0],
	['pidfd_getfd', 438, 438, 0, 0, 0],
	['mount_setattr', 442, 442, -100, "b'/'", 0, 'page', 32],
	['memfd_secret', 447, 447, 0],
];

const only = { x64: test.runIf(process.arch === 'x64') };

asEachIdentity((jail) => {
	describe.concurrent('system calls', () => {
		test('what could leave the jail is not permitted', async () => {
			const calls: Attempt[] =
				process.arch === 'x64'
					? [...notPermitted, ['modify_ldt', 154, 0, 0, 'page', 16], ['iopl', 172, 0, 3], ['ioperm', 173, 0, 0, 1, 1]]
					: notPermitted;
			const lines = printed(await jail.python(attempts(calls)))
				.trim()
				.split('\n');
			expect(lines).toEqual(calls.map(([name]) => `${name} EPERM`));
		});

		test('what is too young to be filtered is not known', async () => {
			const lines = printed(await jail.python(attempts(notKnown)))
				.trim()
				.split('\n');
			expect(lines).toEqual(notKnown.map(([name]) => `${name} ENOSYS`));
		});

		test('memory that no control group would count cannot be had without one', async () => {
			const calls: Attempt[] = [
				['memfd_create', 319, 279, "b'x'", 0],
				['shmget', 29, 194, 0, 4096, '0o1600'],
				['msgget', 68, 186, 0, '0o1600'],
			];
			const word = jail.identity.name === 'root' ? 'ALLOWED' : 'ENOSYS';
			const lines = printed(await jail.python(attempts(calls)))
				.trim()
				.split('\n');
			expect(lines).toEqual(calls.map(([name]) => `${name} ${word}`));
		});

		only.x64('system calls of 32-bit programs end the program', async () => {
			const code = `
import ctypes, mmap, os
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3')  # mov eax, 20 (getpid); int 0x80; ret
getpid = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
if os.fork() == 0:
    getpid()
    os._exit(0)
print(os.WTERMSIG(os.wait()[1]))
`;
			expect(printed(await jail.python(code))).toBe('31\n');
		});

		only.x64('x32 system calls, which the filter by name does not see, are not known', async () => {
			const x32 = 0x40000000;
			const calls: Attempt[] = [
				['getpid', x32 + 39, 0],
				['unshare user', x32 + 272, 0, CLONE_NEW.user],
				['ptrace', x32 + 521, 0, 0, 0, 0, 0],
				['the highest number', 0xffffffff, 0],
			];
			const code = `${attempts(calls)}\nprint(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('Seccomp_filters')))`;
			const lines = printed(await jail.python(code))
				.trim()
				.split('\n');
			expect(lines).toEqual([...calls.map(([name]) => `${name} ENOSYS`), '2']);
		});
	});

	describe.concurrent('privileges', () => {
		test('none are held and none can be gained', async () => {
			const wanted = 'Uid|Gid|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|TracerPid';
			const result = await jail.bash(`grep -E '^(${wanted}):' /proc/self/status | tr '\\t' ' '`);
			expect(printed(result)).toBe(
				[
					...['TracerPid: 0', 'Uid: 1000 1000 1000 1000', 'Gid: 1000 1000 1000 1000'],
					...['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => `${set}: 0000000000000000`),
					...['NoNewPrivs: 1', 'Seccomp: 2', ''],
				].join('\n'),
			);
		});

		test('a program cannot become another user', async () => {
			const code = `
import os
for name, action in {
    'setuid': lambda: os.setuid(0), 'setgid': lambda: os.setgid(0), 'setgroups': lambda: os.setgroups([0]),
    'chown': lambda: os.chown('/work', 0, 0), 'nice': lambda: os.nice(-10),
}.items():
    try: action(); print(name, 'ALLOWED')
    except OSError as error: print(name, 'refused')
`;
			expect(printed(await jail.python(code))).toBe(
				'setuid refused\nsetgid refused\nsetgroups refused\nchown refused\nnice refused\n',
			);
		});

		test('a file with the setuid bit gives nothing, wherever it lies', async () => {
			const code = `
cp /usr/bin/id /work/id && chmod 6755 /work/id && /work/id -u
grep -v nosuid /proc/self/mountinfo; grep -v nodev /proc/self/mountinfo | cut -d " " -f 5
`;
			const devices = ['null', 'zero', 'full', 'random', 'urandom'].map((name) => `/dev/${name}\n`);
			expect(printed(await jail.bash(code))).toBe(`1000\n${devices.join('')}`);
		});

		test('user namespaces cannot be opened by a file either', async () => {
			const code = `
for name in ('uid_map', 'gid_map', 'setgroups', 'oom_score_adj', 'timerslack_ns', 'loginuid', 'attr/current'):
    for pid in ('1', 'self'):
        try:
            with open(f'/proc/{pid}/{name}', 'w') as file: file.write('0')
            print(pid, name, 'ALLOWED')
        except OSError: pass
`;
			expect(printed(await jail.python(code))).toBe('');
		});
	});
});

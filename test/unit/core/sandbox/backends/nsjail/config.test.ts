import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../../../../../src/contract/limits.ts';
import type { BoxSpec, DeviceView } from '../../../../../../src/core/sandbox/backend.ts';
import { configFor, type JailPlace } from '../../../../../../src/core/sandbox/backends/nsjail/config.ts';
import { type Reach, seccompPolicy } from '../../../../../../src/core/sandbox/backends/nsjail/seccomp.ts';
import { emptySpec } from '../../../../../helpers/box.ts';

const asRoot: JailPlace = {
	root: '/var/lib/secure-code/rootfs/0123456789abcdef',
	binds: { '/usr/lib/x86_64-linux-gnu': '/usr/lib/x86_64-linux-gnu' },
	outsideUser: 1_000_000_256,
	outsideGroup: 1_000_000_256,
	stdinPath: undefined,
	later: undefined,
	architecture: 'x64',
	hasCgroup: true,
	groupsToJoin: 2,
	countsOwnProcesses: true,
	hasProc: true,
};

const asUser: JailPlace = {
	...asRoot,
	outsideUser: 1001,
	outsideGroup: 100,
	stdinPath: '/tmp/run/stdin',
	architecture: 'arm64',
	hasCgroup: false,
	groupsToJoin: 0,
	hasProc: false,
};

const spec: BoxSpec = {
	argv: ['/usr/bin/python3', '-I', '/code/main.py'],
	env: { PATH: '/usr/bin', GREETING: 'say "hi"\n' },
	secretEnv: { API_KEY: 'sk-very-secret' },
	limits: { ...defaultLimits, timeoutMs: 1_500, workBytes: 1_048_576 },
	files: [{ path: '/code/main.py', content: 'print("ñ")\n' }],
	binds: [{ hostPath: '/tmp/run/in', path: '/work/in' }],
	ports: [],
	limitAddressSpace: true,
	madeFolder: '/work/out',
	collector: ['/usr/bin/bash', '-c', 'tar'],
};

const fixedHead = `name: "secure-code"
mode: ONCE
hostname: "sandbox"
cwd: "/work"
time_limit: 22
log_level: WARNING
keep_env: false
keep_caps: false
disable_no_new_privs: false
skip_setsid: false
pass_fd: 3
pass_fd: 4
pass_fd: 6
`;
const taskLists = 'pass_fd: 7\npass_fd: 8\n';

const rlimits = `rlimit_core: 0
rlimit_cpu_type: INF
rlimit_fsize: 64
rlimit_nofile: 256
rlimit_nproc: 65
rlimit_nproc_type: VALUE
rlimit_stack: 8
rlimit_stack_type: VALUE
nice_level: 5
clone_newnet: true
clone_newuser: true
clone_newns: true
clone_newpid: true
clone_newipc: true
clone_newuts: true
clone_newcgroup: true
`;

const tree = `mount_proc: false
mount { src: "/var/lib/secure-code/rootfs/0123456789abcdef" dst: "/" is_bind: true nosuid: true nodev: true }
mount { src: "/usr/lib/x86_64-linux-gnu" dst: "/usr/lib/x86_64-linux-gnu" is_bind: true nosuid: true nodev: true }
mount { src: "/dev/null" dst: "/dev/null" is_bind: true rw: true nosuid: true noexec: true }
mount { src: "/dev/zero" dst: "/dev/zero" is_bind: true rw: true nosuid: true noexec: true }
mount { src: "/dev/full" dst: "/dev/full" is_bind: true rw: true nosuid: true noexec: true }
mount { src: "/dev/random" dst: "/dev/random" is_bind: true rw: true nosuid: true noexec: true }
mount { src: "/dev/urandom" dst: "/dev/urandom" is_bind: true rw: true nosuid: true noexec: true }
`;

const proc = 'mount { dst: "/proc" fstype: "proc" options: "subset=pid" nosuid: true nodev: true noexec: true }\n';

const writable = `mount { dst: "/work" fstype: "tmpfs" rw: true options: "size=1048576,nr_inodes=2048,mode=0700" nosuid: true nodev: true }
mount { dst: "/tmp" fstype: "tmpfs" rw: true options: "size=33554432,nr_inodes=2048,mode=1777" nosuid: true nodev: true }
mount { dst: "/dev/shm" fstype: "tmpfs" rw: true options: "size=33554432,nr_inodes=2048,mode=1777" nosuid: true nodev: true }
`;

const stdin = 'mount { src: "/tmp/run/stdin" dst: "/opt/secure-code/stdin" is_bind: true nosuid: true nodev: true }\n';

const shown = `mount { src: "/tmp/run/in" dst: "/work/in" is_bind: true nosuid: true nodev: true }
mount { src_content: "print(\\042\\303\\261\\042)\\012" dst: "/code/main.py" nosuid: true nodev: true }
`;

const end = ({
	architecture,
	hasCgroup,
	groupsToJoin,
}: JailPlace) => `seccomp_string: "${seccompPolicy(architecture, hasCgroup)}"
exec_bin { path: "/opt/secure-code/init" arg: "3" arg: "${groupsToJoin}" arg: "-" arg: "/work/out" arg: "-" arg: "/usr/bin/python3" arg: "-I" arg: "/code/main.py" arg: "/usr/bin/bash" arg: "-c" arg: "tar" }
`;

const users = ({ outsideUser, outsideGroup }: JailPlace) =>
	`uidmap { inside_id: "1000" outside_id: "${outsideUser}" count: 1 }\ngidmap { inside_id: "1000" outside_id: "${outsideGroup}" count: 1 }\n`;

describe('configFor', () => {
	it('writes the whole jail of a process that is root, has control groups and a fresh /proc', () => {
		expect(configFor(spec, asRoot)).toBe(
			[
				...[fixedHead, taskLists, 'rlimit_as_type: INF\n', rlimits, users(asRoot)],
				...[tree, proc, writable, shown, end(asRoot)],
			].join(''),
		);
	});

	it('limits the address space instead of memory where there are no control groups, and mounts no /proc where it may not', () => {
		expect(configFor(spec, asUser)).toBe(
			[fixedHead, 'rlimit_as: 512\n', rlimits, users(asUser), tree, writable, stdin, shown, end(asUser)].join(''),
		);
	});

	it('never limits the address space of V8, which reserves more than it uses', () => {
		const config = configFor({ ...spec, limitAddressSpace: false }, asUser);
		expect(config).toContain('rlimit_as_type: INF\n');
		expect(config).not.toContain('rlimit_as:');
	});

	it('holds nothing of the environment of the program, which is handed to the first process', () => {
		const config = configFor(spec, asRoot);
		const words = ['envar', 'GREETING', 'say ', 'API_KEY', 'sk-very-secret'];
		expect(words.filter((word) => config.includes(word))).toEqual([]);
	});
});

describe('a jail in which an interpreter waits for its job', () => {
	const waiting: BoxSpec = {
		...spec,
		limits: { ...spec.limits, openFiles: 16, fileBytes: 1_048_576, processes: 200 },
		collectsMadeFolder: true,
		waiting: { argv: ['/usr/bin/python3', '--wait', '/code/main.py'], env: { PATH: '/usr/bin', WAIT: '1' } },
	};
	const later = { '/code/main.py': '/tmp/box/file-0', '/work/in': '/tmp/box/in' };
	const place: JailPlace = { ...asRoot, stdinPath: '/tmp/run/stdin', later };

	const head = fixedHead
		.replace('time_limit: 22', 'time_limit: 1220')
		.replace('keep_env: false\n', 'keep_env: false\nenvar: "PATH=/usr/bin"\nenvar: "WAIT=1"\n');
	const shownLater = `mount { src: "/tmp/box/in" dst: "/work/in" is_bind: true nosuid: true nodev: true }
mount { src: "/tmp/box/file-0" dst: "/code/main.py" is_bind: true nosuid: true nodev: true }
`;
	const endOf = (flags: string) =>
		end(place)
			.replace('arg: "/work/out" arg: "-"', `arg: "/work/out" arg: "${flags}"`)
			.replace('arg: "-I"', 'arg: "--wait"');

	it('has nothing of a job, shows files that are filled later, and has room for every job with ordinary limits', () => {
		expect(configFor(waiting, place)).toBe(
			[
				...[head, taskLists, 'rlimit_as_type: INF\n', rlimits.replace('rlimit_nproc: 65', 'rlimit_nproc: 201')],
				...[users(place), tree, proc, writable, stdin, shownLater, endOf('we')],
			].join(''),
		);
	});

	it('does not limit the address space before there is a job', () => {
		const config = configFor(waiting, { ...place, hasCgroup: false });
		expect(config).toContain('rlimit_as_type: INF\n');
		expect(config).not.toContain('rlimit_as:');
	});

	it('leaves out no collector that brings more than the made folder', () => {
		expect(configFor({ ...waiting, collectsMadeFolder: false }, place).endsWith(endOf('w'))).toBe(true);
	});

	it('is made for one job when the job is there', () => {
		const { waiting: _, ...job } = waiting;
		expect(configFor(waiting, asRoot)).toBe(configFor(job, asRoot));
	});
});

/** Reads a string of protobuf's text format as nsjail does. */
function unquote(quoted: string): Buffer {
	const bytes = [...quoted.slice(1, -1).matchAll(/\\([0-7]{3})|([^\\])/g)].map(([, octal, plain]) =>
		octal === undefined ? (plain ?? '').charCodeAt(0) : Number.parseInt(octal, 8),
	);
	return Buffer.from(bytes);
}

describe('a string of the configuration', () => {
	const contentOf = (content: string): string => {
		const config = configFor({ ...emptySpec, files: [{ path: '/code/main.sh', content }] }, asRoot);
		return /src_content: ("(?:[^"\\]|\\.)*") dst: "\/code\/main\.sh"/.exec(config)?.[1] ?? 'not found';
	};

	it('stays one plain ASCII string that reads back as the same bytes, whatever the program holds', () => {
		const program = fc.oneof(
			fc.string({ unit: 'binary' }),
			fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\0', '}', '0') }),
		);
		fc.assert(
			fc.property(program, (content) => {
				const quoted = contentOf(content);
				return /^"[ -~]*"$/.test(quoted) && unquote(quoted).equals(Buffer.from(content));
			}),
			{ numRuns: 200 },
		);
	});

	it.each(['\u0000INF', '"} mount { src: "/" dst: "/host" is_bind: true }', 'a\nmode: LISTEN'])(
		'cannot become configuration: an argument %j',
		(argument) => {
			const lines = configFor({ ...emptySpec, argv: [argument] }, asRoot)
				.trimEnd()
				.split('\n');
			const last = lines.at(-1) ?? '';
			expect(last).toMatch(
				/^exec_bin \{ path: "\/opt\/secure-code\/init" arg: "1" arg: "2" arg: "-" arg: "-" arg: "-" arg: "[^"]*" \}$/,
			);
			expect(unquote(/arg: ("[^"]*") \}$/.exec(last)?.[1] ?? '').toString()).toBe(argument);
		},
	);
});

describe('the limit of processes', () => {
	it('is left to what the user has where the kernel would count the processes of the whole user', () => {
		const text = configFor(spec, { ...asUser, countsOwnProcesses: false });
		expect(text.split('\n').filter((line) => line.startsWith('rlimit_nproc'))).toEqual(['rlimit_nproc_type: SOFT']);
	});
});

describe('the network of a jail', () => {
	it('needs one capability, which the first process drops, to listen on the ports that are handed out', () => {
		const lines = configFor({ ...spec, ports: [53, 443] }, asRoot).split('\n');
		expect(lines.filter((line) => line.startsWith('cap:'))).toEqual(['cap: "CAP_NET_BIND_SERVICE"']);
		expect(lines.filter((line) => line.startsWith('clone_newnet'))).toEqual(['clone_newnet: true']);
		expect(lines.find((line) => line.startsWith('exec_bin'))).toContain(
			'arg: "3" arg: "2" arg: "53,443" arg: "/work/out" arg: "-" arg: "/usr',
		);
	});
});

describe('a jail that shows its device', () => {
	const device: DeviceView = {
		mounts: [
			{ kind: 'memory', path: '/work', bytes: 1_048_576, mode: '0700' },
			{ kind: 'link', path: '/bin', target: 'usr/bin' },
			{ kind: 'bind', hostPath: '/usr', path: '/usr', isWritable: false, isMandatory: true },
			{ kind: 'bind', hostPath: '/srv/data', path: '/data', isWritable: true, isMandatory: false },
			{ kind: 'hide', path: '/usr/local/agent', isFolder: true, isMandatory: true },
			{ kind: 'hide', path: '/usr/local/key', isFolder: false, isMandatory: false },
		],
		cwd: '/data',
		user: null,
		hostName: 'pump-7',
		network: 'none',
		processes: 'own',
	};
	const onDevice: BoxSpec = {
		...spec,
		argv: ['/usr/bin/ls'],
		secretEnv: {},
		files: [{ path: '/opt/secure-code/script', content: 'ls' }],
		binds: [],
		collector: [],
		device,
	};
	const image = '/var/lib/secure-code/rootfs/0123456789abcdef';

	const head = `name: "secure-code"
mode: ONCE
hostname: "pump-7"
cwd: "/data"
time_limit: 22
log_level: WARNING
keep_env: false
keep_caps: false
disable_no_new_privs: false
skip_setsid: false
pass_fd: 3
pass_fd: 4
pass_fd: 6
`;
	const devices = tree.slice(tree.indexOf('mount { src: "/dev/null"'));
	const shownOfDevice = `mount_proc: false
mount { dst: "/" fstype: "tmpfs" options: "size=1048576,nr_inodes=2048,mode=0755" nosuid: true nodev: true }
mount { dst: "/work" fstype: "tmpfs" rw: true options: "size=1048576,nr_inodes=2048,mode=0700" nosuid: true nodev: true }
mount { src: "usr/bin" dst: "/bin" is_symlink: true }
mount { src: "/usr" dst: "/usr" is_bind: true nosuid: true nodev: true }
mount { src: "/srv/data" dst: "/data" is_bind: true nosuid: true nodev: true mandatory: false rw: true }
mount { dst: "/usr/local/agent" fstype: "tmpfs" options: "size=4096,nr_inodes=1,mode=0555" nosuid: true nodev: true noexec: true }
mount { src: "/dev/null" dst: "/usr/local/key" is_bind: true nosuid: true nodev: true noexec: true mandatory: false }
${devices}mount { src: "/proc/self/fd" dst: "/dev/fd" is_symlink: true }
mount { src: "/proc/self/fd/0" dst: "/dev/stdin" is_symlink: true }
mount { src: "/proc/self/fd/1" dst: "/dev/stdout" is_symlink: true }
mount { src: "/proc/self/fd/2" dst: "/dev/stderr" is_symlink: true }
`;
	const ownProc = 'mount { dst: "/proc" fstype: "proc" nosuid: true nodev: true noexec: true }\n';
	const deviceProc = 'mount { src: "/proc" dst: "/proc" is_bind: true nosuid: true nodev: true noexec: true }\n';
	const inMemory =
		'mount { dst: "/dev/shm" fstype: "tmpfs" rw: true options: "size=33554432,nr_inodes=2048,mode=1777" nosuid: true nodev: true }\n';
	const init = `mount { src: "${image}/opt/secure-code/init" dst: "/opt/secure-code/init" is_bind: true nosuid: true nodev: true }\n`;
	const input = (source: string) =>
		`mount { src: "${source}" dst: "/opt/secure-code/stdin" is_bind: true nosuid: true nodev: true }\n`;
	const script = 'mount { src_content: "ls" dst: "/opt/secure-code/script" nosuid: true nodev: true }\n';
	const last = (reach: Reach, groups: number) => `seccomp_string: "${seccompPolicy('x64', true, reach)}"
exec_bin { path: "/opt/secure-code/init" arg: "1" arg: "${groups}" arg: "-" arg: "/work/out" arg: "-" arg: "/usr/bin/ls" }
`;
	const standing = (inside: number, { outsideUser, outsideGroup }: JailPlace) =>
		`uidmap { inside_id: "${inside}" outside_id: "${outsideUser}" count: 1 }\ngidmap { inside_id: "${inside}" outside_id: "${outsideGroup}" count: 1 }\n`;

	it('starts empty, and shows what is listed with a user, a network and processes of its own', () => {
		expect(configFor(onDevice, asRoot)).toBe(
			[
				...[head, taskLists, 'rlimit_as_type: INF\n', rlimits, standing(65_533, asRoot), shownOfDevice, ownProc],
				...[inMemory, init, input(`${image}/opt/secure-code/stdin`), script, last('device', 2)],
			].join(''),
		);
	});

	it('has the network and the processes of the device where the profile says so, and a user of the device under its own number', () => {
		const place = { ...asRoot, outsideUser: 1001, outsideGroup: 1001, stdinPath: '/tmp/run/stdin' };
		const open: DeviceView = { ...device, network: 'host', processes: 'device', user: { uid: 1001, gid: 1001 } };
		expect(configFor({ ...onDevice, device: open }, place)).toBe(
			[
				...[head, taskLists, 'rlimit_as_type: INF\n', rlimits.replace('clone_newnet: true', 'clone_newnet: false')],
				...[standing(1001, place), shownOfDevice, deviceProc, inMemory, init, input('/tmp/run/stdin'), script],
				last('device-network', 2),
			].join(''),
		);
	});

	it('has no /proc where the host of the agent forbids a fresh one', () => {
		expect(configFor(onDevice, { ...asRoot, hasProc: false })).not.toContain('dst: "/proc"');
	});
});

/** The system calls a jailed program may not make, as a kafel policy. Pure. */

/** EPERM: as if the program lacked the right. ENOSYS: as if the kernel were older, so libraries take another way. */
const EPERM = 1;
const ENOSYS = 38;

/** CLONE_NEWTIME | NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET: no namespaces inside the jail. */
const newNamespaces = '0x7E020080';

const everywhere = [
	...['mount', 'umount', 'pivot_root', 'chroot', 'unshare', 'setns'],
	...['ptrace', 'process_vm_readv', 'process_vm_writev', 'kcmp', 'bpf', 'perf_event_open', 'userfaultfd'],
	...['keyctl', 'add_key', 'request_key', 'open_by_handle_at', 'name_to_handle_at'],
	...['init_module', 'finit_module', 'delete_module', 'kexec_load', 'reboot', 'swapon', 'swapoff'],
	...['quotactl', 'acct', 'syslog', 'personality', 'vhangup', 'sethostname', 'setdomainname'],
	...['clock_settime', 'clock_adjtime', 'settimeofday', 'adjtimex', 'fanotify_init', 'fanotify_mark'],
	...['mbind', 'migrate_pages', 'move_pages', 'set_mempolicy', 'vmsplice', 'lookup_dcookie'],
];

const byArchitecture: Record<string, readonly string[]> = {
	x64: ['iopl', 'ioperm', 'modify_ldt', 'uselib', 'kexec_file_load'],
	arm64: [],
};

/** By number, because kafel does not know the younger ones by name; these numbers are the same everywhere. */
const youngCalls = {
	io_uring_setup: 425,
	io_uring_enter: 426,
	io_uring_register: 427,
	open_tree: 428,
	move_mount: 429,
	fsopen: 430,
	fsconfig: 431,
	fsmount: 432,
	fspick: 433,
	clone3: 435,
	pidfd_getfd: 438,
	mount_setattr: 442,
	memfd_secret: 447,
	open_tree_attr: 467,
};

/** Memory that belongs to no process: only a control group counts it. */
const unwatchedMemory = ['memfd_create', 'shmget', 'msgget'];

const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 };
const SOCK_DGRAM = 2;
const TIOCSTI = '0x5412';
const TIOCLINUX = '0x541C';

/** The kernel reads 32 bits of the request and the filter sees 64, so the upper half must not count. */
const requestIs = (request: string): string => `(request & 0xFFFFFFFF) == ${request}`;

/**
 * What a jail's sockets can reach. sandbox: what lives in the jail. device: the same, but no socket that has a name, for a
 * jail that shows folders of the device shows the sockets in them, and behind a socket sits a service that trusts whoever
 * reaches it (docker.sock). device-network: beside that the list of network interfaces.
 */
export type Reach = 'sandbox' | 'device' | 'device-network';

const inet = `family != ${AF.INET} && family != ${AF.INET6}`;

const socketRules: Record<Reach, readonly string[]> = {
	sandbox: [`socket(family) { family != ${AF.UNIX} && ${inet} }`, `socketpair(family) { family != ${AF.UNIX} }`],
	// A datagram socket of a pair can still be pointed at a name.
	device: [
		`socket(family) { ${inet} }`,
		`socketpair(family, type) { family != ${AF.UNIX} || (type & 0xF) == ${SOCK_DGRAM} }`,
	],
	'device-network': [
		`socket(family, type, protocol) { ${inet} && (family != ${AF.NETLINK} || protocol != 0) }`,
		`socketpair(family, type) { family != ${AF.UNIX} || (type & 0xF) == ${SOCK_DGRAM} }`,
	],
};

/**
 * A deny-list, because a too narrow allow-list breaks ordinary programs at random. What it closes beyond the namespaces:
 * nested namespaces, io_uring, keyrings, other processes' memory, and every socket family that is not needed
 * (VSOCK reaches the hypervisor whatever the network namespace is). The first process closes two things more for the program,
 * but not for itself (init/init.c, narrow_filter).
 * @param hasCgroup whether the kernel counts the memory of the job
 */
export function seccompPolicy(architecture: string, hasCgroup: boolean, reach: Reach = 'sandbox'): string {
	const refused = [...everywhere, ...(byArchitecture[architecture] ?? [])].join(', ');
	const young = Object.values(youngCalls).map((number) => `SYSCALL[${number}]`);
	const absent = [...young, ...(hasCgroup ? [] : unwatchedMemory)].join(', ');
	const rules = [
		`ERRNO(${EPERM}) { ${refused} }`,
		`ERRNO(${EPERM}) { clone(flags) { (flags & ${newNamespaces}) != 0 } }`,
		...socketRules[reach].map((rule) => `ERRNO(${EPERM}) { ${rule} }`),
		`ERRNO(${EPERM}) { ioctl(fd, request) { ${requestIs(TIOCSTI)} || ${requestIs(TIOCLINUX)} } }`,
		`ERRNO(${ENOSYS}) { ${absent} }`,
	];
	return `POLICY jail { ${rules.join(', ')} } USE jail DEFAULT ALLOW`;
}

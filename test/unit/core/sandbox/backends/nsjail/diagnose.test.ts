import { describe, expect, it } from 'vitest';
import { diagnose, type KernelFacts } from '../../../../../../src/core/sandbox/backends/nsjail/diagnose.ts';

const ordinary: KernelFacts = {
	isRoot: false,
	isChroot: false,
	isContainer: false,
	maxUserNamespaces: '15000\n',
	unprivilegedUserNamespaces: undefined,
	apparmorRestrictsUserNamespaces: undefined,
};

const containerFix =
	'Start the container with "--security-opt seccomp=unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN", or run n8n outside a container.';

const cloneFailed = '[E] clone(flags=CLONE_NEWUSER|CLONE_NEWNS) failed: Operation not permitted';

describe('a jail that got no namespaces', () => {
	it.each<[string, Partial<KernelFacts>, string, string]>([
		[
			'the kernel has none to give',
			{ maxUserNamespaces: '0\n' },
			'the kernel allows no user namespaces',
			'sudo sysctl -w user.max_user_namespaces=15000',
		],
		[
			'Debian keeps them from ordinary users',
			{ unprivilegedUserNamespaces: '0\n' },
			'ordinary users may not make user namespaces',
			'sudo sysctl -w kernel.unprivileged_userns_clone=1',
		],
		[
			'Ubuntu restricts them by AppArmor',
			{ apparmorRestrictsUserNamespaces: '1\n' },
			"Ubuntu's AppArmor restriction keeps programs without a profile from using user namespaces",
			'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
		],
		[
			'it would stand in a chroot',
			{ isRoot: true, isChroot: true },
			'the kernel allows no user namespaces inside a chroot',
			'Run n8n outside the chroot, or enter the folder with pivot_root (systemd-nspawn, a container) instead.',
		],
		[
			'a container forbids them',
			{ isContainer: true },
			'the container this runs in forbids new namespaces',
			containerFix,
		],
		[
			'a container forbids them to root, whom the switches of the kernel do not concern',
			{ isRoot: true, isContainer: true, unprivilegedUserNamespaces: '0', apparmorRestrictsUserNamespaces: '1' },
			'the container this runs in forbids new namespaces',
			containerFix,
		],
		[
			'something else forbids them',
			{},
			'the kernel refused to make the namespaces of a jail',
			'Check the seccomp and AppArmor or SELinux profile of the process that runs n8n.',
		],
	])('because %s', (_why, facts, detail, fix) => {
		expect(diagnose(cloneFailed, { ...ordinary, ...facts })).toEqual({ step: 'user namespaces', detail, fix });
	});

	it.each([
		'unshare(CLONE_NEWCGROUP) failed',
		"couldn't write /proc/1/uid_map",
		'newuidmap failed',
		'setgroups: denied',
	])('is recognised by %j', (log) => {
		expect(diagnose(log, ordinary).step).toBe('user namespaces');
	});
});

describe('a jail that failed later', () => {
	const inContainer = { ...ordinary, isContainer: true };

	it.each<[string, string, KernelFacts, string, string]>([
		[
			'fresh /proc',
			"[W] mount('src:'' dst:'/proc' type:'proc') failed: Operation not permitted",
			inContainer,
			'the container masks its /proc, so a jail cannot have a fresh one',
			'Start the container with "--security-opt systempaths=unconfined".',
		],
		[
			'seccomp',
			'[E] Could not load the seccomp policy',
			ordinary,
			'the kernel did not take the system call filter',
			'Use a kernel with CONFIG_SECCOMP_FILTER, and do not nest it in a sandbox that forbids filters.',
		],
		[
			'mounts',
			"[E] pivot_root('/run/nsjail') failed",
			inContainer,
			'the container this runs in forbids mounts',
			containerFix,
		],
		[
			'nsjail binary',
			'nsjail: error while loading shared libraries: libstdc++.so.6: cannot open shared object file',
			ordinary,
			'nsjail itself cannot be started, because a library is missing',
			'Install libstdc++6 (Debian, Ubuntu: sudo apt-get install libstdc++6), or run "secure-code setup" again.',
		],
		[
			'trial run',
			'something new\nsecond line',
			ordinary,
			'something new',
			'Run "secure-code doctor --json" and report what the trial run says.',
		],
		[
			'trial run',
			'',
			ordinary,
			'the jail ended without a word',
			'Run "secure-code doctor --json" and report what the trial run says.',
		],
	])('at the step "%s"', (step, log, facts, detail, fix) => {
		expect(diagnose(log, facts)).toEqual({ step, detail, fix });
	});

	it('shows at most 300 characters of what nsjail said', () => {
		expect(diagnose('x'.repeat(1_000), ordinary).detail).toBe('x'.repeat(300));
	});
});

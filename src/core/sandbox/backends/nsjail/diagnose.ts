/** Turns what nsjail said about its failure, and what the kernel allows, into the one fix. Pure. */

export interface KernelFacts {
	readonly isRoot: boolean;
	readonly isContainer: boolean;
	readonly isChroot: boolean;
	/** Contents of /proc/sys files, undefined where the kernel has no such switch. */
	readonly maxUserNamespaces: string | undefined;
	readonly unprivilegedUserNamespaces: string | undefined;
	readonly apparmorRestrictsUserNamespaces: string | undefined;
}

export interface Diagnosis {
	readonly step: string;
	readonly detail: string;
	readonly fix: string;
}

const containerFix =
	'Start the container with "--security-opt seccomp=unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN", or run n8n outside a container.';

function userNamespaces(facts: KernelFacts): Diagnosis {
	const step = 'user namespaces';
	if (facts.maxUserNamespaces?.trim() === '0')
		return {
			step,
			detail: 'the kernel allows no user namespaces',
			fix: 'sudo sysctl -w user.max_user_namespaces=15000',
		};
	if (facts.unprivilegedUserNamespaces?.trim() === '0' && !facts.isRoot)
		return {
			step,
			detail: 'ordinary users may not make user namespaces',
			fix: 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
		};
	if (facts.apparmorRestrictsUserNamespaces?.trim() === '1' && !facts.isRoot)
		return {
			step,
			detail: "Ubuntu's AppArmor restriction keeps programs without a profile from using user namespaces",
			fix: 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
		};
	if (facts.isChroot)
		return {
			step,
			detail: 'the kernel allows no user namespaces inside a chroot',
			fix: 'Run n8n outside the chroot, or enter the folder with pivot_root (systemd-nspawn, a container) instead.',
		};
	if (facts.isContainer)
		return { step, detail: 'the container this runs in forbids new namespaces', fix: containerFix };
	return {
		step,
		detail: 'the kernel refused to make the namespaces of a jail',
		fix: 'Check the seccomp and AppArmor or SELinux profile of the process that runs n8n.',
	};
}

/** @param log what nsjail wrote, warnings and worse */
export function diagnose(log: string, facts: KernelFacts): Diagnosis {
	if (/clone|unshare|CLONE_NEW|newuidmap|uid_map|gid_map|setgroups/i.test(log)) return userNamespaces(facts);
	if (/['"/]proc\b|type:'proc'/.test(log))
		return {
			step: 'fresh /proc',
			detail: 'the container masks its /proc, so a jail cannot have a fresh one',
			fix: 'Start the container with "--security-opt systempaths=unconfined".',
		};
	if (/seccomp|policy/i.test(log))
		return {
			step: 'seccomp',
			detail: 'the kernel did not take the system call filter',
			fix: 'Use a kernel with CONFIG_SECCOMP_FILTER, and do not nest it in a sandbox that forbids filters.',
		};
	if (/mount|pivot_root/i.test(log) && facts.isContainer)
		return { step: 'mounts', detail: 'the container this runs in forbids mounts', fix: containerFix };
	if (/cannot open shared object|libstdc\+\+|not found/i.test(log))
		return {
			step: 'nsjail binary',
			detail: 'nsjail itself cannot be started, because a library is missing',
			fix: 'Install libstdc++6 (Debian, Ubuntu: sudo apt-get install libstdc++6), or run "secure-code setup" again.',
		};
	return {
		step: 'trial run',
		detail: log.split('\n')[0]?.slice(0, 300) || 'the jail ended without a word',
		fix: 'Run "secure-code doctor --json" and report what the trial run says.',
	};
}

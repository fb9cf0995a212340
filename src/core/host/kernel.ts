/** What the kernel says about itself and about the place this process lives in. */
import { existsSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { isRoot } from './folders.ts';
import { readOptional } from './read.ts';

/** Whether our / is another than that of the first process; only root may look. */
function isChroot(): boolean {
	const [own, first] = ['/', '/proc/1/root/'].map((path) => statSync(path, { throwIfNoEntry: false }));
	return own !== undefined && first !== undefined && (own.ino !== first.ino || own.dev !== first.dev);
}

function attempt<T>(look: () => T, otherwise: T): T {
	try {
		return look();
	} catch {
		return otherwise;
	}
}

export const readUidMap = (): string => readOptional('/proc/self/uid_map') ?? '';

export function kernelFacts() {
	return {
		isRoot: isRoot(),
		isChroot: attempt(isChroot, false),
		isContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
		maxUserNamespaces: readOptional('/proc/sys/user/max_user_namespaces'),
		unprivilegedUserNamespaces: readOptional('/proc/sys/kernel/unprivileged_userns_clone'),
		apparmorRestrictsUserNamespaces: readOptional('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
	};
}

export function isKernelAtLeast(major: number, minor: number): boolean {
	const [ownMajor = 0, ownMinor = 0] = release().split('.').map(Number);
	return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

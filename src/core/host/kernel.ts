/** What the kernel says about itself and about the place this process lives in. */
import { existsSync, readFileSync } from 'node:fs';
import { isRoot } from './folders.ts';

function readOptional(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
}

export const readUidMap = (): string => readOptional('/proc/self/uid_map') ?? '';

export function kernelFacts() {
	return {
		isRoot: isRoot(),
		isContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
		maxUserNamespaces: readOptional('/proc/sys/user/max_user_namespaces'),
		unprivilegedUserNamespaces: readOptional('/proc/sys/kernel/unprivileged_userns_clone'),
		apparmorRestrictsUserNamespaces: readOptional('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
	};
}

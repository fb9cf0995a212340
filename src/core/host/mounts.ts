/** What is mounted where on this host, and under which other paths the same file can be reached. */
import { join, relative } from 'node:path';
import { readOptional } from './read.ts';

export interface HostMount {
	/** Where it lies. */
	readonly point: string;
	/** Device number, and the path on that device that became the top of the mount: equal ones show the same files. */
	readonly device: string;
	readonly root: string;
	readonly type: string;
}

/** Blanks and backslashes are written as octal numbers. */
const withoutEscapes = (text: string): string =>
	text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Fields of proc_pid_mountinfo(5): the type stands behind a lone dash. */
function parseMount(line: string): HostMount | undefined {
	const [before, after] = line.split(' - ');
	const [, , device, root, point] = before?.split(' ') ?? [];
	const type = after?.split(' ')[0];
	if (!device || !root || !point || !type) return undefined;
	return { point: withoutEscapes(point), device, root: withoutEscapes(root), type };
}

/** @param text of /proc/self/mountinfo; a later line lies over an earlier one with the same point */
export function parseMounts(text: string): HostMount[] {
	const byPoint = new Map<string, HostMount>();
	for (const line of text.split('\n')) {
		const mount = parseMount(line);
		if (!mount) continue;
		byPoint.delete(mount.point);
		byPoint.set(mount.point, mount);
	}
	return [...byPoint.values()];
}

export const isBelow = (path: string, folder: string): boolean =>
	folder === '/' ? path !== '/' : path.startsWith(`${folder}/`);

export const isAtOrBelow = (path: string, folder: string): boolean => path === folder || isBelow(path, folder);

/** The mounts inside a folder; a bind of the folder brings them along, each with its own rights. */
export const mountsBelow = (mounts: readonly HostMount[], folder: string): HostMount[] =>
	mounts.filter(({ point }) => isBelow(point, folder)).sort((a, b) => a.point.length - b.point.length);

/** The mount that shows a path. */
function mountOf(mounts: readonly HostMount[], path: string): HostMount | undefined {
	const covering = mounts.filter(({ point }) => isAtOrBelow(path, point));
	return covering.sort((a, b) => b.point.length - a.point.length)[0];
}

/** All paths of the host that lead to the same file or folder, because something was mounted a second time. */
export function pathsOf(mounts: readonly HostMount[], path: string): string[] {
	const own = mountOf(mounts, path);
	if (!own) return [path];
	const onDevice = join(own.root, relative(own.point, path));
	const same = mounts.filter(({ device, root }) => device === own.device && isAtOrBelow(onDevice, root));
	return [...new Set([path, ...same.map(({ point, root }) => join(point, relative(root, onDevice)))])];
}

export const readMounts = (): HostMount[] => parseMounts(readOptional('/proc/self/mountinfo') ?? '');

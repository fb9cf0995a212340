/** A device that stands in for this machine: a tree of files in memory, and what is mounted on it. */
import { posix } from 'node:path';
import { type HostMount, parseMounts } from '../../src/core/host/mounts.ts';
import type { Device, PathKind } from '../../src/core/runner/look.ts';

export interface StandIn {
	/** Links by path. A folder is whatever has something below it; everything else that is named is a file. */
	readonly links?: Readonly<Record<string, string>>;
	readonly files?: readonly string[];
	/** Sockets, devices and pipes. */
	readonly others?: readonly string[];
	/** "point type", each on a device of its own, beside the root. */
	readonly mounts?: readonly string[];
	/** Paths of which only their owner can read anything. */
	readonly closed?: readonly string[];
}

const mountLines = (mounts: readonly string[]): string =>
	['/ ext4', ...mounts]
		.map((line, n) => `${n} 1 8:${n} / ${line.split(' ')[0]} rw - ${line.split(' ')[1]} x rw`)
		.join('\n');

export function standInDevice({ links = {}, files = [], others = [], mounts = [], closed = [] }: StandIn): Device {
	const hostMounts: HostMount[] = parseMounts(mountLines(mounts));
	const named = [...Object.keys(links), ...files, ...others, ...hostMounts.map(({ point }) => `${point}/.`)];
	const isFolder = (path: string) => path === '/' || named.some((one) => one.startsWith(`${path}/`));
	const kindOf = (path: string): PathKind | undefined => {
		if (path in links) return 'link';
		if (others.includes(path)) return 'other';
		if (isFolder(path)) return 'folder';
		return files.includes(path) ? 'file' : undefined;
	};
	const realpath = (path: string, depth = 0): string | undefined => {
		if (depth > 20) return undefined;
		const parent = path === '/' ? '/' : realpath(posix.dirname(path), depth + 1);
		if (parent === undefined) return undefined;
		const here = path === '/' ? '/' : posix.join(parent, posix.basename(path));
		const target = links[here];
		if (target !== undefined) return realpath(posix.resolve(posix.dirname(here), target), depth + 1);
		return kindOf(here) === undefined ? undefined : here;
	};
	return {
		mounts: hostMounts,
		realpath: (path) => realpath(path),
		kindOf,
		linkTarget: (path) => links[path],
		entries: (folder) =>
			[
				...new Set(
					named
						.filter((one) => one.startsWith(`${folder}/`))
						.map((one) => one.slice(folder.length + 1).split('/')[0] ?? ''),
				),
			].sort(),
		canReach: (path) => !closed.some((one) => path === one || path.startsWith(`${one}/`)),
		isExecutable: (path) => !path.endsWith('.txt'),
	};
}

/** Where control groups could be made, read from /proc/self/cgroup and /proc/self/mountinfo. Pure. */
import { join, relative } from 'node:path';

/** The last one is only needed by jobs whose processors are limited. */
export const controllersV1 = ['memory', 'pids', 'cpuacct', 'cpu'] as const;
export type ControllerV1 = (typeof controllersV1)[number];

export interface CgroupCandidates {
	/** Version 2 folders to try, the process's own group first. Empty when the needed controllers are not on version 2. */
	readonly v2: readonly string[];
	readonly v1: Readonly<Record<ControllerV1, readonly string[]>>;
}

interface CgroupMount {
	readonly type: string;
	/** The group that the mount shows as its top. */
	readonly root: string;
	readonly point: string;
	readonly options: readonly string[];
}

/** Fields of proc_pid_mountinfo(5): the type and the super options stand behind a lone dash. */
function parseMount(line: string): CgroupMount | undefined {
	const [before, after] = line.split(' - ');
	const fields = before?.split(' ') ?? [];
	const [type, , options] = after?.split(' ') ?? [];
	if (!type?.startsWith('cgroup') || !fields[3] || !fields[4]) return undefined;
	return { type, root: fields[3], point: fields[4], options: options?.split(',') ?? [] };
}

/** Lines of cgroups(7): hierarchy-id:controllers:path; version 2 has id 0 and no controllers. */
function ownPath(membership: string, controller: ControllerV1 | ''): string | undefined {
	for (const line of membership.split('\n')) {
		const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
		if (names?.split(',').includes(controller)) return path;
	}
	return undefined;
}

/** The process's own folder below the mount, then the mount itself (in a container the path may be the host's). */
function foldersOf(mount: CgroupMount | undefined, path: string | undefined): string[] {
	if (!mount || path === undefined) return [];
	const below = relative(mount.root, path);
	const own = below.startsWith('..') ? mount.point : join(mount.point, below);
	return [...new Set([own, mount.point])];
}

/**
 * @param membership text of /proc/self/cgroup
 * @param mountinfo text of /proc/self/mountinfo
 * @param controllersOf reads cgroup.controllers of a version 2 folder ("memory pids …")
 */
export function cgroupCandidates(
	membership: string,
	mountinfo: string,
	controllersOf: (folder: string) => string,
): CgroupCandidates {
	const mounts = mountinfo
		.split('\n')
		.map(parseMount)
		.filter((mount) => mount !== undefined);
	const unified = mounts.find((mount) => mount.type === 'cgroup2');
	const v2 = foldersOf(unified, ownPath(membership, '')).filter((folder) => {
		const controllers = controllersOf(folder).trim().split(/\s+/);
		return controllers.includes('memory') && controllers.includes('pids');
	});
	const legacy = (controller: ControllerV1) =>
		foldersOf(
			mounts.find((mount) => mount.type === 'cgroup' && mount.options.includes(controller)),
			ownPath(membership, controller),
		);
	return { v2, v1: { memory: legacy('memory'), pids: legacy('pids'), cpuacct: legacy('cpuacct'), cpu: legacy('cpu') } };
}

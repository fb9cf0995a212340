/** Whether this process could soon be short of memory: looks at the machine, and at the control groups that we are in. */
import { freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { type CgroupCandidates, cgroupCandidates } from './cgroup-plan.ts';
import { readOptional } from './read.ts';

const MiB = 1024 * 1024;

/** What must stay free, beside a share of the whole machine, or of what we may use of it. */
const leastFreeBytes = 192 * MiB;
const freeShare = 0.05;

/** The machine, or a control group with a limit. */
export interface MemoryRoom {
	readonly wholeBytes: number;
	/** With what the kernel can drop at once. */
	readonly freeBytes: number;
}

/** The texts of a control group in which its memory is described. */
export interface GroupTexts {
	readonly limit: string | undefined;
	readonly used: string | undefined;
	readonly stat: string | undefined;
}

/** Undefined for a group without a limit. Files that nobody has read for a while count as used there, and can be dropped. */
export function roomOfGroup({ limit, used, stat }: GroupTexts): MemoryRoom | undefined {
	const wholeBytes = Number(limit);
	if (limit === undefined || used === undefined || !Number.isFinite(wholeBytes)) return undefined;
	const [, droppable] =
		/^total_inactive_file (\d+)/m.exec(stat ?? '') ?? /^inactive_file (\d+)/m.exec(stat ?? '') ?? [];
	return { wholeBytes, freeBytes: wholeBytes - Number(used) + Number(droppable ?? 0) };
}

/** A group whose limit is above the machine's memory has none. */
export function isShort(machine: MemoryRoom, groups: readonly MemoryRoom[]): boolean {
	const rooms = [machine, ...groups.filter(({ wholeBytes }) => wholeBytes < machine.wholeBytes)];
	const wholeBytes = Math.min(...rooms.map((room) => room.wholeBytes));
	const freeBytes = Math.min(...rooms.map((room) => room.freeBytes));
	return freeBytes < Math.max(leastFreeBytes, wholeBytes * freeShare);
}

/** A group and all groups around it that are shown here: each can have a limit. */
export function groupFolders([own, top]: readonly string[]): string[] {
	if (own === undefined) return [];
	return top === undefined || own === top ? [own] : [own, ...groupFolders([dirname(own), top])];
}

const textsIn = (folder: string, names: Record<keyof GroupTexts, string>): GroupTexts => ({
	limit: readOptional(join(folder, names.limit)),
	used: readOptional(join(folder, names.used)),
	stat: readOptional(join(folder, names.stat)),
});

const namesV2 = { limit: 'memory.max', used: 'memory.current', stat: 'memory.stat' };
const namesV1 = { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', stat: 'memory.stat' };

let candidates: CgroupCandidates | undefined;

/** Found once: we stand in our group before anything is asked. */
function ownGroups(): CgroupCandidates {
	const read = (name: string) => readOptional(`/proc/self/${name}`) ?? '';
	candidates ??= cgroupCandidates(read('cgroup'), read('mountinfo'), () => 'memory pids');
	return candidates;
}

export function isShortOfMemory(): boolean {
	const { v2, v1 } = ownGroups();
	const texts = [
		...groupFolders(v2).map((folder) => textsIn(folder, namesV2)),
		...groupFolders(v1.memory).map((folder) => textsIn(folder, namesV1)),
	];
	const groups = texts.map(roomOfGroup).filter((room) => room !== undefined);
	return isShort({ wholeBytes: totalmem(), freeBytes: freemem() }, groups);
}

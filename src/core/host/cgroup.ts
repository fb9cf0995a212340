/** Control groups of one run, on version 1, version 2 and hybrid hosts: create, limit, fill, read, remove. */
import { accessSync, closeSync, constants, mkdirSync, openSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CgroupCandidates, type ControllerV1, cgroupCandidates, controllersV1 } from './cgroup-plan.ts';
import { readOptional } from './read.ts';

export interface CgroupLimits {
	readonly memoryBytes: number;
	readonly processes: number;
	/** Processors that the group may keep busy; absent: all. Left out where no group can limit them. */
	readonly cpus?: number | undefined;
}

export interface CgroupUsage {
	readonly oomKills: number;
	readonly processLimitHits: number;
	readonly peakMemoryBytes: number;
	readonly cpuMs: number;
}

export interface Cgroup {
	/** Open task lists; a process that writes "0" into them joins the group without waiting. Version 1 only. */
	readonly taskLists: readonly number[];
	/** Whoever is the first to call it closes them. */
	closeTaskLists(): void;
	/** Gives the group other limits of memory and processes. Throws where the kernel refuses: the group may hold more already. */
	limit(limits: Pick<CgroupLimits, 'memoryBytes' | 'processes'>): void;
	/** Memory that would be free without the group: without what the kernel keeps of files, which it can drop. */
	memoryBytes(): number;
	/** Moves a process, and so everything it starts from then on, into the group. */
	add(pid: number): Promise<void>;
	usage(): CgroupUsage;
	/** The processes in the group; none where the kernel no longer knows the group. */
	members(): number[];
	/** The group must be empty. */
	remove(): void;
}

export interface CgroupHost {
	readonly version: 'v1' | 'v2';
	/** Whether groups can limit processors. */
	readonly hasCpus: boolean;
	/**
	 * The first move of a process after a pause waits for a grace period of the kernel, about 10 ms; moves that follow
	 * at once do not. Moving ourselves to where we are, while a jail is starting, makes the jail's own move free.
	 * Nothing to do on version 1, where a jail joins by itself.
	 */
	prepareToAdd(): void;
	create(name: string, limits: CgroupLimits): Cgroup;
}

function writeOptional(path: string, value: string | number): void {
	try {
		writeFileSync(path, String(value));
	} catch {
		// The kernel was built without this knob (swap accounting, for example).
	}
}

/** Reads one number of a flat-keyed file such as memory.events. */
const keyed = (text: string | undefined, key: string): number =>
	Number(text?.match(new RegExp(`^${key} (\\d+)`, 'm'))?.[1] ?? 0);

const number = (text: string | undefined): number => Number(text?.trim() || 0);

type Limit = Cgroup['limit'];

/** A limit that is there already is not written again. */
function whenChanged(write: Limit): Limit {
	let last = '';
	return ({ memoryBytes, processes }) => {
		const wanted = `${memoryBytes} ${processes}`;
		if (wanted === last) return;
		last = '';
		write({ memoryBytes, processes });
		last = wanted;
	};
}

/** Memory of processes, and of folders in memory. */
const ownBytes = (stat: string | undefined, anonymous: 'rss' | 'anon'): number =>
	keyed(stat, anonymous) + keyed(stat, 'shmem');

const isWritable = (path: string): boolean => {
	try {
		accessSync(path, constants.W_OK);
		return true;
	} catch {
		return false;
	}
};

const rmdir = (path: string): void => {
	try {
		rmdirSync(path);
	} catch {
		// Already gone, or a last process is still being reaped; the parent is removed with the process.
	}
};

const membersOf = (dir: string): number[] =>
	(readOptional(join(dir, 'cgroup.procs')) ?? '').split('\n').filter(Boolean).map(Number);

/** Microseconds of one round in which the processor time of a group is counted. */
const cpuPeriod = 100_000;

/** Processor time in each round; the kernel takes no less than a millisecond. */
const cpuQuota = (cpus: number): number => Math.max(1_000, Math.round(cpus * cpuPeriod));

type ParentsV1 = Record<Exclude<ControllerV1, 'cpu'>, string> & { readonly cpu: string | undefined };

function limitCpus(dir: string, cpus: number): void {
	writeOptional(join(dir, 'cpu.cfs_period_us'), cpuPeriod);
	writeOptional(join(dir, 'cpu.cfs_quota_us'), cpuQuota(cpus));
}

function groupV1(parents: ParentsV1, name: string, limits: CgroupLimits): Cgroup {
	const at = {
		memory: join(parents.memory, name),
		pids: join(parents.pids, name),
		cpuacct: join(parents.cpuacct, name),
	};
	const cpu = limits.cpus !== undefined && parents.cpu !== undefined ? join(parents.cpu, name) : undefined;
	const all = [...new Set([...Object.values(at), ...(cpu === undefined ? [] : [cpu])])];
	for (const dir of all) mkdirSync(dir);
	if (cpu !== undefined && limits.cpus !== undefined) limitCpus(cpu, limits.cpus);
	const limit = whenChanged(({ memoryBytes, processes }) => {
		// Memory may never be above memory and swap together: to lower both the first comes first, to raise them the second.
		writeOptional(join(at.memory, 'memory.limit_in_bytes'), memoryBytes);
		writeOptional(join(at.memory, 'memory.memsw.limit_in_bytes'), memoryBytes);
		writeFileSync(join(at.memory, 'memory.limit_in_bytes'), String(memoryBytes));
		writeFileSync(join(at.pids, 'pids.max'), String(processes));
	});
	limit(limits);
	const taskLists = all.map((dir) => openSync(join(dir, 'tasks'), 'w'));
	const open = [...taskLists];
	return {
		taskLists,
		closeTaskLists: () => open.splice(0).forEach(closeSync),
		limit,
		memoryBytes: () => ownBytes(readOptional(join(at.memory, 'memory.stat')), 'rss'),
		add: async (pid) => {
			for (const dir of all) await writeFile(join(dir, 'cgroup.procs'), String(pid));
		},
		usage: () => ({
			oomKills: keyed(readOptional(join(at.memory, 'memory.oom_control')), 'oom_kill'),
			processLimitHits: keyed(readOptional(join(at.pids, 'pids.events')), 'max'),
			peakMemoryBytes: number(readOptional(join(at.memory, 'memory.max_usage_in_bytes'))),
			cpuMs: number(readOptional(join(at.cpuacct, 'cpuacct.usage'))) / 1e6,
		}),
		members: () => [...new Set(all.flatMap(membersOf))],
		remove: () => {
			for (const dir of all) rmdir(dir);
		},
	};
}

function groupV2(parent: string, name: string, limits: CgroupLimits): Cgroup {
	const at = join(parent, name);
	mkdirSync(at);
	const held = () => ownBytes(readOptional(join(at, 'memory.stat')), 'anon');
	const limit = whenChanged(({ memoryBytes, processes }) => {
		// Version 1 refuses that; version 2 would end a process.
		if (held() > memoryBytes) throw new Error('the group holds more already');
		writeFileSync(join(at, 'memory.max'), String(memoryBytes));
		writeFileSync(join(at, 'pids.max'), String(processes));
	});
	limit(limits);
	writeOptional(join(at, 'memory.swap.max'), 0);
	writeOptional(join(at, 'memory.oom.group'), 1);
	if (limits.cpus !== undefined) writeOptional(join(at, 'cpu.max'), `${cpuQuota(limits.cpus)} ${cpuPeriod}`);
	return {
		taskLists: [],
		closeTaskLists: () => {},
		limit,
		memoryBytes: held,
		add: (pid) => writeFile(join(at, 'cgroup.procs'), String(pid)),
		usage: () => ({
			oomKills: keyed(readOptional(join(at, 'memory.events')), 'oom_kill'),
			processLimitHits: keyed(readOptional(join(at, 'pids.events')), 'max'),
			peakMemoryBytes: number(readOptional(join(at, 'memory.peak'))),
			cpuMs: keyed(readOptional(join(at, 'cpu.stat')), 'usage_usec') / 1e3,
		}),
		members: () => membersOf(at),
		remove: () => rmdir(at),
	};
}

/**
 * Hands the controllers down to the children of `dir`; true when memory and pids are there. Processor time comes last: it
 * may be handed down by a group that still holds processes, which turns that group into one where memory never can be.
 */
function delegate(dir: string): boolean {
	writeOptional(join(dir, 'cgroup.subtree_control'), '+memory +pids');
	const handed = readOptional(join(dir, 'cgroup.subtree_control')) ?? '';
	if (!/\bmemory\b/.test(handed) || !/\bpids\b/.test(handed)) return false;
	writeOptional(join(dir, 'cgroup.subtree_control'), '+cpu');
	return true;
}

/** A group that holds processes cannot have children with controllers, so its processes move into a leaf first. */
function emptyInto(dir: string, leaf: string): void {
	mkdirSync(join(dir, leaf), { recursive: true });
	for (const pid of (readOptional(join(dir, 'cgroup.procs')) ?? '').split('\n').filter(Boolean))
		writeOptional(join(dir, leaf, 'cgroup.procs'), pid);
}

function prepareV2(dir: string, own: string, mayMove: boolean): string | undefined {
	if (!isWritable(join(dir, 'cgroup.procs'))) return undefined;
	if (mayMove) emptyInto(dir, 'secure-code-host');
	if (!delegate(dir)) return undefined;
	const parent = join(dir, own);
	mkdirSync(parent, { recursive: true });
	return delegate(parent) ? parent : undefined;
}

interface Found {
	readonly version: CgroupHost['version'];
	readonly hasCpus: boolean;
	readonly parents: readonly string[];
	readonly create: CgroupHost['create'];
}

function tryV2(candidates: readonly string[], own: string): Found | undefined {
	const prepared = (mayMove: boolean) => candidates.map((dir) => attempt(() => prepareV2(dir, own, mayMove)));
	const parent = prepared(false).find(Boolean) ?? prepared(true).find(Boolean);
	if (!parent) return undefined;
	const hasCpus = /\bcpu\b/.test(readOptional(join(parent, 'cgroup.subtree_control')) ?? '');
	return { version: 'v2', hasCpus, parents: [parent], create: (name, limits) => groupV2(parent, name, limits) };
}

function prepareV1(candidates: readonly string[], own: string): string | undefined {
	const usable = (parent: string): boolean => {
		mkdirSync(parent, { recursive: true });
		return isWritable(join(parent, 'cgroup.procs'));
	};
	return candidates.map((dir) => join(dir, own)).find((parent) => attempt(() => usable(parent)));
}

function tryV1(candidates: CgroupCandidates['v1'], own: string): Found | undefined {
	const [memory, pids, cpuacct, cpu] = controllersV1.map((controller) => prepareV1(candidates[controller], own));
	if (!memory || !pids || !cpuacct) return undefined;
	const create: CgroupHost['create'] = (name, limits) => groupV1({ memory, pids, cpuacct, cpu }, name, limits);
	const parents = [memory, pids, cpuacct, ...(cpu === undefined ? [] : [cpu])];
	return { version: 'v1', hasCpus: cpu !== undefined, parents, create };
}

function attempt<T>(action: () => T): T | undefined {
	try {
		return action();
	} catch {
		return undefined;
	}
}

const prefix = 'secure-code-';

const isAlive = (pid: number): boolean => readOptional(`/proc/${pid}/stat`) !== undefined;

/** Groups of processes that were killed before they could clean up. */
function removeLeftovers(parent: string): void {
	for (const name of attempt(() => readdirSync(dirname(parent))) ?? []) {
		const pid = Number(name.slice(prefix.length));
		if (!name.startsWith(prefix) || !Number.isInteger(pid) || isAlive(pid)) continue;
		const leftover = join(dirname(parent), name);
		for (const child of attempt(() => readdirSync(leftover)) ?? []) rmdir(join(leftover, child));
		rmdir(leftover);
	}
}

const readCandidates = (self: string): CgroupCandidates =>
	cgroupCandidates(
		readOptional(join(self, 'cgroup')) ?? '',
		readOptional(join(self, 'mountinfo')) ?? '',
		(folder) => readOptional(join(folder, 'cgroup.controllers')) ?? '',
	);

/** The list of processes that this process stands in itself; moving there what is there already changes nothing. */
function ownProcesses(candidates: CgroupCandidates): string | undefined {
	const lists = candidates.v2.map((folder) => join(folder, 'cgroup.procs'));
	return lists.find((list) => isWritable(list) && readOptional(list)?.split('\n').includes(String(process.pid)));
}

/**
 * The place where this process can make control groups; undefined when it may not.
 * @param self the folder in which the kernel describes this process
 */
export function findCgroups(self = '/proc/self'): CgroupHost | undefined {
	const candidates = readCandidates(self);
	const own = `${prefix}${process.pid}`;
	const found = tryV2(candidates.v2, own) ?? tryV1(candidates.v1, own);
	if (!found) return undefined;
	for (const parent of found.parents) removeLeftovers(parent);
	process.once('exit', () => found.parents.forEach(rmdir));
	const here = ownProcesses(readCandidates(self));
	const prepareToAdd = () => {
		if (here) writeFile(here, String(process.pid)).catch(() => {});
	};
	return { version: found.version, hasCpus: found.hasCpus, create: found.create, prepareToAdd };
}

/** Looks at running processes through /proc: who started whom, how much memory they hold, whether they are gone. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { readOptional } from './read.ts';

/** Fields of proc_pid_stat(5) from the third on; the name before them may hold spaces and brackets. */
function statOf(pid: number): string[] {
	const stat = readOptional(`/proc/${pid}/stat`) ?? '';
	return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

const parentOf = (pid: number): number => Number(statOf(pid)[1] ?? 0);

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessId {
	readonly pid: number;
	/** Clock ticks between the start of the machine and that of the process. */
	readonly startedAt: string;
}

/** Undefined when there is no such process. */
export function processId(pid: number): ProcessId | undefined {
	const startedAt = statOf(pid)[19];
	return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Whether it is still there, be it as a zombie. */
export const isThere = ({ pid, startedAt }: ProcessId): boolean => processId(pid)?.startedAt === startedAt;

/** None where they cannot be listed, as when this process can open no more files. */
function allProcesses(): number[] {
	try {
		return readdirSync('/proc').map(Number).filter(Number.isInteger);
	} catch {
		return [];
	}
}

/** The processes that `pid` started itself; without the kernel's own list every process is asked for its parent. */
export function childrenOf(pid: number): number[] {
	try {
		const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
		return list === '' ? [] : list.split(' ').map(Number);
	} catch {
		return allProcesses().filter((candidate) => parentOf(candidate) === pid);
	}
}

/** Processes and threads of a user, which is what RLIMIT_NPROC counts. */
export function tasksOf(uid: number): number {
	const texts = allProcesses().map((pid) => readOptional(`/proc/${pid}/status`) ?? '');
	const own = texts.filter((text) => /^Uid:\s+(\d+)/m.exec(text)?.[1] === String(uid));
	return sum(own.map((text) => Number(/^Threads:\s+(\d+)/m.exec(text)?.[1] ?? 1)));
}

function descendantsOf(pid: number): number[] {
	return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** One number of a file such as /proc/PID/status, which counts in kB. */
const sizeIn = (text: string, name: string): number =>
	1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Bytes in the folders of a jail that are memory, as its first process sees them. */
function folderBytes(init: number, folders: readonly string[]): number {
	const used = (folder: string): number => {
		try {
			const { bsize, blocks, bfree } = statfsSync(`/proc/${init}/root${folder}`);
			return (blocks - bfree) * bsize;
		} catch {
			return 0;
		}
	};
	return sum(folders.map(used));
}

/** What a process and all it started hold of the memory: a page that several share counts in parts (Pss of proc_pid_smaps_rollup). */
export const treeBytes = (pid: number): number =>
	sum([pid, ...descendantsOf(pid)].map((one) => sizeIn(readOptional(`/proc/${one}/smaps_rollup`) ?? '', 'Pss')));

/** Counts a page once however many processes share it (proc_pid_smaps_rollup), and a mapped file not twice. */
function exactBytes(pids: readonly number[], inFolders: number): number {
	const texts = pids.map((pid) => readOptional(`/proc/${pid}/smaps_rollup`) ?? '');
	const shared = sum(texts.map((text) => sizeIn(text, 'Pss_Shmem')));
	return sum(texts.map((text) => sizeIn(text, 'Pss_Anon'))) + Math.max(shared, inFolders);
}

/**
 * Memory that a jail holds: what its processes wrote, what they share, and its folders in memory. The cheap sum counts
 * shared pages more than once, so a sum that is above `limit` is counted again exactly.
 */
export function heldBytes(init: number, folders: readonly string[], limit: number): number {
	const pids = [init, ...descendantsOf(init)];
	const inFolders = folderBytes(init, folders);
	const texts = pids.map((pid) => readOptional(`/proc/${pid}/status`) ?? '');
	const cheap = inFolders + sum(texts.map((text) => sizeIn(text, 'RssAnon') + sizeIn(text, 'RssShmem')));
	return cheap > limit ? exactBytes(pids, inFolders) : cheap;
}

/** Kills `pid` if it is still the child of `parent`; a number that was given away again is left alone. */
export function killChild(parent: number, pid: number): void {
	if (parentOf(pid) === parent) kill(pid);
}

/** A variable by which processes are known that lost their parents. */
export const markName = 'SECURE_CODE_JOB';

/** Processes that were started with a mark; those of other users cannot be asked unless we are root. */
export function markedProcesses(): { readonly pid: number; readonly mark: string }[] {
	return allProcesses().flatMap((pid) => {
		const environment = readOptional(`/proc/${pid}/environ`)?.split('\0') ?? [];
		const line = environment.find((variable) => variable.startsWith(`${markName}=`));
		return line === undefined ? [] : [{ pid, mark: line.slice(markName.length + 1) }];
	});
}

/** A mark names who made it, so that a later process can tell what was left behind. */
export function newMark(): string {
	const own = processId(process.pid);
	return `${process.pid}.${own?.startedAt ?? 0}.${randomBytes(16).toString('hex')}`;
}

/** Whether the process that made a mark is gone. */
export function isOrphan(mark: string): boolean {
	const [, pid, startedAt] = /^(\d+)\.(\d+)\.[0-9a-f]{32}$/.exec(mark) ?? [];
	return pid !== undefined && startedAt !== undefined && !isThere({ pid: Number(pid), startedAt });
}

export function kill(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It ended in this moment.
	}
}

/** Ends what jobs of a killed agent left behind. */
export function killOrphans(): void {
	for (const { pid, mark } of markedProcesses()) if (isOrphan(mark)) kill(pid);
}

/** Processes with a word in their command line. */
export const processesWith = (word: string): number[] =>
	allProcesses().filter((pid) => readOptional(`/proc/${pid}/cmdline`)?.includes(word));

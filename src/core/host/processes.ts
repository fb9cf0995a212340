/** Looks at running processes through /proc: who started whom, how much memory they hold, whether they are gone. */
import { readdirSync, readFileSync } from 'node:fs';

function readOptional(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}

/** Field 4 of proc_pid_stat(5); the name before it may hold spaces and brackets. */
function parentOf(pid: number): number {
	const stat = readOptional(`/proc/${pid}/stat`);
	return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

const allProcesses = (): number[] => readdirSync('/proc').map(Number).filter(Number.isInteger);

/** The processes that `pid` started itself; without the kernel's own list every process is asked for its parent. */
export function childrenOf(pid: number): number[] {
	try {
		const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
		return list === '' ? [] : list.split(' ').map(Number);
	} catch {
		return allProcesses().filter((candidate) => parentOf(candidate) === pid);
	}
}

export function descendantsOf(pid: number): number[] {
	return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

const pageBytes = 4096;

/** Memory that belongs to these processes alone: resident pages without shared file pages (proc_pid_statm(5)). */
export function residentBytes(pids: readonly number[]): number {
	let pages = 0;
	for (const pid of pids) {
		const [, resident, shared] = readOptional(`/proc/${pid}/statm`).split(' ').map(Number);
		pages += (resident ?? 0) - (shared ?? 0);
	}
	return pages * pageBytes;
}

/** Kills `pid` if it is still the child of `parent`; a number that was given away again is left alone. */
export function killChild(parent: number, pid: number): void {
	if (parentOf(pid) !== parent) return;
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It ended in this moment.
	}
}

/** The conversation with the first process of a jail (init/init.c describes it). Pure. */
import { constants } from 'node:os';

/** The program is over and everything it started is reaped; so many bytes of its output are on their way or here. */
export interface Ended {
	readonly kind: 'ended';
	readonly waitStatus: number;
	readonly cpuMs: number;
	readonly peakMemoryBytes: number;
	readonly stdoutBytes: number;
	readonly stderrBytes: number;
}

export type InitMessage =
	| { readonly kind: 'ready' }
	| { readonly kind: 'exec-failed'; readonly errno: number }
	| { readonly kind: 'join-failed'; readonly errno: number }
	| { readonly kind: 'network-failed'; readonly errno: number }
	| Ended
	| { readonly kind: 'collected'; readonly waitStatus: number };

export function parseInitMessage(line: string): InitMessage | undefined {
	const [what, ...rest] = line.split(' ');
	const [first = Number.NaN, user = 0, system = 0, rssKilobytes = 0, stdoutBytes = 0, stderrBytes = 0] =
		rest.map(Number);
	if (what === 'R') return { kind: 'ready' };
	if (!Number.isInteger(first)) return undefined;
	if (what === 'X') return { kind: 'exec-failed', errno: first };
	if (what === 'J') return { kind: 'join-failed', errno: first };
	if (what === 'N') return { kind: 'network-failed', errno: first };
	if (what === 'C') return { kind: 'collected', waitStatus: first };
	if (what !== 'S') return undefined;
	const used = { cpuMs: (user + system) / 1000, peakMemoryBytes: rssKilobytes * 1024 };
	return { kind: 'ended', waitStatus: first, ...used, stdoutBytes, stderrBytes };
}

/** Some numbers have two names (SIGABRT and SIGIOT); the ordinary one comes first in the list, so it is set last. */
const signalNames = new Map(
	Object.entries(constants.signals)
		.map(([name, number]) => [number, name] as const)
		.reverse(),
);

/** Reads a status of wait(2): the low seven bits are the signal, the next byte is the exit code. */
export function decodeWaitStatus(status: number): { code: number | null; signal: string | null } {
	const signal = status & 0x7f;
	if (signal === 0) return { code: (status >> 8) & 0xff, signal: null };
	return { code: null, signal: signalNames.get(signal) ?? `SIG${signal}` };
}

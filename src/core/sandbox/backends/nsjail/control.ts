/** The conversation with the first process of a jail (init/init.c describes it). Pure. */
import { constants } from 'node:os';
import { KnownError } from '../../../../contract/error.ts';

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
	| { readonly kind: 'waits' }
	| { readonly kind: 'begins' }
	| { readonly kind: 'limit-failed'; readonly errno: number }
	| { readonly kind: 'nothing-to-collect' }
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
	if (what === 'W') return { kind: 'waits' };
	if (what === 'B') return { kind: 'begins' };
	if (what === 'E') return { kind: 'nothing-to-collect' };
	if (!Number.isInteger(first)) return undefined;
	if (what === 'X') return { kind: 'exec-failed', errno: first };
	if (what === 'J') return { kind: 'join-failed', errno: first };
	if (what === 'L') return { kind: 'limit-failed', errno: first };
	if (what === 'N') return { kind: 'network-failed', errno: first };
	if (what === 'C') return { kind: 'collected', waitStatus: first };
	if (what !== 'S') return undefined;
	const used = { cpuMs: (user + system) / 1000, peakMemoryBytes: rssKilobytes * 1024 };
	return { kind: 'ended', waitStatus: first, ...used, stdoutBytes, stderrBytes };
}

/** Limits that a process can be given while it runs; absent: as they are. */
export interface ProcessLimits {
	readonly openFiles?: number;
	readonly fileBytes?: number;
	readonly processes?: number | undefined;
	readonly addressSpaceBytes?: number | undefined;
}

function variable(name: string, value: string): string {
	if (value.includes('\0')) throw new KnownError('JOB_INVALID', { details: `the variable ${name} holds a NUL` });
	return `${name}=${value}\0`;
}

/** The job, as the first process reads it: a line of numbers, and the whole environment of the program behind it. */
export function jobMessage(env: Readonly<Record<string, string>>, limits: ProcessLimits = {}): Buffer {
	const variables = Object.entries(env).map(([name, value]) => variable(name, value));
	const block = Buffer.from(variables.join(''));
	const { openFiles = 0, fileBytes = 0, processes = 0, addressSpaceBytes = 0 } = limits;
	const line = `G ${openFiles} ${fileBytes} ${processes} ${addressSpaceBytes} ${block.length}\n`;
	return Buffer.concat([Buffer.from(line), block]);
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

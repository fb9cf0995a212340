/** Puts the answer of a device into the one shape of Remote Shell, whatever its protocol said and left out. Pure. */
import type { FaceName } from '../../contract/device-job.ts';
import { type ErrorCode, type ErrorContext, problemFor } from '../../contract/error.ts';
import type { RemoteResult, RemoteStatus } from '../../contract/remote.ts';

/** Where a client stands: the author's name for the device, and how it speaks. */
export interface Place {
	readonly device: string;
	readonly protocol: FaceName;
}

const nothingKnown = {
	exitCode: null,
	signal: null,
	stdout: '',
	stderr: '',
	truncated: { stdout: false, stderr: false },
	durationMs: 0,
	cpuMs: 0,
	peakMemoryBytes: 0,
	queuedMs: 0,
	language: null,
	backend: null,
	tier: null,
	start: null,
	findings: [],
	files: [],
	problem: null,
	jobId: null,
	approval: null,
	reliability: 'exact',
	notes: [],
	outputBytes: { stdout: null, stderr: null },
} satisfies Partial<RemoteResult>;

export type KnownOfJob = { readonly status: RemoteStatus } & Partial<RemoteResult>;

export const remoteResult = (place: Place, known: KnownOfJob): RemoteResult => ({
	...nothingKnown,
	...place,
	...known,
});

/** A job that was not run, or did not end as it should, with words for it. */
export const remoteProblem = (
	place: Place,
	status: RemoteStatus,
	code: ErrorCode,
	context: ErrorContext,
	known: Partial<RemoteResult> = {},
): RemoteResult => remoteResult(place, { status, problem: problemFor(code, context), ...known });

/** How a finished command ended, from an exit code that means what it says. */
export function statusOfExit(exitCode: number): { status: RemoteStatus; exitCode: number } {
	return { status: exitCode === 0 ? 'succeeded' : 'failed', exitCode };
}

/** For shells that read a line: each word in quotes, so that it stays the word it is. */
export const shellWord = (word: string): string =>
	/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

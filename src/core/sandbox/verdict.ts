/** Reads from our timer, the control group and the wait status how a job ended, and says it in words for the model. Pure. */
import { type ErrorCode, problemFor } from '../../contract/error.ts';
import type { Problem } from '../../contract/job.ts';
import type { Language } from '../../contract/language.ts';
import { fixedLimits, type Limits } from '../../contract/limits.ts';
import type { JobStatus } from '../../contract/status.ts';
import type { BoxOutcome, StopReason } from './backend.ts';

export interface Verdict {
	readonly status: JobStatus;
	readonly exitCode: number | null;
	readonly signal: string | null;
	readonly problem: Problem | null;
}

export interface Circumstances {
	readonly language: Language | null;
	readonly limits: Limits;
	/** How long the program could be silent, where that was limited. */
	readonly idleTimeoutMs?: number | undefined;
	/** What the program wrote to stderr; only read for a hint, never for the status. */
	readonly stderr: string;
}

const MiB = 1024 * 1024;

/** The number that a sentence about a limit names, in the unit of that sentence. */
function shownLimit(code: ErrorCode, limits: Limits): number {
	const shown: Partial<Record<ErrorCode, number>> = {
		LIMIT_TIME: limits.timeoutMs / 1000,
		LIMIT_MEMORY: Math.floor(limits.memoryBytes / MiB),
		LIMIT_OUTPUT: fixedLimits.totalOutputBytes / MiB,
		LIMIT_PROCESSES: limits.processes,
		LIMIT_OPEN_FILES: limits.openFiles,
		LIMIT_FILE_SIZE: Math.ceil(limits.fileBytes / MiB),
		LIMIT_DISK: Math.floor(limits.workBytes / MiB),
	};
	return shown[code] ?? 0;
}

const limitProblem = (code: ErrorCode, limits: Limits): Problem =>
	problemFor(code, { limit: shownLimit(code, limits) });

/** How operating system errors are spelled by Python, Node.js and the ordinary programs. */
const limitHints: readonly (readonly [ErrorCode, RegExp])[] = [
	['LIMIT_DISK', /No space left on device|\bENOSPC\b/],
	['LIMIT_FILE_SIZE', /File too large|File size limit exceeded|\bEFBIG\b/],
	['LIMIT_OPEN_FILES', /Too many open files|\bEMFILE\b/],
	['LIMIT_PROCESSES', /Resource temporarily unavailable|can't start new thread|\bEAGAIN\b/],
];

/** Which limit a failing program ran into, so that the model need not guess. */
function hintFor(outcome: BoxOutcome, { limits, stderr }: Circumstances): Problem | null {
	if (outcome.processLimitHits > 0) return limitProblem('LIMIT_PROCESSES', limits);
	const end = stderr.slice(-4096);
	const [code] = limitHints.find(([, pattern]) => pattern.test(end)) ?? [];
	return code ? limitProblem(code, limits) : null;
}

/** V8 aborts when its heap, which is kept a little under the memory limit, is full. */
function isFullHeap(outcome: BoxOutcome, { language, limits }: Circumstances): boolean {
	const isNearLimit = outcome.peakMemoryBytes >= limits.memoryBytes / 2;
	return language === 'javascript' && outcome.exit?.signal === 'SIGABRT' && isNearLimit;
}

const stoppedAs = {
	timeout: ['timed_out', 'LIMIT_TIME'],
	idle: ['timed_out', 'LIMIT_IDLE'],
	memory: ['out_of_memory', 'LIMIT_MEMORY'],
	output: ['output_exceeded', 'LIMIT_OUTPUT'],
	cancelled: ['cancelled', 'JOB_CANCELLED'],
} as const satisfies Record<StopReason, readonly [JobStatus, ErrorCode]>;

function stoppedVerdict(reason: StopReason, { limits, idleTimeoutMs = 0 }: Circumstances): Verdict {
	const [status, code] = stoppedAs[reason];
	const isIdle = code === 'LIMIT_IDLE';
	const problem = isIdle ? problemFor(code, { limit: idleTimeoutMs / 1000 }) : limitProblem(code, limits);
	return { status, exitCode: null, signal: 'SIGKILL', problem };
}

export function verdictFor(outcome: BoxOutcome, circumstances: Circumstances): Verdict {
	const { limits } = circumstances;
	const exitCode = outcome.exit?.code ?? null;
	const signal = outcome.exit?.signal ?? (outcome.exit ? null : 'SIGKILL');
	if (outcome.fault !== null) {
		const problem = problemFor('SANDBOX_BROKEN', { details: outcome.fault });
		return { status: 'broken', exitCode: null, signal: null, problem };
	}
	if (outcome.stopped) {
		return stoppedVerdict(outcome.stopped, circumstances);
	}
	if (exitCode === 0) return { status: 'succeeded', exitCode, signal: null, problem: null };
	if (outcome.oomKills > 0 || isFullHeap(outcome, circumstances))
		return { status: 'out_of_memory', exitCode, signal, problem: limitProblem('LIMIT_MEMORY', limits) };
	if (signal === null) return { status: 'failed', exitCode, signal, problem: hintFor(outcome, circumstances) };
	const limit = signal === 'SIGXFSZ' ? limitProblem('LIMIT_FILE_SIZE', limits) : null;
	const problem = limit ?? hintFor(outcome, circumstances) ?? problemFor('PROGRAM_SIGNALLED', { signal });
	return { status: 'killed', exitCode, signal, problem };
}

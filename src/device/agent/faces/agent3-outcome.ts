/** What a job is in the words of Agent3: an exit code, and what stderr ends with. Pure. */
import { constants } from 'node:os';
import type { JobView } from '../../../contract/device-job.ts';
import { problemFor } from '../../../contract/error.ts';
import type { JobResult, Problem } from '../../../contract/job.ts';
import type { JobStatus } from '../../../contract/status.ts';
import { agent3PendingExitCode, agent3TimeoutMs } from '../../wire/agent3.ts';

export interface Agent3Outcome {
	readonly status: 'done' | 'running' | 'approval_required';
	readonly exitCode: number;
	/** What stderr ends with, after what the command wrote; null: nothing. */
	readonly note: string | null;
}

/** Nothing ran, and nothing will. */
export interface Agent3Denied {
	readonly denied: Problem;
}

const timedOut: Agent3Outcome = { status: 'done', exitCode: 124, note: 'Timeout' };
/** As `timeout` and docker say that the command was not to blame. */
const brokenExitCode = 125;

/** Minus the number of the signal, as Python's subprocess has it. */
const exitCodeOfSignal = (signal: string | null): number =>
	-(constants.signals[signal as NodeJS.Signals] ?? constants.signals.SIGKILL);

const done = (exitCode: number, note: string | null = null): Agent3Outcome => ({ status: 'done', exitCode, note });

const byStatus: Readonly<Record<Exclude<JobStatus, 'denied'>, (result: JobResult, job: JobView) => Agent3Outcome>> = {
	succeeded: ({ exitCode }) => done(exitCode ?? 0),
	failed: ({ exitCode }) => done(exitCode ?? 1),
	killed: ({ signal }) => done(exitCodeOfSignal(signal)),
	out_of_memory: ({ exitCode, signal, problem }) =>
		done(signal === null ? (exitCode ?? 1) : exitCodeOfSignal(signal), problem?.message),
	output_exceeded: ({ signal, problem }) => done(exitCodeOfSignal(signal), problem?.message),
	timed_out: () => timedOut,
	cancelled: (_result, job) => (isLate(job) ? timedOut : done(exitCodeOfSignal('SIGTERM'))),
	broken: ({ problem }) => done(brokenExitCode, problem?.message),
};

/** The face cancels what is not over when its caller must have an answer, be it that the job waited too long for its turn. */
const isLate = ({ approvalId, acceptedAt, endedAt }: JobView): boolean =>
	approvalId === null && (endedAt ?? 0) - acceptedAt >= agent3TimeoutMs;

export function agent3Outcome(job: JobView): Agent3Outcome | Agent3Denied {
	const { state, result, approvalId } = job;
	if (state === 'lost') return done(brokenExitCode, problemFor('JOB_LOST').message);
	if (state === 'awaiting_approval')
		return { status: 'approval_required', exitCode: agent3PendingExitCode, note: `approval required: ${approvalId}` };
	if (state !== 'ended' || !result) return { status: 'running', exitCode: agent3PendingExitCode, note: null };
	if (result.status !== 'denied') return byStatus[result.status](result, job);
	return { denied: result.problem ?? problemFor('POLICY_DENIED', { why: 'nothing allows it', rule: 'default' }) };
}

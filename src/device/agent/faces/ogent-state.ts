/** What a job is in the words of Ogent: a status that follows the exit code, and why it ended where it did not end by itself. Pure. */
import { constants } from 'node:os';
import { isOver, type JobView } from '../../../contract/device-job.ts';
import type { JobResult } from '../../../contract/job.ts';
import type { JobStatus } from '../../../contract/status.ts';
import type { OgentExecution, OgentStatus } from '../../wire/ogent.ts';
import { withNote } from './note.ts';

export interface OgentState {
	readonly status: OgentStatus;
	readonly message: string | null;
	/** What the error ends with, after what the command wrote to stderr. */
	readonly why: string | null;
	readonly exitCode: number | null;
}

const failed = (why: string | null, exitCode: number | null = null): OgentState => ({
	status: 'failed',
	message: null,
	why,
	exitCode,
});

const waits = (status: OgentStatus, message: string | null = null): OgentState => ({
	status,
	message,
	why: null,
	exitCode: null,
});

/** As shells tell a signal. */
const exitCodeOf = ({ exitCode, signal }: JobResult): number | null =>
	signal === null ? exitCode : 128 + (constants.signals[signal as NodeJS.Signals] ?? constants.signals.SIGKILL);

const byStatus: Readonly<Record<JobStatus, (result: JobResult) => OgentState>> = {
	succeeded: ({ exitCode }) => ({ status: 'completed', message: null, why: null, exitCode }),
	failed: ({ exitCode }) => failed(null, exitCode),
	killed: (result) => failed(result.problem?.message ?? null, exitCodeOf(result)),
	out_of_memory: (result) => failed(result.problem?.message ?? null, exitCodeOf(result)),
	output_exceeded: ({ problem }) => failed(problem?.message ?? null),
	timed_out: () => failed('Execution timed out'),
	cancelled: () => waits('cancelled', 'Execution cancelled'),
	denied: ({ problem }) => failed(problem?.message ?? 'Command not allowed'),
	broken: ({ problem }) => failed(problem?.message ?? 'The command could not be started'),
};

export function ogentState({ state, result, approvalId }: JobView): OgentState {
	if (state === 'lost') return failed('agent restarted');
	if (state === 'awaiting_approval') return waits('queued', `Waiting for approval ${approvalId}`);
	if (state === 'queued') return waits('queued', 'Command scheduled for execution');
	return state === 'ended' && result ? byStatus[result.status](result) : waits('running');
}

/** Text of the two streams, as far as it is shown. */
export interface OgentTexts {
	readonly output: string;
	readonly error: string;
	readonly isTruncated: boolean;
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const commandOf = ({ command }: JobView): string =>
	command.mode === 'script' ? command.script : command.argv.join(' ');

/** @param texts null: not looked up, or nothing ran yet */
export function ogentExecution(
	job: JobView,
	executionId: string,
	texts: OgentTexts | null,
	now: number,
): OgentExecution {
	const { status, message, why, exitCode } = ogentState(job);
	const { startedAt, endedAt } = job;
	const isShown = texts !== null && (startedAt !== null || isOver(job.state));
	return {
		kind: 'execution',
		executionId,
		status,
		message,
		command: commandOf(job),
		output: isShown ? texts.output : null,
		error: isShown ? withNote(texts.error, why) : null,
		exitCode,
		startTime: iso(startedAt),
		endTime: iso(endedAt),
		elapsedSeconds: startedAt === null ? null : Math.max(0, Math.floor(((endedAt ?? now) - startedAt) / 1000)),
		isTruncated: isShown ? texts.isTruncated : null,
	};
}

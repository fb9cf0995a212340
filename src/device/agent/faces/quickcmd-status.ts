/** What a job is in the words of QuickCMD. Pure. */
import { isOver, type JobView } from '../../../contract/device-job.ts';
import { problemFor } from '../../../contract/error.ts';
import type { JobResult } from '../../../contract/job.ts';
import type { QuickCmdResult, QuickCmdStatus } from '../../wire/quickcmd-answer.ts';
import { exitCodeOf, lostExitCode } from './exit-code.ts';

const endStatus = ({ status }: JobResult): QuickCmdStatus =>
	['timed_out', 'cancelled', 'denied', 'broken'].includes(status) ? 'failed' : 'completed';

/** A job that waits for approval waits like any other; one that was refused failed, since clients wait for no other word. */
export function quickCmdStatusOf({ state, result }: Pick<JobView, 'state' | 'result'>): QuickCmdStatus {
	if (state === 'running') return 'running';
	if (!isOver(state)) return 'pending';
	return result ? endStatus(result) : 'failed';
}

/** For people, beside a status that clients wait on. */
export const quickCmdMessageOf = ({ state, approvalId }: Pick<JobView, 'state' | 'approvalId'>): string | null =>
	state === 'awaiting_approval' ? `approval required: ${approvalId}` : null;

function errorOf(result: JobResult | null): string | null {
	if (!result) return problemFor('JOB_LOST').message;
	if (result.status === 'cancelled') return 'cancelled';
	if (result.status === 'timed_out') return `execution timeout after ${Number((result.durationMs / 1000).toFixed(1))}s`;
	return result.status === 'succeeded' || result.status === 'failed' ? null : (result.problem?.message ?? null);
}

const isIncomplete = ({ output }: JobView): boolean =>
	[output.stdout, output.stderr].some(({ storedBytes, totalBytes }) => storedBytes < totalBytes) || !output.isKept;

export interface QuickCmdTexts {
	/** What the controller says of the state before, which goes back to it. */
	readonly snapshot: string;
	readonly stdout: string;
	readonly stderr: string;
	/** They are not all that is stored. */
	readonly isCut: boolean;
}

/** Of a job that is over. */
export function quickCmdResultOf(job: JobView, { snapshot, stdout, stderr, isCut }: QuickCmdTexts): QuickCmdResult {
	const { result, startedAt, endedAt, acceptedAt, jobId } = job;
	return {
		status: quickCmdStatusOf(job),
		sandboxId: startedAt === null ? '' : jobId,
		exitCode: result ? exitCodeOf(result) : lostExitCode,
		stdout,
		stderr,
		startedAt: startedAt ?? acceptedAt,
		endedAt: startedAt === null ? null : endedAt,
		durationMs: result?.durationMs ?? 0,
		error: errorOf(result),
		snapshot: snapshot === '' ? null : snapshot,
		isTruncated: isCut || isIncomplete(job) ? true : null,
	};
}

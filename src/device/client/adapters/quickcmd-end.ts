/** What a job of QuickCMD that is over came to. `failed` alone says little, and an original calls `completed` what never began. Pure. */
import { problemFor } from '../../../contract/error.ts';
import type { QuickCmdResult } from '../../wire/quickcmd-answer.ts';
import { deniedByPolicy, deviceFailed } from '../refusal.ts';
import { type KnownOfJob, statusOfExit } from '../remote-result.ts';
import { signalName } from '../signals.ts';

const noOutput = 'An original agent keeps nothing of what a command printed that it ended at its limit.';
const lostOutput = 'The agent could not read what the command printed.';

/** Our face says so with one number; the words are those of originals and their forks. */
const refusedExitCode = 126;
const refusal = /denylist|allowlist|\bden(?:y|ied)\b|not allowed|\bblocked\b|\bpolicy\b|\brejected\b|forbidden/i;
const unread = /^failed to (?:get|read) container logs/;
const neverBegan = /^failed to (?:pull|download|create|start)\b/;

const timedOut = (isOriginal: boolean): KnownOfJob => ({
	status: 'timed_out',
	...(isOriginal && { reliability: 'best_effort', notes: [noOutput] }),
});

function ofExit(exitCode: number): KnownOfJob {
	if (exitCode > 128 && exitCode < 160) return { status: 'killed', exitCode: null, signal: signalName(exitCode - 128) };
	return statusOfExit(exitCode);
}

function ofFailed({ error, exitCode, sandboxId, endedAt }: QuickCmdResult): KnownOfJob {
	const why = error ?? 'no reason given';
	if (error === 'cancelled') return { status: 'cancelled', problem: problemFor('JOB_CANCELLED') };
	if (error === problemFor('JOB_LOST').message) return { status: 'lost', problem: problemFor('JOB_LOST') };
	if (exitCode === refusedExitCode) return deniedByPolicy(why);
	const hasBegun = sandboxId !== '' || endedAt !== null;
	if (hasBegun) return deviceFailed(why, false);
	return refusal.test(why) ? deniedByPolicy(why) : deviceFailed(why, true);
}

/** An original that could not start a command, or not wait for it, says `completed`, and exit code 0. */
function ofCompleted({ error, exitCode }: QuickCmdResult): KnownOfJob {
	if (!error) return ofExit(exitCode);
	if (unread.test(error)) return { ...ofExit(exitCode), reliability: 'best_effort', notes: [lostOutput] };
	if (exitCode !== 0) return { ...ofExit(exitCode), notes: [error] };
	return deviceFailed(error, neverBegan.test(error));
}

export function quickCmdEnd(result: QuickCmdResult): KnownOfJob {
	const isFailed = result.status === 'failed';
	if (/^execution timeout after /.test(result.error ?? '') || (isFailed && result.exitCode === 124))
		return timedOut(!isFailed);
	return isFailed ? ofFailed(result) : ofCompleted(result);
}

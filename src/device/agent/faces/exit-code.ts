/** One number for how a job ended, as a shell has it; for protocols that tell no more. Pure. */
import { constants } from 'node:os';
import type { JobResult } from '../../../contract/job.ts';

/** As `timeout` and shells say it. */
const exitCodes = { timedOut: 124, broken: 125, denied: 126 } as const;
const signalBase = 128;

const ofSignal = (name: string | null): number =>
	signalBase + (constants.signals[name as NodeJS.Signals] ?? constants.signals.SIGKILL);

/** 128 + n for a command that signal n ended; 124 timed out, 125 the sandbox failed, 126 refused, 143 cancelled. */
export function exitCodeOf({ status, exitCode, signal }: Pick<JobResult, 'status' | 'exitCode' | 'signal'>): number {
	if (status === 'timed_out') return exitCodes.timedOut;
	if (status === 'broken') return exitCodes.broken;
	if (status === 'denied') return exitCodes.denied;
	if (status === 'cancelled') return ofSignal('SIGTERM');
	if (signal !== null) return ofSignal(signal);
	return exitCode ?? (status === 'succeeded' ? 0 : ofSignal(null));
}

/** Of a job that was running when the agent died. */
export const lostExitCode = exitCodes.broken;

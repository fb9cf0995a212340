/** How an execution of Ogent ended. Pure. */
import { problemFor } from '../../../contract/error.ts';
import type { OgentExecution } from '../../wire/ogent.ts';
import { type KnownOfJob, statusOfExit } from '../remote-result.ts';

/** @param exitCode told by the service or by a mark; null where neither is there, and then its word is all there is */
export function ogentEnd({ status, error }: OgentExecution, exitCode: number | null): KnownOfJob {
	if (status === 'cancelled') return { status: 'cancelled', problem: problemFor('JOB_CANCELLED') };
	if (status === 'failed' && /Execution timed out/.test(error ?? '')) return { status: 'timed_out' };
	if (status === 'failed' && error === 'agent restarted') return { status: 'lost', problem: problemFor('JOB_LOST') };
	if (exitCode !== null) return statusOfExit(exitCode);
	return { status: status === 'completed' ? 'succeeded' : 'failed', exitCode: null };
}

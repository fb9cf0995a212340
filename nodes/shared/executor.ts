/** The way to the core: loaded with the first job, so that n8n starts without it. */
import type { JobRequestInput, JobResult } from '../../src/contract/job.ts';
import type { NodeContext } from './context.ts';

/**
 * Runs a job in the executor of this process and kills it when n8n stops the execution.
 * @param secretValues by environment variable; all of them are given to the program and masked
 */
export async function runJob(
	context: NodeContext,
	request: JobRequestInput,
	secretValues: Readonly<Record<string, string>>,
): Promise<JobResult> {
	const { parseJobRequest, sharedExecutor } = await import('../../src/core/compose.ts');
	const job = parseJobRequest({ ...request, secrets: Object.keys(secretValues) });
	return await sharedExecutor().run(job, { signal: context.getExecutionCancelSignal(), secretValues });
}

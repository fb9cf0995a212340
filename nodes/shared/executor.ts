/** The way to the core: loaded with the first job, so that n8n starts without it. */
import type { JobRequestInput, JobResult } from '../../src/contract/job.ts';
import type { NodeContext } from './context.ts';

/** Runs a job in the executor of this process and kills it when n8n stops the execution. */
export async function runJob(context: NodeContext, request: JobRequestInput): Promise<JobResult> {
	const { parseJobRequest, sharedExecutor } = await import('../../src/core/compose.ts');
	return await sharedExecutor().run(parseJobRequest(request), { signal: context.getExecutionCancelSignal() });
}

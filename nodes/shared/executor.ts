/** The way to the core: loaded with the first job, so that n8n starts without it. */
import type { JobRequestInput, JobResult } from '../../src/contract/job.ts';
import type { JobContext } from '../../src/core/compose.ts';
import type { NodeContext } from './context.ts';

/** By environment variable. */
export interface SecretsOfJob {
	/** All of them are given to the program and masked. */
	readonly values: Readonly<Record<string, string>>;
	/** Those of which the program gets a placeholder, and only these hosts the value. */
	readonly hosts: Readonly<Record<string, readonly string[]>>;
}

/** What the network let through (`refused` is null) or did not. */
interface NetworkDecision {
	readonly host: string;
	readonly port: number | null;
	readonly refused: string | null;
}

/** Runs a job in the executor of this process and kills it when n8n stops the execution. */
export async function runJob(
	context: NodeContext,
	request: JobRequestInput,
	{ values, hosts }: SecretsOfJob,
	more: Pick<JobContext, 'outDir' | 'session' | 'onOutput'>,
): Promise<JobResult> {
	const { parseJobRequest, sharedExecutor } = await import('../../src/core/compose.ts');
	const job = parseJobRequest({ ...request, secrets: Object.keys(values) });
	const signal = context.getExecutionCancelSignal();
	const onDecision = (decision: NetworkDecision) => context.logger.info('Secure Code: network', { ...decision });
	return await sharedExecutor().run(job, {
		signal,
		secretValues: values,
		secretHosts: hosts,
		onDecision,
		...more,
	});
}

/** What a bundle was made of, for the model to know. Throws BUNDLE_MISSING. */
export async function packagesOf(bundle: string): Promise<readonly string[]> {
	const { packageNames } = await import('../../src/core/compose.ts');
	return packageNames(bundle);
}

/** A folder that goes away with its run, and with the next start of n8n if this one is killed. */
export async function newRunFolder(): Promise<{ readonly path: string; discard(): void }> {
	const { RunFolder } = await import('../../src/core/compose.ts');
	return RunFolder.create();
}

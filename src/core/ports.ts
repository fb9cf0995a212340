/** What the story of a job asks of its surroundings. */
import type { JobRequest, JobResult } from '../contract/job.ts';

export type OutputStream = 'stdout' | 'stderr';

export interface JobContext {
	/** Aborting kills the job at once. */
	readonly signal?: AbortSignal | undefined;
	/** Sees every byte as it arrives, before anything is cut or cleaned. */
	readonly onOutput?: ((stream: OutputStream, chunk: Buffer) => void) | undefined;
	/** Folder of the host that receives what the program leaves in /work/out. */
	readonly outDir?: string | undefined;
	/** Values of the secrets named in the request. */
	readonly secretValues?: Readonly<Record<string, string>> | undefined;
}

/** One per process. A program's failure is a result; a KnownError is thrown only where an operator must act. */
export interface Executor {
	run(request: JobRequest, context?: JobContext): Promise<JobResult>;
}

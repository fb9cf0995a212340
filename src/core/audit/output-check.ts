/** Compares the stored output of jobs with what the audit says of it. What is not there any more was removed, as old output is. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Finding } from './explain.ts';

export interface StoredSum {
	/** Line of the audit that says so. */
	readonly seq: number;
	readonly jobId: string;
	readonly stream: 'stdout' | 'stderr';
	readonly sha256: string;
}

const { O_NOFOLLOW, O_RDONLY } = constants;

const plainId = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;
const streams = ['stdout', 'stderr'] as const;

/** @param output from the detail of a line about the end of a job, which nobody trusts to be of any shape */
export function sumsOf(seq: number, jobId: string | null, output: unknown): StoredSum[] {
	if (jobId === null || !plainId.test(jobId) || typeof output !== 'object' || output === null) return [];
	return streams.flatMap((stream) => {
		const sha256 = (output as Record<string, { sha256?: unknown } | undefined>)[stream]?.sha256;
		return typeof sha256 === 'string' ? [{ seq, jobId, stream, sha256 }] : [];
	});
}

/** @returns undefined where there is no such file */
async function sha256Of(path: string): Promise<string | undefined> {
	const hash = createHash('sha256');
	try {
		const handle = await open(path, O_RDONLY | O_NOFOLLOW);
		await pipeline(handle.createReadStream(), hash);
		return hash.digest('hex');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
		return 'unreadable';
	}
}

/** @param state folder in which the store lies @returns the first that is not what it was */
export async function checkOutput(state: string, sums: Iterable<StoredSum>): Promise<Finding | undefined> {
	for (const { seq, jobId, stream, sha256 } of sums) {
		const found = await sha256Of(join(state, 'output', jobId, stream));
		if (found !== undefined && found !== sha256)
			return { seq, what: 'output', message: `${stream} of job ${jobId} is not what row ${seq} says was stored` };
	}
	return undefined;
}

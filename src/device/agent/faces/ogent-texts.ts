/** The last part of what a job printed, as text. */
import type { JobView } from '../../../contract/device-job.ts';
import type { OutputStream } from '../../../core/sandbox/backend.ts';
import type { Jobs } from '../ports.ts';
import type { OgentTexts } from './ogent-state.ts';

/** Bytes of each stream in one answer; more of it can be had over the native API. */
export const ogentTextBytes = 2 * 1024 * 1024;

/** Bytes of a character whose beginning was cut off. */
function strayBytes(bytes: Buffer): number {
	let stray = 0;
	while (stray < 3 && stray < bytes.length && ((bytes[stray] ?? 0) & 0xc0) === 0x80) stray++;
	return stray;
}

async function tailOf(jobs: Jobs, job: JobView, stream: OutputStream, most: number): Promise<string> {
	const end = job.output[stream].storedBytes;
	const start = Math.max(0, end - most);
	const parts: Buffer[] = [];
	for (let at = start; at < end; ) {
		const { bytes } = await jobs.read(job.jobId, stream, at, end - at);
		if (bytes.length === 0) break;
		parts.push(bytes);
		at += bytes.length;
	}
	const bytes = Buffer.concat(parts);
	const whole = start === 0 ? bytes : bytes.subarray(strayBytes(bytes));
	return new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole);
}

/** @param most bytes of each stream */
export async function ogentTexts(jobs: Jobs, job: JobView, most = ogentTextBytes): Promise<OgentTexts> {
	const streams = [job.output.stdout, job.output.stderr];
	return {
		output: await tailOf(jobs, job, 'stdout', most),
		error: await tailOf(jobs, job, 'stderr', most),
		isTruncated: streams.some(({ storedBytes, totalBytes }) => storedBytes < totalBytes || storedBytes > most),
	};
}

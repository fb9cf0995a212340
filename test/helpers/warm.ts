/** A job that runs twice: by an interpreter that waited for it, and in a jail that was made for it. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobRequestInput, JobResult } from '../../src/contract/job.ts';

export type Run = (job: JobRequestInput) => Promise<JobResult>;

/** Boxes are made behind the answer, so the first jobs of a kind start cold. */
const mostTries = 60;
const pauseMs = 100;

/** Repeats the job until it was given to an interpreter that waited. */
export async function runWarm(run: Run, job: JobRequestInput): Promise<JobResult> {
	for (let tries = 0; tries < mostTries; tries++) {
		const result = await run(job);
		if (result.start === 'warm') return result;
		if (result.start === null) throw new Error(`it did not run: ${result.problem?.message}`);
		await sleep(pauseMs);
	}
	throw new Error('no interpreter ever waited for this job');
}

/** What differs from one start of an interpreter to the next, whoever starts it. */
const byChance: readonly [RegExp, string][] = [
	[/0x[0-9a-f]{6,}/g, '0xADDRESS'],
	[/started \d+/g, 'started THREAD'],
	[/^\[\d+:0xADDRESS\].*\n/gm, ''],
	[/laddr=\('127\.0\.0\.1', \d+\)/g, "laddr=('127.0.0.1', PORT)"],
];

const plain = (text: string): string =>
	byChance.reduce((rest, [pattern, word]) => rest.replaceAll(pattern, word), text);

/** All that a caller sees of a result, whatever it cost. */
export const seen = ({ status, exitCode, signal, stdout, stderr, truncated, files, problem }: JobResult) => ({
	status,
	exitCode,
	signal,
	stdout: plain(stdout),
	stderr: plain(stderr),
	truncated,
	files: files.map(({ path, ...file }) => ({ ...file, content: path && readFileSync(path).toString('base64') })),
	problem,
});

export async function runBothWays(run: Run, job: JobRequestInput) {
	const warm = seen(await runWarm(run, job));
	const cold = seen(await run({ ...job, warm: false }));
	return { warm, cold };
}

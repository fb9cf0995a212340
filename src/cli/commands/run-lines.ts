/** secure-code run --jsonl: many jobs in one process, in bounded memory, none of them lost. */
import { join } from 'node:path';
import { z } from 'zod';
import { KnownError, problemFor } from '../../contract/error.ts';
import type { JobRequestInput, JobResult, Problem } from '../../contract/job.ts';
import { composeExecutor, defaultConcurrency, parseJobRequest, warmSettings } from '../../core/compose.ts';
import type { Executor, JobContext } from '../../core/ports.ts';
import { withoutRun } from '../../core/result.ts';
import { checkPolicy } from '../check-policy.ts';
import type { Typed } from '../command.ts';
import { requestDefaults, text } from '../flags.ts';
import { type Line, readLines, writeLine } from '../lines.ts';

/** Room for a job with its files. */
const lineBytes = 128 * 1024 * 1024;

const idSchema = z.union([z.string(), z.number()]);
const lineSchema = z.looseObject({ id: idSchema });

interface Job {
	readonly id: string | number | null;
	readonly request: Record<string, unknown>;
}

function concurrency(typed: Typed): number | undefined {
	const value = text(typed.values, 'concurrency');
	if (value === undefined) return undefined;
	if (!/^[1-9]\d{0,2}$/.test(value)) throw new KnownError('USAGE', { details: '--concurrency: must be 1 to 999' });
	return Number(value);
}

function parseJson(line: Line): unknown {
	if ('tooLong' in line) throw new KnownError('JOB_INVALID', { details: `the line is longer than ${lineBytes} bytes` });
	try {
		return JSON.parse(line.text);
	} catch {
		throw new KnownError('JOB_INVALID', { details: 'the line is not JSON' });
	}
}

/** The id is kept even when nothing else of the line can be used. */
const idOf = (value: unknown): Job['id'] => lineSchema.safeParse(value).data?.id ?? null;

function parseJob(value: unknown, defaults: Partial<JobRequestInput>): Job {
	const parsed = lineSchema.safeParse(value);
	if (!parsed.success) throw new KnownError('JOB_INVALID', { details: 'the line is not an object with an "id"' });
	const { id, ...request } = parsed.data;
	const limits = { ...defaults.limits, ...(request.limits as object | undefined) };
	return { id, request: { ...defaults, ...request, limits } };
}

/** A failure of ours is an answer, too: the lines after it still run. */
function problemOf(error: unknown): Problem {
	if (KnownError.is(error)) return error.problem;
	return problemFor('INTERNAL', { id: (error as Error).message });
}

/** One folder for each id, and never the folder itself or the one above. */
const folderName = (id: Job['id']): string =>
	encodeURIComponent(String(id)).replace(/^\.+$/, (dots) => '%2E'.repeat(dots.length));

async function answer(line: Line, executor: Executor, defaults: Partial<JobRequestInput>, context: JobContext) {
	let id: Job['id'] = null;
	try {
		const value = parseJson(line);
		id = idOf(value);
		const job = parseJob(value, defaults);
		const outDir = context.outDir === undefined ? undefined : join(context.outDir, folderName(id));
		const result: JobResult = await executor.run(parseJobRequest(job.request), { ...context, outDir });
		return { id, ...result };
	} catch (error) {
		const problem = problemOf(error);
		const isRefusal = problem.code === 'JOB_INVALID';
		return { id, ...withoutRun(isRefusal ? 'denied' : 'broken', problem) };
	}
}

/** Whoever ends the process need not close its stdin first. */
async function* linesUntil(signal: AbortSignal | undefined): AsyncGenerator<Line> {
	signal?.addEventListener('abort', () => process.stdin.destroy());
	try {
		yield* readLines(process.stdin, lineBytes);
	} catch (error) {
		if (!signal?.aborted) throw error;
	}
}

/** @returns 0 once every line has its answer */
export async function runLines(typed: Typed, context: JobContext): Promise<number> {
	const defaults = { ...requestDefaults(typed.values), checkPolicy: checkPolicy(typed.values) };
	const many = concurrency(typed) ?? defaultConcurrency();
	const executor = composeExecutor({ concurrency: many, warm: warmSettings() });
	const active = new Set<Promise<void>>();
	for await (const line of linesUntil(context.signal)) {
		if ('text' in line && line.text.trim() === '') continue;
		const job = answer(line, executor, defaults, context).then((result) => writeLine(process.stdout, result));
		active.add(job);
		void job.finally(() => active.delete(job));
		if (active.size >= many) await Promise.race(active);
	}
	await Promise.all(active);
	await executor.close();
	return 0;
}

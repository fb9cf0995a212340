/** The wire of QuickCMD's Remote Agent, answers: accepted jobs, their status and result, frames of a stream, refusals. Both sides. Pure. */
import { z } from 'zod';
import { type GoValue, goJson, goStruct } from './go-json.ts';
import { readJson } from './json.ts';

/** `rejected` is in the original's table and never sent: its client would wait for ever. */
export const quickCmdStatuses = ['pending', 'running', 'completed', 'failed'] as const;
export type QuickCmdStatus = (typeof quickCmdStatuses)[number];

export interface QuickCmdResult {
	readonly status: QuickCmdStatus;
	readonly sandboxId: string;
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
	/** Milliseconds since 1970; null: never. */
	readonly startedAt: number | null;
	readonly endedAt: number | null;
	readonly durationMs: number;
	readonly error: string | null;
	readonly snapshot: string | null;
	/** Something of the output is not in here. Null: an original, which does not say. */
	readonly isTruncated: boolean | null;
}

export interface QuickCmdAccepted {
	readonly kind: 'accepted';
	readonly jobId: string;
	readonly status: QuickCmdStatus;
	/** What it waits for, which the original never says; null: a turn, or nothing. */
	readonly message: string | null;
}

export interface QuickCmdJob {
	readonly kind: 'job';
	readonly jobId: string;
	readonly status: QuickCmdStatus;
	readonly result: QuickCmdResult | null;
	/** What it waits for, which the original never says; null: a turn, or nothing. */
	readonly message: string | null;
}

/** `details` null: the answer is a line of plain text. */
export interface QuickCmdRefused {
	readonly kind: 'refused';
	readonly httpStatus: number;
	readonly error: string;
	readonly details: string | null;
}

export interface QuickCmdHttpAnswer {
	readonly httpStatus: number;
	readonly contentType: string;
	readonly body: string;
}

/** What Go's `time.Time{}` is. */
const zeroTime = '0001-01-01T00:00:00Z';

/** As Go's time.RFC3339Nano: a fraction without zeros at its end. */
export const goTime = (ms: number | null): string =>
	ms === null ? zeroTime : new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');

const json = (httpStatus: number, value: GoValue): QuickCmdHttpAnswer => ({
	httpStatus,
	contentType: 'application/json',
	body: `${goJson(value)}\n`,
});

export const quickCmdText = (httpStatus: number, text: string): QuickCmdHttpAnswer => ({
	httpStatus,
	contentType: 'text/plain; charset=utf-8',
	body: `${text}\n`,
});

/** Everything but the status of a job; a resend of a job that is over gets its status of now. */
export const encodeQuickCmdAccepted = (
	{ jobId, status, message }: QuickCmdAccepted,
	httpStatus = 202,
): QuickCmdHttpAnswer => json(httpStatus, { job_id: jobId, status, ...(message !== null && { message }) });

export const encodeQuickCmdJob = ({ jobId, status, result, message }: QuickCmdJob): QuickCmdHttpAnswer =>
	json(200, {
		job_id: jobId,
		status,
		result: result && resultStruct(jobId, result),
		...(message !== null && { message }),
	});

const resultStruct = (jobId: string, result: QuickCmdResult): GoValue =>
	goStruct({
		job_id: jobId,
		status: result.status,
		sandbox_id: result.sandboxId,
		exit_code: result.exitCode,
		stdout: result.stdout,
		stderr: result.stderr,
		start_time: goTime(result.startedAt),
		end_time: goTime(result.endedAt),
		duration_ms: result.durationMs,
		error: result.error ?? undefined,
		snapshot: result.snapshot ?? undefined,
		truncated: result.isTruncated ?? undefined,
	});

export function encodeQuickCmdRefused({ httpStatus, error, details }: QuickCmdRefused): QuickCmdHttpAnswer {
	if (httpStatus === 404 || httpStatus === 405) return quickCmdText(httpStatus, error);
	return json(httpStatus, details === null ? { error } : { details, error });
}

export const quickCmdRefused = (httpStatus: number, error: string, details: string | null = null): QuickCmdRefused => ({
	kind: 'refused',
	httpStatus,
	error,
	details,
});

/** Refusals in the words of the original, and our own in its manner. */
export const quickCmdRefusals = {
	invalidJson: (details: string) => quickCmdRefused(400, 'Invalid JSON payload', details),
	invalidJob: (details: string) => quickCmdRefused(400, 'Invalid job', `INVALID_JOB: ${details}`),
	invalidSignature: () => quickCmdRefused(401, 'Invalid signature', 'INVALID_SIGNATURE: Invalid job signature'),
	expired: () => quickCmdRefused(401, 'Job expired or too old', 'JOB_EXPIRED: Job has expired (TTL exceeded)'),
	tooOld: () =>
		quickCmdRefused(401, 'Job expired or too old', 'JOB_TOO_OLD: Job timestamp too old (possible replay attack)'),
	tooEarly: () => quickCmdRefused(401, 'Job expired or too old', 'JOB_TOO_EARLY: Job timestamp lies in the future'),
	ttlTooLong: () =>
		quickCmdRefused(401, 'Job expired or too old', 'JOB_TTL_TOO_LONG: Job ttl lies too far behind its timestamp'),
	controllerNotAllowed: () => quickCmdRefused(403, 'Controller not allowed'),
	wrongDevice: (details: string) => quickCmdRefused(403, 'Device not bound', `DEVICE_BINDING: ${details}`),
	insufficientScopes: () =>
		quickCmdRefused(403, 'Insufficient scopes', 'INSUFFICIENT_SCOPES: Insufficient scopes for job execution'),
	replayed: (details: string) => quickCmdRefused(409, 'Job already submitted', `JOB_REPLAYED: ${details}`),
	unauthorized: () => quickCmdRefused(401, 'Unauthorized', 'UNAUTHORIZED: This read needs a proof'),
	originNotAllowed: () => quickCmdRefused(403, 'Origin not allowed'),
	notFound: () => quickCmdRefused(404, 'Job not found'),
	methodNotAllowed: () => quickCmdRefused(405, 'Method not allowed'),
} as const;

export const encodeQuickCmdHealth = (nowSeconds: number): QuickCmdHttpAnswer =>
	json(200, { status: 'healthy', timestamp: nowSeconds });

export interface QuickCmdCounts {
	readonly total: number;
	readonly running: number;
	readonly completed: number;
	readonly failed: number;
}

const metric = (name: string, type: string, help: string, value: number): string =>
	`# HELP quickcmd_agent_${name} ${help}\n# TYPE quickcmd_agent_${name} ${type}\nquickcmd_agent_${name} ${value}\n`;

/** The last two keep the names of the original, which a counter may not have in Prometheus: so they say no type. */
export const encodeQuickCmdMetrics = (counts: QuickCmdCounts): string =>
	[
		metric('jobs_total', 'counter', 'Total number of jobs', counts.total),
		metric('jobs_running', 'gauge', 'Currently running jobs', counts.running),
		metric('jobs_completed', 'untyped', 'Total completed jobs', counts.completed),
		metric('jobs_failed', 'untyped', 'Total failed jobs', counts.failed),
	].join('\n');

/** One piece of a stream; the last one is empty and final. */
export interface QuickCmdFrame {
	readonly jobId: string;
	readonly at: number;
	readonly stream: 'stdout' | 'stderr' | '';
	readonly data: string;
	readonly isFinal: boolean;
}

export const encodeQuickCmdFrame = ({ jobId, at, stream, data, isFinal }: QuickCmdFrame): string =>
	`${goJson(goStruct({ job_id: jobId, timestamp: goTime(at), stream, data, final: isFinal }))}\n`;

const time = z.string().transform((text, context) => {
	if (text.startsWith('0001-')) return null;
	const ms = Date.parse(text);
	if (Number.isFinite(ms)) return ms;
	context.addIssue('is no time');
	return z.NEVER;
});

/** An original that sends `rejected` all the same means that nothing ran. */
const status = z.enum([...quickCmdStatuses, 'rejected']).transform((word) => (word === 'rejected' ? 'failed' : word));

const resultSchema = z
	.object({
		status,
		sandbox_id: z.string().default(''),
		exit_code: z.int(),
		stdout: z.string(),
		stderr: z.string(),
		start_time: time.nullish(),
		end_time: time.nullish(),
		duration_ms: z.number().default(0),
		error: z.string().nullish(),
		snapshot: z.string().nullish(),
		truncated: z.boolean().nullish(),
	})
	.transform(
		(read): QuickCmdResult => ({
			status: read.status,
			sandboxId: read.sandbox_id,
			exitCode: read.exit_code,
			stdout: read.stdout,
			stderr: read.stderr,
			startedAt: read.start_time ?? null,
			endedAt: read.end_time ?? null,
			durationMs: read.duration_ms,
			error: read.error ?? null,
			snapshot: read.snapshot ?? null,
			isTruncated: read.truncated ?? null,
		}),
	);

const acceptedSchema = z.object({ job_id: z.string(), status, message: z.string().nullish() });
const jobSchema = acceptedSchema.extend({ result: resultSchema.nullish() });
const refusedSchema = z.object({ error: z.string(), details: z.string().nullish() });
const frameSchema = z.object({
	job_id: z.string(),
	timestamp: time,
	stream: z.enum(['stdout', 'stderr', '']),
	data: z.string(),
	final: z.boolean(),
});

/** What a client makes of the answer to a submit or a cancel; undefined when it is none. */
export function decodeQuickCmdAccepted(
	httpStatus: number,
	body: Uint8Array,
): QuickCmdAccepted | QuickCmdRefused | undefined {
	if (httpStatus > 299) return decodeRefused(httpStatus, body);
	const { data } = acceptedSchema.safeParse(valueIn(body));
	return data && { kind: 'accepted', jobId: data.job_id, status: data.status, message: data.message ?? null };
}

/** What a client makes of the answer to a question for a job; undefined when it is none. */
export function decodeQuickCmdJob(httpStatus: number, body: Uint8Array): QuickCmdJob | QuickCmdRefused | undefined {
	if (httpStatus > 299) return decodeRefused(httpStatus, body);
	const { data } = jobSchema.safeParse(valueIn(body));
	return (
		data && {
			kind: 'job',
			jobId: data.job_id,
			status: data.status,
			result: data.result ?? null,
			message: data.message ?? null,
		}
	);
}

export function decodeQuickCmdFrame(text: string): QuickCmdFrame | undefined {
	const { data } = frameSchema.safeParse(valueIn(Buffer.from(text)));
	return (
		data && {
			jobId: data.job_id,
			at: data.timestamp ?? 0,
			stream: data.stream,
			data: data.data,
			isFinal: data.final,
		}
	);
}

function valueIn(body: Uint8Array): unknown {
	const read = readJson(body);
	return read.ok ? read.value : undefined;
}

/** JSON, or a line of text as Go's http.Error writes it. */
function decodeRefused(httpStatus: number, body: Uint8Array): QuickCmdRefused {
	const { data } = refusedSchema.safeParse(valueIn(body));
	if (data) return quickCmdRefused(httpStatus, data.error, data.details ?? null);
	const line = new TextDecoder().decode(body.subarray(0, 200)).trim();
	return quickCmdRefused(httpStatus, /^[\w .:-]{1,100}$/.test(line) ? line : `HTTP status ${httpStatus}`);
}

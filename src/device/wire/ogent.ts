/** The wire of Ogent's Command Execution Service, in its three dialects: both sides of every exchange. Pure. */
import { z } from 'zod';
import { readJson, wholeText } from './json.ts';

/** Where each dialect submits and asks. `:id` is an execution; a POST to `<execution>/cancel` cancels it. */
export const ogentDialects = {
	/** The service itself: answers at once, and is asked for the rest. */
	service: { submit: '/api/execute', execution: '/api/execution/:id' },
	/** Its documents: the same with an id that the caller may choose. */
	documents: { submit: '/api/commands', execution: '/api/commands/:id' },
	/** Its LangChain client: answers when the command has ended. */
	langchain: { submit: '/api/commands/execute', execution: '/api/commands/:id' },
} as const;
export type OgentDialect = keyof typeof ogentDialects;

export const ogentAllowedPath = '/api/commands/allowed';
export const ogentValidatePath = '/api/commands/validate';

/** The same path behind the gateway, which serves `/api/…` as `/commands/…`. */
export const ogentGatewayPath = (path: string): string => path.replace(/^\/api\//, '/commands/');

/** An id that a caller may choose: no path, nothing that has to be escaped in one, and no name of a route. */
const executionIdPattern = /^(?!\.+$|(?:allowed|execute|validate)$)[A-Za-z0-9._:-]{1,128}$/;
export const isOgentExecutionId = (id: string): boolean => executionIdPattern.test(id);

/** What is to be run. Everything but the command only narrows what the agent allows; absent: as the agent has it. */
export interface OgentSubmit {
	/** Empty: nothing that could be allowed. */
	readonly command: string;
	/** Only where the dialect lets the caller choose; the agent takes it everywhere. */
	readonly executionId?: string | undefined;
	readonly timeoutSeconds?: number | undefined;
	readonly allowedPaths?: readonly string[] | undefined;
	readonly memoryMegabytes?: number | undefined;
	readonly networkAccess?: boolean | undefined;
}

const executionId = z.string().regex(executionIdPattern).nullish();

/** A member that the protocol does not know says nothing, as to the original. */
const submitSchema = z
	.object({
		command: wholeText,
		executionId,
		execution_id: executionId,
		timeout: z.number().positive().nullish(),
		allowed_paths: z
			.array(wholeText.max(4096).regex(/^\/[^\0]*$/))
			.max(100)
			.nullish(),
		memory_limit: z.number().positive().nullish(),
		network_access: z.boolean().nullish(),
	})
	.refine(
		(body) => !body.executionId || !body.execution_id || body.executionId === body.execution_id,
		'executionId and execution_id differ',
	);

export type OgentReading = { readonly submit: OgentSubmit } | { readonly refused: OgentRefused };

/** Reads the body of a request that submits or validates a command. */
export function decodeOgentSubmit(body: Uint8Array): OgentReading {
	const json = readJson(body);
	if (!json.ok) return refuse('Invalid request', `the body ${json.why}`);
	const command = commandIn(json.value);
	if (command === undefined) return refuse('Command is required');
	if (typeof command !== 'string') return refuse('Command must be a string');
	const { data, error } = submitSchema.safeParse(json.value);
	if (error) return refuse('Invalid request', z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' '));
	return {
		submit: {
			command: data.command,
			executionId: data.executionId ?? data.execution_id ?? undefined,
			timeoutSeconds: data.timeout ?? undefined,
			allowedPaths: data.allowed_paths ?? undefined,
			memoryMegabytes: data.memory_limit ?? undefined,
			networkAccess: data.network_access ?? undefined,
		},
	};
}

const refuse = (error: string, reason?: string): OgentReading => ({ refused: ogentRefused(400, error, reason) });

const commandIn = (value: unknown): unknown =>
	typeof value === 'object' && value !== null && Object.hasOwn(value, 'command')
		? (value as { command: unknown }).command
		: undefined;

/** @returns the body of a request; what is not asked for is not in it */
export function encodeOgentSubmit(submit: OgentSubmit): string {
	const { command, executionId, timeoutSeconds, allowedPaths, memoryMegabytes, networkAccess } = submit;
	return JSON.stringify({
		command,
		executionId,
		timeout: timeoutSeconds,
		allowed_paths: allowedPaths,
		memory_limit: memoryMegabytes,
		network_access: networkAccess,
	});
}

export const ogentStatuses = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type OgentStatus = (typeof ogentStatuses)[number];

/** All that is known of an execution. Null: not known, or not said. */
export interface OgentExecution {
	readonly kind: 'execution';
	readonly executionId: string;
	readonly status: OgentStatus;
	readonly message: string | null;
	readonly command: string | null;
	/** What it printed so far, or in all. */
	readonly output: string | null;
	/** stderr, and why it ended if it did not end by itself. */
	readonly error: string | null;
	/** Null also for a command that was ended from outside. */
	readonly exitCode: number | null;
	/** ISO 8601; an original leaves the zone out. */
	readonly startTime: string | null;
	readonly endTime: string | null;
	readonly elapsedSeconds: number | null;
	/** Something that it printed is not in this answer. */
	readonly isTruncated: boolean | null;
}

export interface OgentRefused {
	readonly kind: 'refused';
	readonly httpStatus: number;
	readonly error: string;
	readonly reason: string | null;
}

export const ogentRefused = (httpStatus: number, error: string, reason: string | null = null): OgentRefused => ({
	kind: 'refused',
	httpStatus,
	error,
	reason,
});

/** The id in both spellings: the service says one, its own tests ask for the other. */
const executionBody = (execution: OgentExecution): Record<string, unknown> => ({
	executionId: execution.executionId,
	execution_id: execution.executionId,
	status: execution.status,
	message: execution.message,
	command: execution.command,
	output: execution.output,
	error: execution.error,
	exitCode: execution.exitCode,
	startTime: execution.startTime,
	endTime: execution.endTime,
	elapsedTime: execution.elapsedSeconds,
	truncated: execution.isTruncated,
});

const known = (body: Record<string, unknown>): Record<string, unknown> =>
	Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));

export const encodeOgentExecution = (execution: OgentExecution): Record<string, unknown> =>
	known(executionBody(execution));

/** The answer that the LangChain client waits for: the same, and the names that it reads. */
export const encodeOgentRun = (execution: OgentExecution, durationMs: number | null): Record<string, unknown> =>
	known({
		...executionBody(execution),
		stdout: execution.output,
		stderr: execution.error,
		exit_code: execution.exitCode,
		duration_ms: durationMs,
	});

export const encodeOgentRefused = ({ error, reason }: OgentRefused): Record<string, unknown> =>
	known({ error, reason });

const text = z.string().nullish();
const executionSchema = z.object({
	executionId: z.union([z.string(), z.int()]).nullish(),
	execution_id: z.union([z.string(), z.int()]).nullish(),
	status: z.string(),
	message: text,
	command: text,
	output: text,
	stdout: text,
	error: text,
	stderr: text,
	exitCode: z.int().nullish(),
	exit_code: z.int().nullish(),
	startTime: text,
	endTime: text,
	elapsedTime: z.number().nullish(),
	truncated: z.boolean().nullish(),
});

/** Other words for a status that documents and other versions use. */
const otherWords: Readonly<Record<string, OgentStatus>> = {
	scheduled: 'queued',
	pending: 'queued',
	canceled: 'cancelled',
	success: 'completed',
	error: 'failed',
};

const statusOf = (word: string): OgentStatus | undefined =>
	ogentStatuses.find((status) => status === word) ?? otherWords[word];

/**
 * What a client makes of the answer to a submit, a question or a cancel, ours or an original's.
 * @returns undefined when it is none
 */
export function decodeOgentExecution(httpStatus: number, body: Uint8Array): OgentExecution | OgentRefused | undefined {
	const json = readJson(body);
	const value = json.ok ? json.value : undefined;
	if (httpStatus < 200 || httpStatus > 299) return decodeOgentRefused(httpStatus, value);
	const { data } = executionSchema.safeParse(value);
	const executionId = data?.executionId ?? data?.execution_id;
	const status = data && statusOf(data.status);
	if (!data || !status || executionId === null || executionId === undefined) return undefined;
	return {
		kind: 'execution',
		executionId: String(executionId),
		status,
		message: data.message ?? null,
		command: data.command ?? null,
		output: data.output ?? data.stdout ?? null,
		error: data.error ?? data.stderr ?? null,
		exitCode: data.exitCode ?? data.exit_code ?? null,
		startTime: data.startTime ?? null,
		endTime: data.endTime ?? null,
		elapsedSeconds: data.elapsedTime ?? null,
		isTruncated: data.truncated ?? null,
	};
}

const refusedSchema = z.union([
	z.object({ error: z.string(), reason: z.string().nullish() }),
	z.object({ message: z.string() }).transform(({ message }) => ({ error: message, reason: null })),
]);

/** Also of the authentication service, which says "message"; some originals answer with a page of HTML. */
export function decodeOgentRefused(httpStatus: number, value: unknown): OgentRefused {
	const { data } = refusedSchema.safeParse(value);
	return ogentRefused(httpStatus, data?.error ?? `HTTP status ${httpStatus}`, data?.reason ?? null);
}

/** The names that may stand first in a command. */
export const encodeOgentAllowed = (commands: readonly string[]): Record<string, unknown> => ({
	allowed_commands: [...commands],
});

export function decodeOgentAllowed(body: Uint8Array): string[] | undefined {
	const json = readJson(body);
	return json.ok
		? z.object({ allowed_commands: z.array(z.string()) }).safeParse(json.value).data?.allowed_commands
		: undefined;
}

export interface OgentValidation {
	readonly isValid: boolean;
	readonly reason: string;
}

/** In the words of the client, and in those of the tool above it. */
export const encodeOgentValidation = ({ isValid, reason }: OgentValidation): Record<string, unknown> => ({
	is_valid: isValid,
	reason,
	valid: isValid,
	message: reason,
});

export function decodeOgentValidation(body: Uint8Array): OgentValidation | undefined {
	const json = readJson(body);
	const schema = z.object({ is_valid: z.boolean(), reason: z.string().nullish() });
	const { data } = schema.safeParse(json.ok ? json.value : undefined);
	return data && { isValid: data.is_valid, reason: data.reason ?? '' };
}

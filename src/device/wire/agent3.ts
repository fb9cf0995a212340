/** The wire of Agent3: one route, three operations, both sides of each. Its names and numbers are those of the original. Pure. */
import { z } from 'zod';
import { readJson, wholeText } from './json.ts';

export const agent3TokenHeader = 'x-auth-token';
/** Characters of each stream that stand in the answer to "shell" (90 * 1024), and the default of a read. */
export const agent3InlineCharacters = 92_160;
/** The most that one read answers with, whatever limit is asked for. */
export const agent3PageCharacters = 1_048_576;
export const agent3TimeoutMs = 45_000;
/** Exit code of a job that waits for approval, or that has not ended yet. */
export const agent3PendingExitCode = 126;

/** Offsets and limits count characters (code points), as the original's Python does. */
export type Agent3Request =
	| { readonly op: 'shell'; readonly cmd: string }
	| { readonly op: 'read_session'; readonly session: string; readonly offset: number; readonly limit: number }
	| { readonly op: 'close_session'; readonly session: string };

const operations = ['shell', 'read_session', 'close_session'] as const;

/** A member that the protocol does not know says nothing, as to the original. */
const envelopeSchema = z.object({ op: z.unknown().optional(), args: z.unknown().optional() });

/** What Python takes for nothing is no command. */
const shellSchema = z.object({ cmd: z.union([wholeText, z.literal([null, false, 0])]).optional() });
const sessionSchema = z.object({ session: z.string().optional() });
const pageArgsSchema = sessionSchema.extend({
	/** Below zero it counts from the end, as in Python. */
	offset: z.int().default(0),
	limit: z.int().min(0).default(agent3InlineCharacters),
});

/** What the server makes of a body: the request, or the answer that refuses it. */
export type Agent3Reading = { readonly request: Agent3Request } | { readonly refused: Agent3Refused };

export function decodeAgent3Request(body: Uint8Array): Agent3Reading {
	const json = readJson(body);
	if (!json.ok) return invalid(`the body ${json.why}`);
	const envelope = envelopeSchema.safeParse(json.value);
	if (!envelope.success) return invalid(wordsOf(envelope.error));
	const { op: asked, args = {} } = envelope.data;
	const op = operations.find((name) => name === asked);
	if (!op) return { refused: agent3Refused(400, 'Invalid op', `op is one of ${operations.join(', ')}`) };
	return readers[op](args);
}

/** Of the arguments only those of the operation are read; clients with one form for all three send the others, too. */
const readers: Readonly<Record<Agent3Request['op'], (args: unknown) => Agent3Reading>> = {
	shell: (args) =>
		reading(shellSchema.safeParse(args), ({ cmd }) => (cmd ? { request: { op: 'shell', cmd } } : missing('cmd'))),
	read_session: (args) =>
		reading(pageArgsSchema.safeParse(args), ({ session, ...part }) =>
			session ? { request: { op: 'read_session', session, ...part } } : missing('session'),
		),
	close_session: (args) =>
		reading(sessionSchema.safeParse(args), ({ session }) =>
			session ? { request: { op: 'close_session', session } } : missing('session'),
		),
};

const reading = <Args>(
	{ data, error }: z.ZodSafeParseResult<Args>,
	requestOf: (args: Args) => Agent3Reading,
): Agent3Reading => (error ? invalid(`args: ${wordsOf(error)}`) : requestOf(data));

const missing = (name: string): Agent3Reading => ({ refused: agent3Refused(400, `Missing ${name}`) });

const wordsOf = (error: z.ZodError): string => z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' ');

const invalid = (reason: string): Agent3Reading => ({ refused: agent3Refused(400, 'Invalid request', reason) });

/** @returns the body of a request */
export function encodeAgent3Request(request: Agent3Request): string {
	const { op, ...args } = request;
	return JSON.stringify({ op, args });
}

/** The answer to "shell". `done`: it ran. `approval_required`: it did not, yet; the session will hold what came of it. */
export interface Agent3Shell {
	readonly kind: 'shell';
	readonly stdout: string;
	readonly stderr: string;
	/** Negative: the number of the signal that ended it. */
	readonly exitCode: number;
	readonly session: string;
	readonly status: 'done' | 'approval_required';
	/** Something of the output is not in this answer. Null: an original, which does not say. */
	readonly isTruncated: boolean | null;
	/** Characters of stdout that the session holds. Null: an original. */
	readonly totalCharacters: number | null;
}

/** The answer to "read_session". */
export interface Agent3Page {
	readonly kind: 'page';
	readonly stdout: string;
	readonly stderr: string;
	readonly exitCode: number;
	/** `running` and `approval_required`: the exit code is not one yet. Null: an original. */
	readonly status: 'done' | 'running' | 'approval_required' | null;
	/** Something that the command printed was not kept. Null: an original. */
	readonly isTruncated: boolean | null;
	readonly totalCharacters: number | null;
	/** Where the next page begins. Null: an original. */
	readonly nextOffset: number | null;
	/** Nothing follows this page, now or later. Null: an original. */
	readonly isEnd: boolean | null;
}

export interface Agent3Closed {
	readonly kind: 'closed';
}

/** Nothing was done. An original knows the statuses 400, 403, 404, 405 and 500, some of them without a word of JSON. */
export interface Agent3Refused {
	readonly kind: 'refused';
	readonly httpStatus: number;
	readonly error: string;
	readonly reason: string | null;
}

export type Agent3Answer = Agent3Shell | Agent3Page | Agent3Closed | Agent3Refused;

export const agent3Refused = (httpStatus: number, error: string, reason: string | null = null): Agent3Refused => ({
	kind: 'refused',
	httpStatus,
	error,
	reason,
});

export interface Agent3HttpAnswer {
	readonly httpStatus: number;
	readonly body: Readonly<Record<string, unknown>>;
}

export function encodeAgent3Answer(answer: Agent3Answer): Agent3HttpAnswer {
	if (answer.kind === 'closed') return { httpStatus: 200, body: { status: 'closed' } };
	if (answer.kind === 'refused') {
		const { httpStatus, error, reason } = answer;
		return { httpStatus, body: reason === null ? { error } : { error, reason } };
	}
	return { httpStatus: 200, body: defined(answer.kind === 'shell' ? shellBody(answer) : pageBody(answer)) };
}

const shellBody = (answer: Agent3Shell): Record<string, unknown> => ({
	stdout: answer.stdout,
	stderr: answer.stderr,
	exit_code: answer.exitCode,
	session: answer.session,
	status: answer.status,
	truncated: answer.isTruncated,
	total_chars: answer.totalCharacters,
});

const pageBody = (answer: Agent3Page): Record<string, unknown> => ({
	stdout: answer.stdout,
	stderr: answer.stderr,
	exit_code: answer.exitCode,
	status: answer.status,
	truncated: answer.isTruncated,
	total_chars: answer.totalCharacters,
	next_offset: answer.nextOffset,
	eof: answer.isEnd,
});

/** What an original does not say is not said. */
const defined = (body: Record<string, unknown>): Record<string, unknown> =>
	Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));

const resultSchema = z.object({ stdout: z.string(), stderr: z.string(), exit_code: z.int() });
const extrasSchema = z.object({
	truncated: z.boolean().nullable().default(null),
	total_chars: z.int().nullable().default(null),
});
const shellAnswerSchema = resultSchema.extend({
	...extrasSchema.shape,
	session: z.string(),
	status: z.enum(['done', 'approval_required']),
});
const pageSchema = resultSchema.extend({
	...extrasSchema.shape,
	status: z.enum(['done', 'running', 'approval_required']).nullable().default(null),
	next_offset: z.int().nullable().default(null),
	eof: z.boolean().nullable().default(null),
});
const closedSchema = z.object({ status: z.literal('closed') });
const refusedSchema = z.object({ error: z.string(), reason: z.string().nullable().catch(null).default(null) });

/**
 * What a client makes of an answer, ours or an original's.
 * @returns undefined when it is none that fits the operation
 */
export function decodeAgent3Answer(
	op: Agent3Request['op'],
	httpStatus: number,
	body: Uint8Array,
): Agent3Answer | undefined {
	const json = readJson(body);
	if (httpStatus !== 200) return decodeRefused(httpStatus, json.ok ? json.value : null);
	if (!json.ok) return undefined;
	if (op === 'close_session') return closedSchema.safeParse(json.value).success ? { kind: 'closed' } : undefined;
	return op === 'shell' ? decodeShell(json.value) : decodePage(json.value);
}

function decodeRefused(httpStatus: number, value: unknown): Agent3Refused {
	const refused = refusedSchema.safeParse(value);
	if (!refused.success) return agent3Refused(httpStatus, `HTTP status ${httpStatus}`);
	return agent3Refused(httpStatus, refused.data.error, refused.data.reason);
}

function decodeShell(value: unknown): Agent3Shell | undefined {
	const { data } = shellAnswerSchema.safeParse(value);
	if (!data) return undefined;
	const { stdout, stderr, exit_code, session, status, truncated, total_chars } = data;
	const extras = { isTruncated: truncated, totalCharacters: total_chars };
	return { kind: 'shell', stdout, stderr, exitCode: exit_code, session, status, ...extras };
}

function decodePage(value: unknown): Agent3Page | undefined {
	const { data } = pageSchema.safeParse(value);
	if (!data) return undefined;
	const { stdout, stderr, exit_code, status, truncated, total_chars, next_offset, eof } = data;
	const extras = { isTruncated: truncated, totalCharacters: total_chars, nextOffset: next_offset, isEnd: eof };
	return { kind: 'page', stdout, stderr, exitCode: exit_code, status, ...extras };
}

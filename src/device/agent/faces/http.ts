/** What faces over HTTP have in common: bodies as bytes, and every failure as one plain value with a status below 500 unless an operator must act. */
import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, KnownError, knownErrors } from '../../../contract/error.ts';
import type { Problem } from '../../../contract/job.ts';
import type { Log } from '../face.ts';

export interface Failure {
	readonly httpStatus: number;
	/** A few words that name the kind. */
	readonly error: string;
	readonly reason: string | null;
	/** Seconds until it is worth another try. */
	readonly retryAfter?: number;
}

const kinds: Readonly<Record<number, string>> = {
	400: 'Invalid request',
	401: 'Unauthorized',
	403: 'Command not allowed',
	404: 'Not found',
	405: 'Method not allowed',
	408: 'Request timed out',
	409: 'Conflict',
	413: 'Request too large',
	415: 'Content-Type must be application/json',
	429: 'Too many requests',
	503: 'Not available',
};

export const kindOf = (httpStatus: number): string => kinds[httpStatus] ?? (httpStatus < 500 ? 'Refused' : 'Failed');

/** What is too much is the caller's to slow down, so it is no failure of the agent. */
const tooMuch: readonly string[] = ['QUEUE_FULL', 'APPROVALS_FULL', 'RATE_LIMITED'] satisfies ErrorCode[];

/** A job of which nothing ran, in the words of its problem. */
export function failureOf({ code, message }: Problem): Failure {
	if (tooMuch.includes(code)) return { httpStatus: 429, error: kindOf(429), reason: message, retryAfter: 5 };
	const httpStatus = code in knownErrors ? knownErrors[code as ErrorCode].http : 403;
	return { httpStatus, error: kindOf(httpStatus), reason: message };
}

/** A body that is not fit for its route, as Fastify tells it. */
function failureOfRequest({ statusCode = 500, message }: FastifyError): Failure | undefined {
	if (statusCode < 400 || statusCode > 499) return undefined;
	return { httpStatus: statusCode, error: kindOf(statusCode), reason: statusCode === 415 ? null : message };
}

export function failureFor(error: unknown, log: Log): Failure {
	const known = KnownError.is(error) ? failureOf(error.problem) : failureOfRequest(error as FastifyError);
	if (known) return known;
	const id = randomUUID();
	log.error({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a face failed');
	return failureOf(new KnownError('INTERNAL', { id }).problem);
}

export type SendFailure = (failure: Failure, reply: FastifyReply) => FastifyReply;

/** Every failure of these routes is answered in the face's own shape. */
export function answerFailures(scope: FastifyInstance, log: Log, send: SendFailure): void {
	scope.setErrorHandler((error, _request, reply) => {
		const failure = failureFor(error, log);
		if (failure.retryAfter !== undefined) reply.header('retry-after', failure.retryAfter);
		return send(failure, reply);
	});
}

const isJson = (type: string | undefined): boolean => /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type ?? '');

/** Bodies arrive as bytes, whatever they call themselves; the codecs read them. */
export function takeBytes(scope: FastifyInstance): void {
	scope.removeAllContentTypeParsers();
	scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** Hides what a body calls itself, so that nothing but its bytes decides. */
export async function ignoreContentType({ raw }: FastifyRequest): Promise<void> {
	if (raw.headers['content-type'] !== undefined) raw.headers['content-type'] = 'application/octet-stream';
}

/** Throws for a body that does not call itself JSON. */
export async function requireJson({ headers }: FastifyRequest): Promise<void> {
	if (isJson(headers['content-type'])) return;
	throw Object.assign(new Error(kindOf(415)), { statusCode: 415 });
}

export const bodyOf = ({ body }: FastifyRequest): Uint8Array => (body instanceof Uint8Array ? body : new Uint8Array());

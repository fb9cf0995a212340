/** What faces over HTTP have in common: bodies as bytes, and every failure as one plain value with a status below 500 unless an operator must act. */
import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, KnownError, knownErrors } from '../../../contract/error.ts';
import type { Problem } from '../../../contract/job.ts';
import type { Face, Log } from '../face.ts';
import { methodsOf } from '../routes.ts';

export interface Failure {
	readonly httpStatus: number;
	/** A few words that name the kind. */
	readonly error: string;
	readonly reason: string | null;
}

/** Ends a request early. */
export class Refusal extends Error {
	readonly failure: Failure;

	constructor(failure: Failure) {
		super(failure.error);
		this.failure = failure;
	}
}

export function refuse(httpStatus: number, error: string, reason: string | null = null): never {
	throw new Refusal({ httpStatus, error, reason });
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

const kindOf = (httpStatus: number): string => kinds[httpStatus] ?? (httpStatus < 500 ? 'Refused' : 'Failed');

/** What is too much is the caller's to slow down, so it is no failure of the agent. */
const tooMuch: readonly string[] = ['QUEUE_FULL', 'APPROVALS_FULL', 'RATE_LIMITED'] satisfies ErrorCode[];

/** A job of which nothing ran, in the words of its problem. */
export function failureOf({ code, message }: Problem): Failure {
	const known = code in knownErrors ? knownErrors[code as ErrorCode].http : 403;
	const httpStatus = tooMuch.includes(code) ? 429 : known;
	return { httpStatus, error: kindOf(httpStatus), reason: message };
}

/** A body that is not fit for its route, as Fastify tells it. */
function failureOfRequest({ statusCode = 500, message }: FastifyError): Failure | undefined {
	if (statusCode < 400 || statusCode > 499) return undefined;
	return { httpStatus: statusCode, error: kindOf(statusCode), reason: message };
}

function failureFor(error: unknown, log: Log): Failure {
	if (error instanceof Refusal) return error.failure;
	const known = KnownError.is(error) ? failureOf(error.problem) : failureOfRequest(error as FastifyError);
	if (known) return known;
	const id = randomUUID();
	log.error({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a face failed');
	return failureOf(new KnownError('INTERNAL', { id }).problem);
}

export type SendFailure = (reply: FastifyReply, failure: Failure) => FastifyReply;

/** Seconds after which it is worth another try. */
const retrySeconds = 5;

/** Every failure of these routes, and every path and method that is not there, is answered in the face's own shape. */
export function answerFailures(scope: FastifyInstance, face: Face, log: Log, send: SendFailure): void {
	scope.setErrorHandler((error, _request, reply) => {
		const failure = failureFor(error, log);
		if (failure.httpStatus === 429) reply.header('retry-after', retrySeconds);
		if (failure.httpStatus === 401) reply.header('www-authenticate', 'Bearer');
		return send(reply, failure);
	});
	scope.setNotFoundHandler((request, reply) => {
		const methods = methodsOf([face], request.url);
		const httpStatus = methods.length === 0 ? 404 : 405;
		if (httpStatus === 405) reply.header('allow', methods.join(', '));
		return send(reply, { httpStatus, error: kindOf(httpStatus), reason: null });
	});
}

const isJson = (type: string | undefined): boolean => /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type ?? '');

/** Bodies arrive as bytes, whatever they call themselves; the codecs read them. */
export function takeBytes(scope: FastifyInstance): void {
	scope.removeAllContentTypeParsers();
	scope.addContentTypeParser('*', { parseAs: 'buffer' }, ({ headers }, body, done) => {
		const isPlain = /^(identity)?$/i.test(headers['content-encoding']?.trim() ?? '');
		done(isPlain ? null : new KnownError('REQUEST_INVALID', { details: 'its body is compressed' }), body);
	});
}

/** Hides what a body calls itself, so that nothing but its bytes decides. */
export async function ignoreContentType({ raw }: FastifyRequest): Promise<void> {
	if (raw.headers['content-type'] !== undefined) raw.headers['content-type'] = 'application/octet-stream';
}

/** Throws for a body that does not call itself JSON. */
export async function requireJson({ headers }: FastifyRequest): Promise<void> {
	if (isJson(headers['content-type'])) return;
	refuse(415, kindOf(415));
}

export const bodyOf = ({ body }: FastifyRequest): Uint8Array => (body instanceof Uint8Array ? body : new Uint8Array());

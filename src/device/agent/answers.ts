/** Refusals and failures on their way to a peer: one of our errors, in one shape, whatever went wrong. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { type ErrorCode, type ErrorContext, KnownError, problemFor } from '../../contract/error.ts';
import type { Log } from './face.ts';

/** An error that every face would answer in the same way; faces may answer in their own. */
export const errorBody = (code: ErrorCode, context: ErrorContext = {}) => ({ error: problemFor(code, context) });

/** What the framework or a part throws, as one of our errors. */
export function knownFor(error: unknown, bodyBytes: number): KnownError {
	if (KnownError.is(error)) return error;
	const { statusCode, code } = error as { statusCode?: number; code?: string };
	if (statusCode === 413) return new KnownError('REQUEST_TOO_LARGE', { limit: bodyBytes });
	if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
		return new KnownError('REQUEST_INVALID', { details: 'its content type is not JSON' });
	if (statusCode !== undefined && statusCode < 500)
		return new KnownError('REQUEST_INVALID', { details: 'it could not be read' });
	return new KnownError('INTERNAL', { id: randomUUID().slice(0, 8) }, { cause: error });
}

/** A bug of ours leaves its story in the log, under the id that the peer is told. */
function report({ row, cause, problem }: KnownError, log: Log): void {
	if (row.audience !== 'maintainer') return;
	log.error({ problem: problem.message, stack: (cause as Error | undefined)?.stack }, 'a request failed');
}

export function sendError(error: KnownError, reply: FastifyReply, log: Log): void {
	report(error, log);
	if (error.code === 'RATE_LIMITED') reply.header('Retry-After', retryAfter(error));
	reply.code(error.row.http).send({ error: error.problem });
}

/** The seconds stand in the words of the problem. */
const retryAfter = ({ problem }: KnownError): string => /\d+/.exec(problem.next)?.[0] ?? '1';

/** For sockets that are no request of the server any more. @param status code and words */
export function endRaw(socket: Duplex, status: string, body: string): void {
	const head = [
		`HTTP/1.1 ${status}`,
		'Content-Type: application/json',
		`Content-Length: ${Buffer.byteLength(body)}`,
		'Connection: close',
	];
	socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** The same for a known error. */
export function refuseRaw(socket: Duplex, error: KnownError, log: Log): void {
	report(error, log);
	const { http } = error.row;
	endRaw(socket, `${http} ${STATUS_CODES[http] ?? ''}`, JSON.stringify({ error: error.problem }));
}

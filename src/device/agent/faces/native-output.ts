/** The calls of the native protocol that read what a job printed: pages, the last lines, a search. */
import type { FastifyReply } from 'fastify';
import type { Principal } from '../../../contract/principal.ts';
import type { OutputStream } from '../../../core/sandbox/backend.ts';
import { type NativeHits, pageHeaders } from '../../wire/native.ts';
import { encodePage } from '../../wire/native-codec.ts';
import type { FaceParts } from '../face.ts';
import type { OutputPage } from '../ports.ts';
import type { Handlers } from './native-call.ts';
import { jobFor } from './native-jobs.ts';

type OutputHandlers = Pick<Handlers, 'readOutput' | 'tailOutput' | 'searchOutput'>;

function sendBytes(reply: FastifyReply, page: OutputPage): FastifyReply {
	for (const [field, header] of Object.entries(pageHeaders))
		reply.header(header, String(page[field as keyof typeof pageHeaders]));
	return reply.type('application/octet-stream').send(page.bytes);
}

export function outputHandlers(parts: Pick<FaceParts, 'jobs'>): OutputHandlers {
	const { jobs } = parts;
	const answer = (reply: FastifyReply, stream: OutputStream, raw: '1' | undefined, page: OutputPage) =>
		raw === '1' ? sendBytes(reply, page) : encodePage(stream, page);
	const idOf = (principal: Principal, jobId: string): string => jobFor(parts, principal, jobId).jobId;
	return {
		async readOutput({ caller, params, query: { offset, limit, raw }, reply }) {
			const jobId = idOf(caller.principal, params.jobId);
			return answer(reply, params.stream, raw, await jobs.read(jobId, params.stream, offset, limit));
		},
		async tailOutput({ caller, params, query: { lines, raw }, reply }) {
			const jobId = idOf(caller.principal, params.jobId);
			return answer(reply, params.stream, raw, await jobs.tail(jobId, params.stream, lines));
		},
		async searchOutput({ caller, params: { jobId, stream }, query: { pattern, limit } }): Promise<NativeHits> {
			const hits = await jobs.grep(idOf(caller.principal, jobId), stream, pattern, limit + 1);
			return { stream, hits: hits.slice(0, limit), isCut: hits.length > limit };
		},
	};
}

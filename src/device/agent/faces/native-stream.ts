/** Streams the events of a job: server-sent events and WebSocket, from any number on, at the pace of the reader. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { isOver, type JobEvent, type JobView } from '../../../contract/device-job.ts';
import { KnownError } from '../../../contract/error.ts';
import { nativeLimits } from '../../wire/native.ts';
import { encodeSse, sseHeartbeat, sseType } from '../../wire/sse.ts';
import { refuseRaw } from '../answers.ts';
import type { FaceParts } from '../face.ts';
import type { Caller } from './native-auth.ts';

/** Streams that one principal may have open. */
const streamsPerPrincipal = 64;
/** Nothing is expected from a watcher. */
const messageBytes = 1024;

/** Milliseconds between two signs of life, and until a reader that takes nothing is cut off. */
export interface Pace {
	readonly heartbeatMs: number;
	readonly stallMs: number;
}

export const ordinaryPace: Pace = { heartbeatMs: nativeLimits.heartbeatMs, stallMs: 30_000 };

type StreamParts = Pick<FaceParts, 'jobs' | 'stopping' | 'log'>;

/** complete: the reader got everything up to the end. lost: it left, or took nothing for too long. */
type Ending = 'complete' | 'stopping' | 'revoked' | 'lost';

/** RFC 6455, section 7.4. */
const closings: Readonly<Record<Exclude<Ending, 'lost'>, [number, string]>> = {
	complete: [1000, ''],
	stopping: [1001, 'the agent is stopping'],
	revoked: [1008, 'the key is not good any more'],
};

/** One watcher, whatever it watches over. */
interface Wire {
	/** Resolves when the reader has taken it. */
	send(event: JobEvent): Promise<void>;
	beat(): void;
	/** Aborted when the reader has gone. */
	readonly gone: AbortSignal;
}

export class Streams {
	readonly #parts: StreamParts;
	readonly #pace: Pace;
	readonly #open = new Map<string, number>();
	readonly #sockets = new WebSocketServer({
		noServer: true,
		clientTracking: false,
		perMessageDeflate: false,
		maxPayload: messageBytes,
	});

	constructor(parts: StreamParts, pace: Pace) {
		this.#parts = parts;
		this.#pace = pace;
		this.#sockets.on('wsClientError', (_error, socket) =>
			refuseRaw(socket, new KnownError('REQUEST_INVALID', { details: 'it is no handshake of a WebSocket' }), parts.log),
		);
	}

	/** @param after the last number that the reader has seen */
	async serve(reply: FastifyReply, caller: Caller, job: JobView, after: number): Promise<FastifyReply> {
		const leave = this.#enter(caller);
		try {
			if (isOver(job.state) && (await this.#hasEnded(job, after))) return reply.code(204).send();
			reply.hijack();
			await this.#sendEvents(reply, caller, job, after);
		} finally {
			leave();
		}
		return reply;
	}

	upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller, job: JobView, after: number): void {
		// Whoever left while the proof was looked at will not be told again that it left.
		if (socket.destroyed) return;
		const leave = this.#enter(caller);
		socket.once('close', leave);
		this.#sockets.handleUpgrade(request, socket, head, (ws) => void this.#sendMessages(ws, caller, job, after));
	}

	/** Whether a stream from here on would be empty; whoever asks again and again is told once and for all. */
	async #hasEnded(job: JobView, after: number): Promise<boolean> {
		const stop = new AbortController();
		for await (const _event of this.#parts.jobs.watch(job.jobId, after, stop.signal)) {
			stop.abort();
			return false;
		}
		return true;
	}

	#enter({ principal: { name } }: Caller): () => void {
		const open = this.#open.get(name) ?? 0;
		if (this.#parts.stopping.aborted) throw new KnownError('AGENT_STOPPING');
		if (open >= streamsPerPrincipal)
			throw new KnownError('RATE_LIMITED', { details: `${open} streams are open`, seconds: 5 });
		this.#open.set(name, open + 1);
		let isOpen = true;
		return () => {
			if (!isOpen) return;
			isOpen = false;
			const left = (this.#open.get(name) ?? 1) - 1;
			if (left > 0) this.#open.set(name, left);
			else this.#open.delete(name);
		};
	}

	async #sendEvents(reply: FastifyReply, caller: Caller, job: JobView, after: number): Promise<void> {
		const { raw } = reply;
		// Proxies keep answers back until they are whole, unless they are told that this one never is.
		const headers = { 'content-type': sseType, 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
		raw.writeHead(200, { ...reply.getHeaders(), ...headers } as Record<string, string>);
		raw.flushHeaders();
		const gone = new AbortController();
		raw.once('close', () => gone.abort());
		if (raw.destroyed) gone.abort();
		const wire: Wire = {
			send: (event) => written(raw, encodeSse(event), this.#pace.stallMs, gone.signal),
			beat: () => void (raw.writableNeedDrain || raw.write(sseHeartbeat)),
			gone: gone.signal,
		};
		const ending = await this.#watch(wire, caller, job.jobId, after);
		if (ending === 'lost') raw.destroy();
		else raw.end();
	}

	async #sendMessages(ws: WebSocket, caller: Caller, job: JobView, after: number): Promise<void> {
		const gone = new AbortController();
		let isAlive = true;
		ws.once('close', () => gone.abort());
		ws.on('error', () => ws.terminate());
		ws.on('pong', () => {
			isAlive = true;
		});
		ws.on('message', () => ws.close(1008, 'nothing is expected from a watcher'));
		const wire: Wire = {
			send: (event) => sent(ws, JSON.stringify(event), this.#pace.stallMs, gone.signal),
			beat: () => {
				if (!isAlive) return ws.terminate();
				isAlive = false;
				ws.ping();
			},
			gone: gone.signal,
		};
		const ending = await this.#watch(wire, caller, job.jobId, after);
		if (ending === 'lost') ws.terminate();
		else ws.close(...closings[ending]);
	}

	async #watch(wire: Wire, caller: Caller, jobId: string, after: number): Promise<Ending> {
		const { jobs, stopping } = this.#parts;
		const revoked = new AbortController();
		const beat = () => (caller.isGood() ? wire.beat() : revoked.abort());
		const timer = setInterval(beat, this.#pace.heartbeatMs);
		const signal = AbortSignal.any([wire.gone, stopping, revoked.signal]);
		try {
			for await (const event of jobs.watch(jobId, after, signal)) await wire.send(event);
			if (!signal.aborted) return 'complete';
		} catch {
			// A reader that stalled; whoever comes back gets the rest.
			return 'lost';
		} finally {
			clearInterval(timer);
		}
		if (wire.gone.aborted) return 'lost';
		return stopping.aborted ? 'stopping' : 'revoked';
	}
}

type Done = (error?: Error | null) => void;

/** Resolves when the reader has taken what was begun; rejects when it left, or took nothing for so long. */
function taken(ms: number, gone: AbortSignal, begin: (done: Done) => void): Promise<void> {
	return new Promise((resolve, reject) => {
		const done: Done = (error) => {
			clearTimeout(timer);
			gone.removeEventListener('abort', leave);
			if (error) reject(error);
			else resolve();
		};
		const leave = () => done(new Error('the reader has gone'));
		const timer = setTimeout(() => done(new Error('the reader takes nothing')), ms);
		if (gone.aborted) return leave();
		gone.addEventListener('abort', leave, { once: true });
		begin(done);
	});
}

/** Waits for the reader only when it has fallen behind. */
const written = (response: ServerResponse, text: string, ms: number, gone: AbortSignal): Promise<void> =>
	taken(ms, gone, (done) => {
		if (response.write(text)) done();
		else response.once('drain', () => done());
	});

const sent = (ws: WebSocket, text: string, ms: number, gone: AbortSignal): Promise<void> =>
	taken(ms, gone, (done) => ws.send(text, done));

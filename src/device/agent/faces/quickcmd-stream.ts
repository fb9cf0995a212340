/** The stream of QuickCMD: every subscriber hears the whole output, then what comes, then the final frame and a proper close. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { type WebSocket, WebSocketServer } from 'ws';
import type { JobEvent, JobView } from '../../../contract/device-job.ts';
import type { OutputStream } from '../../../core/sandbox/backend.ts';
import {
	encodeQuickCmdFrame,
	encodeQuickCmdRefused,
	type QuickCmdRefused,
	quickCmdRefusals,
} from '../../wire/quickcmd-answer.ts';
import type { FaceParts } from '../face.ts';
import type { QuickCmdReads, Reader } from './quickcmd-reads.ts';

/** A subscriber that answers no ping from one to the next has gone, or takes nothing of what it is sent. */
const pingMs = 30_000;
/** Subscribers have nothing to say. */
const messageBytes = 1024;

const streamPath = /^\/api\/v1\/stream\/([^/?]{1,200})(?:\?|$)/;

/** The id in the path of a stream; undefined for every other path. */
function streamedId(url: string | undefined): string | undefined {
	const [, id] = streamPath.exec(url ?? '') ?? [];
	try {
		return id && decodeURIComponent(id);
	} catch {
		return undefined;
	}
}

type Found =
	| { readonly job: JobView; readonly reader: Exclude<Reader, 'nobody'> }
	| { readonly refused: QuickCmdRefused };

export class QuickCmdStreams {
	readonly #parts: FaceParts;
	readonly #reads: QuickCmdReads;
	readonly #server = new WebSocketServer({
		...{ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: messageBytes },
	});

	constructor(parts: FaceParts, reads: QuickCmdReads) {
		this.#parts = parts;
		this.#reads = reads;
	}

	/** @returns false for a path that is no stream */
	upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
		const id = streamedId(request.url);
		if (id === undefined) return false;
		const found = this.#find(request, id);
		if ('refused' in found) refuse(socket, found.refused);
		else
			this.#server.handleUpgrade(request, socket, head, (client) => {
				const mayStay = () => this.#reads.isStillKnown(found.reader);
				void new Subscriber(client, id, this.#parts, mayStay).follow(found.job);
			});
		return true;
	}

	#find(request: IncomingMessage, id: string): Found {
		const reader = this.#reads.readerOf(request);
		if (reader === 'nobody') return { refused: quickCmdRefusals.unauthorized() };
		const job = this.#reads.find(request, reader, id);
		if (!job) return { refused: quickCmdRefusals.notFound() };
		const { origin } = request.headers;
		const isAllowed = origin === undefined || this.#parts.config.quickcmd.allowedControllers.includes(origin);
		return isAllowed ? { job, reader } : { refused: quickCmdRefusals.originNotAllowed() };
	}
}

const reasons: Readonly<Record<number, string>> = { 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found' };

function refuse(socket: Duplex, refused: QuickCmdRefused): void {
	const { httpStatus, contentType, body } = encodeQuickCmdRefused(refused);
	const head = [
		`HTTP/1.1 ${httpStatus} ${reasons[httpStatus] ?? 'Refused'}`,
		`Content-Type: ${contentType}`,
		`Content-Length: ${Buffer.byteLength(body)}`,
		'Connection: close',
	];
	socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** One subscriber. No more than one frame waits for it; the rest stays in the store until it has taken that one. */
class Subscriber {
	readonly #client: WebSocket;
	readonly #jobId: string;
	readonly #parts: Pick<FaceParts, 'jobs' | 'log' | 'stopping'>;
	readonly #mayStay: () => boolean;
	readonly #gone = new AbortController();
	/** A character may lie in two pieces. */
	readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
	#isAlive = true;

	constructor(
		client: WebSocket,
		jobId: string,
		parts: Pick<FaceParts, 'jobs' | 'log' | 'stopping'>,
		mayStay: () => boolean,
	) {
		this.#client = client;
		this.#jobId = jobId;
		this.#parts = parts;
		this.#mayStay = mayStay;
		client.on('error', () => client.terminate());
		client.on('pong', () => {
			this.#isAlive = true;
		});
		const pulse = setInterval(() => this.#ping(), pingMs).unref();
		client.on('close', () => {
			clearInterval(pulse);
			this.#gone.abort();
		});
	}

	async follow({ jobId }: JobView): Promise<void> {
		const { jobs, log, stopping } = this.#parts;
		try {
			for await (const event of jobs.watch(jobId, 0, AbortSignal.any([this.#gone.signal, stopping])))
				await this.#tell(event);
			if (stopping.aborted) this.#client.close(1001, 'the agent stops');
		} catch (error) {
			if (!this.#gone.signal.aborted) log.error({ error: (error as Error).message }, 'a stream failed');
			this.#client.terminate();
		}
	}

	async #tell(event: JobEvent): Promise<void> {
		if (event.type === 'output') {
			const data = this.#decoders[event.stream].write(Buffer.from(event.base64, 'base64'));
			if (data !== '') await this.#send(event.at, event.stream, data);
		}
		if (event.type !== 'end') return;
		for (const stream of ['stdout', 'stderr'] as const) {
			const rest = this.#decoders[stream].end();
			if (rest !== '') await this.#send(event.at, stream, rest);
		}
		await this.#send(event.at, '', '', true);
		this.#client.close(1000);
	}

	/** Resolves when the system has taken the frame, which a subscriber that does not read delays. */
	#send(at: number, stream: OutputStream | '', data: string, isFinal = false): Promise<void> {
		const frame = encodeQuickCmdFrame({ jobId: this.#jobId, at, stream, data, isFinal });
		return new Promise((resolve, reject) => {
			this.#client.send(frame, (error) => (error ? reject(error) : resolve()));
		});
	}

	#ping(): void {
		if (this.#isAlive && this.#mayStay()) this.#client.ping();
		else this.#client.terminate();
		this.#isAlive = false;
	}
}

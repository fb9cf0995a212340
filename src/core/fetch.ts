/**
 * A fetch over Node's own HTTP client, for servers that nobody of us chose. The built-in one ends the whole process when a
 * server closes a connection whose answer is read slowly (https://github.com/nodejs/undici/issues/5360), and n8n with it.
 */
import { type IncomingMessage, request as overHttp } from 'node:http';
import { request as overTls } from 'node:https';
import { Readable } from 'node:stream';

export interface FetchRequest {
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string | number>>;
	readonly body?: string | Uint8Array | Blob | undefined;
	/** Ends the request, and the reading of its answer. */
	readonly signal?: AbortSignal | undefined;
}

/** Statuses whose answers have no body, in the words of the Fetch standard. */
const withoutBody = new Set([101, 204, 205, 304]);

/** Follows no redirect: a 3xx is an answer like others. Rejects with the reason of the signal, or with what Node says. */
export async function fetchOverHttp(input: string | URL, request: FetchRequest = {}): Promise<Response> {
	try {
		return responseOf(await send(new URL(input), request));
	} catch (error) {
		const { signal } = request;
		throw signal?.aborted ? signal.reason : error;
	}
}

/** A kept connection that the server had closed meanwhile never carried the request: a new one does. */
async function send(url: URL, request: FetchRequest): Promise<IncomingMessage> {
	try {
		return await sendOnce(url, request);
	} catch (error) {
		if (!(error instanceof StaleConnection)) throw error;
		return send(url, request);
	}
}

class StaleConnection extends Error {}

function sendOnce(url: URL, { method = 'GET', headers = {}, body, signal }: FetchRequest): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		const length = body === undefined ? {} : { 'content-length': lengthOf(body) };
		const open = url.protocol === 'https:' ? overTls : overHttp;
		const sent = open(url, { method, headers: { ...length, ...headers }, ...(signal && { signal }) }, resolve);
		// Nobody asked for another protocol.
		sent.on('upgrade', (_answer, socket) => socket.destroy());
		sent.once('close', () => reject(new Error('there was no answer')));
		sent.on('error', (error: NodeJS.ErrnoException) => {
			const isStale = sent.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(error.code ?? '') && !signal?.aborted;
			reject(isStale ? new StaleConnection() : error);
		});
		if (body instanceof Blob) Readable.fromWeb(body.stream() as never).pipe(sent);
		else sent.end(body);
	});
}

function lengthOf(body: string | Uint8Array | Blob): number {
	return body instanceof Blob ? body.size : Buffer.byteLength(body);
}

/** Node reads heads that no answer to a fetch may have: a status that is none, a control character in its reason. */
function responseOf(message: IncomingMessage): Response {
	try {
		return asResponse(message);
	} catch (error) {
		message.destroy();
		throw error;
	}
}

function asResponse(message: IncomingMessage): Response {
	const { statusCode: status = 0, statusMessage: statusText = '' } = message;
	const headers = Object.entries(message.headersDistinct).flatMap(([name, values = []]) =>
		values.map((value): [string, string] => [name, value]),
	);
	if (withoutBody.has(status)) message.resume();
	const body = withoutBody.has(status) ? null : (Readable.toWeb(message) as unknown as ReadableStream);
	return new Response(body, { status, statusText, headers });
}

/** @returns undefined when the body is longer than an answer of its kind can be */
export async function bodyWithin({ body }: Response, mostBytes: number): Promise<Buffer | undefined> {
	const chunks: Uint8Array[] = [];
	let bytes = 0;
	for await (const chunk of body ?? []) {
		bytes += chunk.length;
		if (bytes > mostBytes) return undefined;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

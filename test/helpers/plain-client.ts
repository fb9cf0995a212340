/** A client as anybody would write it: Node.js and a socket, nothing of the server. */
import { once } from 'node:events';
import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import { type RequestOptions, request as secureRequest } from 'node:https';
import { connect } from 'node:net';

export interface Answer {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly text: string;
	/** Parsed when it calls itself JSON. */
	readonly json: unknown;
}

export interface Ask extends RequestOptions {
	readonly body?: string | Uint8Array;
}

/** One request over a connection of its own. */
export async function ask(url: string, { body, ...options }: Ask = {}): Promise<Answer> {
	const send = url.startsWith('https:') ? secureRequest : request;
	const sent: ClientRequest = send(url, { agent: false, ...options });
	sent.end(body);
	const [response] = await once(sent, 'response');
	const chunks: Buffer[] = [];
	for await (const chunk of response) chunks.push(chunk);
	const text = Buffer.concat(chunks).toString();
	const isJson = /^application\/json\b/.test(response.headers['content-type'] ?? '');
	return {
		status: response.statusCode,
		headers: response.headers,
		text,
		json: isJson && text !== '' ? JSON.parse(text) : undefined,
	};
}

/** Sends bytes as they are over one connection and returns all that comes back until it is closed. */
export async function talk(url: string, ...parts: readonly (string | Uint8Array)[]): Promise<string> {
	const { hostname, port } = new URL(url);
	const socket = connect(Number(port), hostname);
	const chunks: Buffer[] = [];
	socket.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', () => {});
	for (const part of parts) socket.write(part);
	await once(socket, 'close');
	return Buffer.concat(chunks).toString();
}

/** A client of the native protocol made of Node.js alone: signs by hand, reads streams as bytes, shares no code with the agent. */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { Agent, WebSocket } from 'undici';

const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url');
export const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('base64url');

export interface Claims {
	readonly aud?: string;
	readonly iat?: number;
	readonly exp?: number;
	readonly jti?: string;
	readonly [name: string]: unknown;
}

/** A pair of Ed25519 keys, or the private half that an agent printed as a JWK. */
export class HandKey {
	readonly kid: string;
	readonly privateKey: KeyObject;
	readonly publicKey: KeyObject | undefined;

	private constructor(kid: string, privateKey: KeyObject, publicKey?: KeyObject) {
		this.kid = kid;
		this.privateKey = privateKey;
		this.publicKey = publicKey;
	}

	static make(kid: string): HandKey {
		const { privateKey, publicKey } = generateKeyPairSync('ed25519');
		return new HandKey(kid, privateKey, publicKey);
	}

	static read(jwk: string): HandKey {
		const parsed = JSON.parse(jwk);
		return new HandKey(parsed.kid, createPrivateKey({ key: parsed, format: 'jwk' }));
	}

	/** Compact JWS; a header may be changed, and the signature replaced. */
	jws(typ: string, payload: unknown, header: object = {}, signature?: (input: Buffer) => Buffer): string {
		const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
		const input = `${encode(JSON.stringify({ alg: 'EdDSA', kid: this.kid, typ, ...header }))}.${encode(text)}`;
		const bytes = signature ? signature(Buffer.from(input)) : sign(null, Buffer.from(input), this.privateKey);
		return `${input}.${encode(bytes)}`;
	}
}

export const jobTyp = 'secure-code-job+jws';
export const requestTyp = 'secure-code-request+jws';

export interface Reply {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly bytes: Buffer;
	/** Parsed where it calls itself JSON. */
	// biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for, and compares it.
	readonly json: any;
}

export interface Place {
	readonly url: string;
	readonly ca?: string;
	readonly device: string;
}

export interface Message {
	readonly id: string;
	// biome-ignore lint/suspicious/noExplicitAny: the events of the protocol, read as a stranger reads them.
	readonly event: any;
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

export class HandClient {
	readonly #place: Place;
	readonly #key: HandKey | string;

	/** @param key signs; a text is a token */
	constructor(place: Place, key: HandKey | string) {
		this.#place = place;
		this.#key = key;
	}

	/** Claims that are good now, with what a test changes. */
	claims(changes: Claims = {}): Claims {
		const iat = nowSeconds();
		return { aud: this.#place.device, iat, exp: iat + 60, jti: randomUUID(), ...changes };
	}

	bearer(method: string, path: string, body: string | Buffer = '', changes: Claims = {}): string {
		if (typeof this.#key === 'string') return `Bearer ${this.#key}`;
		const bound = { method, path, ...(body.length > 0 && { body: sha256(body) }) };
		return `Bearer ${this.#key.jws(requestTyp, { ...this.claims(), ...bound, ...changes })}`;
	}

	/** A job as it is sent. */
	signed(job: object, changes: Claims = {}, header: object = {}): string {
		if (typeof this.#key === 'string') throw new Error('a token signs no jobs');
		return this.#key.jws(jobTyp, { ...this.claims(), job, ...changes }, header);
	}

	/** Any request; `headers` may replace the proof. */
	async send(method: string, path: string, body: string | Buffer = '', headers: object = {}): Promise<Reply> {
		const sent = this.#open(method, path, { authorization: this.bearer(method, path, body), ...headers });
		sent.end(body);
		const [response] = (await once(sent, 'response')) as [IncomingMessage];
		return readReply(response);
	}

	get = (path: string): Promise<Reply> => this.send('GET', path);

	post = (path: string, value?: unknown): Promise<Reply> =>
		this.send('POST', path, value === undefined ? '' : JSON.stringify(value));

	/** Without a proof of its own, as the body is one. */
	async submitBytes(body: string, path = '/v2/jobs', type = 'application/jose'): Promise<Reply> {
		const sent = this.#open('POST', path, { 'content-type': type });
		sent.end(body);
		const [response] = (await once(sent, 'response')) as [IncomingMessage];
		return readReply(response);
	}

	submit = (job: object, changes: Claims = {}, path?: string): Promise<Reply> =>
		this.submitBytes(this.signed(job, changes), path);

	/** The raw answer to a request for events, for whoever wants to read it slowly. */
	async openEvents(jobId: string, headers: object = {}, query = ''): Promise<IncomingMessage> {
		const path = `/v2/jobs/${jobId}/events${query}`;
		const sent = this.#open('GET', path, { authorization: this.bearer('GET', path), ...headers });
		sent.end();
		const [response] = (await once(sent, 'response')) as [IncomingMessage];
		return response;
	}

	/** Server-sent events from after a number on. */
	async *events(jobId: string, after = 0): AsyncGenerator<Message> {
		const response = await this.openEvents(jobId, after === 0 ? {} : { 'last-event-id': String(after) });
		if (response.statusCode === 204) return;
		if (response.statusCode !== 200) throw new Error(`the stream was answered with ${response.statusCode}`);
		let rest = '';
		for await (const chunk of response.setEncoding('utf8')) {
			const blocks = (rest + chunk).split('\n\n');
			rest = blocks.pop() ?? '';
			for (const block of blocks) {
				const data = /^data: (.*)$/m.exec(block)?.[1];
				if (data) yield { id: /^id: (.*)$/m.exec(block)?.[1] ?? '', event: JSON.parse(data) };
			}
		}
	}

	socket(jobId: string, query = '', headers: Record<string, string> = {}): WebSocket {
		const path = `/v2/jobs/${jobId}/events${query}`;
		const url = new URL(path, this.#place.url.replace(/^http/, 'ws'));
		const dispatcher = new Agent({ connect: { ...(this.#place.ca !== undefined && { ca: this.#place.ca }) } });
		return new WebSocket(url, { headers: { authorization: this.bearer('GET', path), ...headers }, dispatcher });
	}

	/** Every message until the socket closes, and how it closed. */
	async messages(
		jobId: string,
		query = '',
		events: Message['event'][] = [],
	): Promise<{ events: Message['event'][]; code: number; reason: string }> {
		const ws = this.socket(jobId, query);
		ws.addEventListener('message', ({ data }) => events.push(JSON.parse(String(data))));
		const [{ code, reason }] = (await once(ws, 'close')) as [{ code: number; reason: string }];
		return { events, code, reason };
	}

	#open(method: string, path: string, headers: object): ClientRequest {
		const { url, ca } = this.#place;
		const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
		const options = { method, path, headers: given, agent: false as const };
		const { hostname, port, protocol } = new URL(url);
		if (protocol === 'http:') return plainRequest({ hostname, port, ...options });
		return secureRequest({ hostname, port, ...(ca !== undefined && { ca }), ...options });
	}
}

export async function readReply(response: IncomingMessage): Promise<Reply> {
	const chunks: Buffer[] = [];
	for await (const chunk of response) chunks.push(chunk);
	const bytes = Buffer.concat(chunks);
	const isJson = /^application\/json\b/.test(response.headers['content-type'] ?? '');
	const json = isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined;
	return { status: response.statusCode ?? 0, headers: response.headers, bytes, json };
}

/** Machines are slow at times; what is waited for comes, or the test says that it never did. */
export async function until(isSo: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
	const end = Date.now() + ms;
	while (!(await isSo())) {
		if (Date.now() > end) throw new Error('what was waited for never came');
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

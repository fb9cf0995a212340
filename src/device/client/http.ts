/** Requests to one device over one pool of kept connections; a certificate is trusted by its authority or its fingerprint, never just so. */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { WebSocket } from 'ws';
import { KnownError } from '../../contract/error.ts';

export interface Endpoint {
	/** http: or https:, with or without a base path. */
	readonly url: string;
	/** PEM of an authority, or of the device's own certificate. Absent: the authorities of the system. */
	readonly ca?: string | undefined;
	/** SHA-256 of the device's certificate, hex with or without colons; then no authority is asked. */
	readonly fingerprint?: string | undefined;
	readonly connectMs?: number | undefined;
	/** From the first byte of an answer to its last, beside what a slow line needs. */
	readonly answerMs?: number | undefined;
}

export interface HttpRequest {
	readonly method: 'GET' | 'POST';
	readonly path: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string | undefined;
	/** From sending to the first byte of the answer. */
	readonly timeoutMs: number;
	readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: Buffer;
}

/** Connections that a device is asked over at the same time. */
const connections = 8;
const defaultConnectMs = 10_000;
/** From asking for a WebSocket to having one. */
const handshakeMs = 20_000;
/** A long answer may come over a slow line: this many bytes in a millisecond. */
const slowestBytesPerMs = 8;
/** From the first byte of an answer to its last one, beside that; who sends a byte now and then has hardly more time than others. */
const defaultAnswerMs = 60_000;
/** What an answer may weigh; more is a device that is not itself. */
const answerBytes = 64 * 1024 * 1024;
/** What one message of a WebSocket may weigh; an original sends all that a command printed in one. */
const messageBytes = 8 * 1024 * 1024;

export const normalFingerprint = (text: string): string => text.replaceAll(/[^0-9a-f]/gi, '').toLowerCase();

function refuse(details: string, cause?: unknown): KnownError {
	return new KnownError('AGENT_UNREACHABLE', { details }, { cause });
}

const wrongCertificate = 'its certificate is not the one with the given fingerprint';

function fingerprintOf(socket: TLSSocket): string {
	const { raw } = socket.getPeerCertificate();
	return raw ? normalFingerprint(new X509Certificate(raw).fingerprint256) : '';
}

/** With a fingerprint the chain is not asked, but nothing is sent before the certificate was compared. */
function pinnedConnector(pin: string, timeout: number): buildConnector.connector {
	const connect = buildConnector({ timeout, rejectUnauthorized: false, maxCachedSessions: 0 });
	return (options, callback) =>
		connect(options, (error, socket) => {
			if (error || !socket) return callback(error ?? new Error('no connection'), null);
			if (fingerprintOf(socket as TLSSocket) === pin) return callback(null, socket);
			socket.destroy();
			return callback(new Error(wrongCertificate), null);
		});
}

function connectorFor({ ca, fingerprint, connectMs = defaultConnectMs }: Endpoint): buildConnector.connector {
	const pin = fingerprint === undefined ? '' : normalFingerprint(fingerprint);
	if (pin === '') return buildConnector({ timeout: connectMs, ...(ca && { ca }) });
	if (pin.length !== 64) throw new KnownError('CONFIG_INVALID', { details: 'the fingerprint is not a SHA-256 in hex' });
	return pinnedConnector(pin, connectMs);
}

/** The connector, in the shape in which Node's own HTTP client asks for a connection; one that is returned would be used at once. */
function connectionsOf(connect: buildConnector.connector, { protocol, host, hostname, port }: URL) {
	const place = { protocol, host, hostname: hostname.replace(/^\[|\]$/g, ''), port };
	return (_: unknown, callback: (error: Error | null, socket?: Socket) => void): void => {
		connect(place, (error, socket) => callback(error, socket ?? undefined));
	};
}

function parseUrl(url: string): URL {
	const parsed = URL.parse(url);
	if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return parsed;
	throw new KnownError('CONFIG_INVALID', { details: 'the URL of the device must begin with http:// or https://' });
}

/** Whoever says which certificate to trust does not mean a connection without one. */
function refusePlain({ protocol }: URL, { ca, fingerprint }: Endpoint): void {
	if (protocol === 'https:' || (!ca && !fingerprint)) return;
	throw new KnownError('CONFIG_INVALID', {
		details: 'the URL of a device with a certificate or a fingerprint must begin with https://',
	});
}

const faults: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'nothing listens there',
	ENOTFOUND: 'its name is not known',
	EAI_AGAIN: 'its name could not be looked up',
	ECONNRESET: 'the connection was cut',
	EHOSTUNREACH: 'no way leads there',
	ENETUNREACH: 'no way leads there',
	UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
	UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
	UND_ERR_BODY_TIMEOUT: 'its answer stopped halfway',
	UND_ERR_SOCKET: 'the connection was cut',
	DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself: give its fingerprint or its certificate',
	SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an unknown authority: give the authority or a fingerprint',
	UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		'its certificate comes from an unknown authority: give the authority or a fingerprint',
	CERT_HAS_EXPIRED: 'its certificate has expired',
	ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
	ANSWER_TOO_LONG: 'its answer is longer than 64 MiB',
	EPROTO: 'it does not speak TLS there, or no TLS that we speak',
};

/** In plain words, because n8n puts words of its own in the place of messages that hold the names of system errors. */
export function faultOf(error: unknown): string {
	const { code, message, cause } = error as NodeJS.ErrnoException;
	if (code !== undefined && faults[code]) return faults[code];
	if (cause !== undefined && cause !== error) return faultOf(cause);
	return message === wrongCertificate ? message : 'the connection failed';
}

/** Ends a body that takes longer than it may; each byte that came earns it a little more time. */
async function readWithin(
	body: AsyncIterable<Buffer> & { destroy(error: Error): unknown },
	mostBytes: number,
	mostMs: number,
): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	const began = performance.now();
	const end = () => body.destroy(Object.assign(new Error('late'), { code: 'UND_ERR_BODY_TIMEOUT' }));
	const leftMs = () => Math.max(0, mostMs + bytes / slowestBytesPerMs - (performance.now() - began));
	let late = setTimeout(end, leftMs());
	try {
		for await (const chunk of body) {
			bytes += chunk.length;
			if (bytes > mostBytes) throw Object.assign(new Error('too long'), { code: 'ANSWER_TOO_LONG' });
			chunks.push(chunk);
			clearTimeout(late);
			late = setTimeout(end, leftMs());
		}
		return Buffer.concat(chunks);
	} finally {
		clearTimeout(late);
	}
}

/** What can only go wrong before a request is on its way. */
const beforeSending = new Set([
	...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'],
	...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
	...['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'],
]);

/** Whether a failure means for certain that the device never saw the request; then it may be sent again. */
export function isNeverSent(error: unknown): boolean {
	const { code, message, cause } = error as NodeJS.ErrnoException;
	if (message === wrongCertificate || (code !== undefined && beforeSending.has(code))) return true;
	return cause !== undefined && cause !== error && isNeverSent(cause);
}

export class DeviceHttp {
	readonly #connect: buildConnector.connector;
	readonly #pool: Pool;
	readonly #base: URL;
	readonly #answerMs: number;

	constructor(endpoint: Endpoint) {
		this.#answerMs = endpoint.answerMs ?? defaultAnswerMs;
		this.#base = parseUrl(endpoint.url);
		refusePlain(this.#base, endpoint);
		this.#connect = connectorFor(endpoint);
		this.#pool = new Pool(this.#base.origin, { connections, connect: this.#connect, bodyTimeout: 60_000 });
	}

	/** Throws AGENT_UNREACHABLE where there is no answer at all; every answer is returned, whatever its status. */
	async send(request: HttpRequest): Promise<HttpAnswer> {
		const { statusCode, headers, body } = await this.#ask(request);
		try {
			return { status: statusCode, headers, body: await readWithin(body, answerBytes, this.#answerMs) };
		} catch (error) {
			throw this.#refusal(error, request.signal);
		}
	}

	/** An answer whose body is read as it comes, without an end in time. */
	async stream(
		request: HttpRequest,
	): Promise<{ readonly status: number; readonly body: Dispatcher.ResponseData['body'] }> {
		const { statusCode, body } = await this.#ask(request, 0);
		return { status: statusCode, body };
	}

	/** A WebSocket over the same trust; it must be heard for 'error'. */
	socket(path: string, headers: Readonly<Record<string, string>> = {}): WebSocket {
		const url = new URL(this.#path(path), this.#base);
		url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
		const createConnection = connectionsOf(this.#connect, this.#base) as never;
		const limits = { perMessageDeflate: false, maxPayload: messageBytes, handshakeTimeout: handshakeMs };
		return new WebSocket(url, { headers, createConnection, ...limits });
	}

	async close(): Promise<void> {
		await this.#pool.destroy();
	}

	async #ask(request: HttpRequest, bodyTimeout?: number): Promise<Dispatcher.ResponseData> {
		const { method, path, headers, body, timeoutMs, signal } = request;
		try {
			return await this.#pool.request({
				method,
				path: this.#path(path),
				headers: { ...headers },
				body: body ?? null,
				headersTimeout: timeoutMs,
				// Not less than what an answer may weigh: while undici holds back a body, the end of its connection ends our process
				// (https://github.com/nodejs/undici/issues/5360).
				highWaterMark: answerBytes,
				...(bodyTimeout !== undefined && { bodyTimeout }),
				signal,
			});
		} catch (error) {
			throw this.#refusal(error, signal);
		}
	}

	#path(path: string): string {
		return `${this.#base.pathname.replace(/\/$/, '')}${path}`;
	}

	#refusal(error: unknown, signal: AbortSignal | undefined): unknown {
		return signal?.aborted ? signal.reason : refuse(`${this.#base.host}: ${faultOf(error)}`, error);
	}
}

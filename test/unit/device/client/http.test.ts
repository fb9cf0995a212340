import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createPlain, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import {
	DeviceHttp,
	type Endpoint,
	faultOf as faultIn,
	normalFingerprint,
} from '../../../../src/device/client/http.ts';

interface Certificate {
	readonly cert: string;
	readonly key: string;
	readonly fingerprint: string;
}

async function certificateFor(name: string): Promise<Certificate> {
	const altNames = [
		{ type: 2, value: name },
		{ type: 7, ip: '127.0.0.1' },
	] as const;
	const extensions = [{ name: 'subjectAltName', altNames: [...altNames] }];
	const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
		keyType: 'ec',
		extensions: extensions as never,
	});
	return { cert, key, fingerprint: new X509Certificate(cert).fingerprint256 };
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

async function listen(server: Server): Promise<number> {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	closing.push(() => server.close());
	return (server.address() as AddressInfo).port;
}

function client(endpoint: Endpoint): DeviceHttp {
	const http = new DeviceHttp(endpoint);
	closing.push(() => http.close());
	return http;
}

const answering: RequestListener = (request, response) => response.end(`${request.method} ${request.url}`);
const hello = { method: 'GET', path: '/hello', timeoutMs: 5_000 } as const;

const faultOf = async (http: DeviceHttp, request: object = {}) =>
	await http.send({ ...hello, ...request }).then(
		({ body }) => `answered ${body}`,
		(error: Error) => error.message,
	);

let own: Certificate;
let other: Certificate;
beforeAll(async () => {
	[own, other] = await Promise.all([certificateFor('localhost'), certificateFor('elsewhere.example')]);
});

describe('the connection to a device', () => {
	it('answers with status, headers and text, also of a refusal, below the base path of the URL', async () => {
		const port = await listen(
			createPlain((request, response) => response.writeHead(403, { 'x-a': 'b' }).end(request.url)),
		);
		const { status, headers, body } = await client({ url: `http://127.0.0.1:${port}/commands/` }).send(hello);
		expect([status, headers['x-a'], body.toString()]).toEqual([403, 'b', '/commands/hello']);
	});

	it('is kept for the next requests', async () => {
		const server = createPlain(answering);
		let dialled = 0;
		server.on('connection', () => dialled++);
		const http = client({ url: `http://127.0.0.1:${await listen(server)}` });
		for (let count = 0; count < 20; count++) await http.send(hello);
		expect(dialled).toBeLessThanOrEqual(2);
	});

	it('gives way to the signal of the caller, and throws its reason', async () => {
		const http = client({ url: `http://127.0.0.1:${await listen(createPlain(() => {}))}` });
		const stop = new AbortController();
		const asked = http.send({ ...hello, signal: stop.signal });
		setTimeout(() => stop.abort('cancelled'), 20);
		await expect(asked).rejects.toBe('cancelled');
	});

	it.each<[string, RequestListener, RegExp]>([
		['does not answer', () => {}, /did not answer in time/],
		['hangs up', (request) => request.socket.destroy(), /the connection was cut/],
		['stops halfway', (_request, response) => void response.write('x', () => response.destroy()), /cut|stopped/],
	])('says in plain words that a device %s', async (_what, listener, words) => {
		const http = client({ url: `http://127.0.0.1:${await listen(createPlain(listener))}` });
		expect(await faultOf(http, { timeoutMs: 1_000 })).toMatch(words);
	});

	it('has as much time for its answer as others when it sends a byte now and then', async () => {
		const port = await listen(
			createPlain((_request, response) => {
				const dripping = setInterval(() => response.write('x'), 20);
				response.on('close', () => clearInterval(dripping));
			}),
		);
		const http = client({ url: `http://127.0.0.1:${port}`, answerMs: 200 });
		expect(await faultOf(http)).toMatch(/its answer stopped halfway/);
	});

	it('has more time for an answer that is long and comes steadily', async () => {
		const chunk = 'x'.repeat(16_000);
		const port = await listen(
			createPlain(async (_request, response) => {
				for (let count = 0; count < 8; count++) {
					response.write(chunk);
					await new Promise((resolve) => setTimeout(resolve, 60));
				}
				response.end();
			}),
		);
		expect((await client({ url: `http://127.0.0.1:${port}`, answerMs: 200 }).send(hello)).body.length).toBe(128_000);
	});

	it('says in plain words that nothing listens', async () => {
		const server = createServer();
		const port = await listen(server);
		server.close();
		expect(await faultOf(client({ url: `http://127.0.0.1:${port}` }))).toBe(
			`The agent could not be reached: 127.0.0.1:${port}: nothing listens there.`,
		);
	});

	it('refuses a fingerprint or an authority where there is no certificate, before anything is sent', () => {
		for (const trust of [{ fingerprint: own.fingerprint }, { ca: own.cert }])
			expect(() => client({ url: 'http://127.0.0.1:1', ...trust })).toThrow('must begin with https://');
	});

	it('refuses a URL that is none', () => {
		expect(() => client({ url: 'ftp://a' })).toThrow('must begin with http:// or https://');
	});
});

describe('the certificate of a device', () => {
	const secure = async (certificate: Certificate, seen: string[] = []) =>
		await listen(
			createSecure({ cert: certificate.cert, key: certificate.key }, (request, response) => {
				seen.push(request.url ?? '');
				answering(request, response);
			}),
		);

	it.each<[string, () => Partial<Endpoint>]>([
		['its own certificate as authority', () => ({ ca: own.cert })],
		['its fingerprint', () => ({ fingerprint: own.fingerprint })],
		['its fingerprint in small letters without colons', () => ({ fingerprint: normalFingerprint(own.fingerprint) })],
	])('is trusted with %s', async (_what, trust) => {
		const port = await secure(own);
		expect(await faultOf(client({ url: `https://127.0.0.1:${port}`, ...trust() }))).toBe('answered GET /hello');
	});

	it.each<[string, () => Partial<Endpoint>, RegExp]>([
		['nothing', () => ({}), /signed by itself/],
		['another authority', () => ({ ca: other.cert }), /signed by itself|unknown authority/],
		['another fingerprint', () => ({ fingerprint: other.fingerprint }), /not the one with the given fingerprint/],
	])('is refused with %s, before anything is sent', async (_what, trust, words) => {
		const seen: string[] = [];
		const port = await secure(own, seen);
		expect(await faultOf(client({ url: `https://127.0.0.1:${port}`, ...trust() }))).toMatch(words);
		expect(seen).toEqual([]);
	});

	it('is refused when it is for another name', async () => {
		const { cert, private: key } = await generate([{ name: 'commonName', value: 'a' }], {
			keyType: 'ec',
			extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'a.example' }] }] as never,
		});
		const port = await listen(createSecure({ cert, key }, answering));
		expect(await faultOf(client({ url: `https://127.0.0.1:${port}`, ca: cert }))).toMatch(/for another name/);
	});

	it('may be for any name with the right fingerprint, because that is the stronger proof', async () => {
		const port = await secure(other);
		const http = client({ url: `https://127.0.0.1:${port}`, fingerprint: other.fingerprint });
		expect(await faultOf(http)).toBe('answered GET /hello');
	});

	it('is not asked of a device that speaks no TLS; that is said', async () => {
		const port = await listen(createPlain(answering));
		expect(await faultOf(client({ url: `https://127.0.0.1:${port}`, ca: own.cert }))).toMatch(
			/does not speak TLS|connection/,
		);
	});

	it('refuses a fingerprint that is none', () => {
		expect(() => client({ url: 'https://a', fingerprint: 'ab:cd' })).toThrow('not a SHA-256');
	});

	it('holds for WebSockets, too, which may send an Origin', async () => {
		const server = createSecure({ cert: own.cert, key: own.key });
		const sockets = new WebSocketServer({ server });
		sockets.on('connection', (socket, request) => socket.send(`${request.url} ${request.headers.origin}`));
		const port = await listen(server);
		closing.push(() => sockets.close());
		const http = client({ url: `https://127.0.0.1:${port}`, fingerprint: own.fingerprint });
		const socket = http.socket('/stream', { origin: 'controller-1' });
		const [message] = await once(socket, 'message');
		socket.close();
		expect(String(message)).toBe('/stream controller-1');
		const asked: unknown[] = [];
		server.on('upgrade', (request) => asked.push(request.url));
		const wrong = client({ url: `https://127.0.0.1:${port}`, fingerprint: other.fingerprint }).socket('/stream');
		const [error] = await once(wrong, 'error');
		expect([faultIn(error), asked]).toEqual(['its certificate is not the one with the given fingerprint', []]);
	});
});

describe('a WebSocket to a device', () => {
	it('takes no message that is too long, and none that is compressed', async () => {
		const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
		const server = createPlain().on('upgrade', (...request) =>
			sockets.handleUpgrade(...request, (socket) => {
				socket.send('a'.repeat(8 << 20));
				socket.send('a'.repeat((8 << 20) + 1));
			}),
		);
		const http = client({ url: `http://127.0.0.1:${await listen(server)}` });
		closing.push(() => sockets.close());
		const socket = http.socket('/stream');
		const heard: unknown[] = [];
		socket.on('message', (message: Buffer) => heard.push(message.length));
		socket.on('upgrade', ({ headers }) => heard.push(headers['sec-websocket-extensions']));
		const [error] = await once(socket, 'error');
		expect([error.code, heard]).toEqual(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', [undefined, 8 << 20]]);
	});
});

/** One answer with a body, and at once the end of the connection. */
const answerAndEnd = (bytes: number, status = '200 OK') =>
	createServer((socket) => {
		socket.on('error', () => undefined);
		socket.once('data', () => {
			socket.write(`HTTP/1.1 ${status}\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`);
			socket.end(Buffer.alloc(bytes, 'a'));
		});
	});

describe('a device that ends the connection behind its answer', () => {
	it('is read to the end, however late the reading begins', async () => {
		const http = client({ url: `http://127.0.0.1:${await listen(answerAndEnd(65_536))}` });
		const { body } = await http.stream(hello);
		await sleep(200);
		expect((await buffer(body)).length).toBe(65_536);
	});

	it.each(['200 OK', '401 Unauthorized'])('has no WebSocket with %s, and nothing else ends', async (status) => {
		const http = client({ url: `http://127.0.0.1:${await listen(answerAndEnd(65_536, status))}` });
		expect((await once(http.socket('/stream'), 'error')).length).toBe(1);
		await sleep(100);
	});
});

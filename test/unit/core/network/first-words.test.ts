import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type FirstWords, readFirstWords } from '../../../../src/core/network/first-words.ts';

const open: { destroy(): void }[] = [];
const servers: { close(): void }[] = [];
afterEach(() => {
	for (const one of open.splice(0)) one.destroy();
	for (const one of servers.splice(0)) one.close();
});

/** Two ends of a real connection: the client's, and ours. */
async function pair(): Promise<[client: Socket, ours: Socket]> {
	const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
	servers.push(server);
	await once(server, 'listening');
	const client = connect({ port: (server.address() as { port: number }).port, allowHalfOpen: true });
	const [ours] = (await once(server, 'connection')) as [Socket];
	for (const one of [client, ours]) open.push(one.on('error', () => {}));
	return [client, ours];
}

async function heard(words: string | Buffer, silentMs = 5_000): Promise<FirstWords> {
	const [client, ours] = await pair();
	client.write(words);
	return readFirstWords(ours, silentMs);
}

/** What a real TLS client says first. */
async function greeting(options: object): Promise<Buffer> {
	const [client, ours] = await pair();
	open.push(connectTls({ socket: client, ...options }).on('error', () => {}));
	const [hello] = (await once(ours, 'data')) as [Buffer];
	return hello;
}

/** Everything that can still be read, up to `length` bytes. */
async function rest(ours: Socket, length: number): Promise<Buffer> {
	let read = Buffer.alloc(0);
	for await (const chunk of ours) {
		read = Buffer.concat([read, chunk]);
		if (read.length >= length) break;
	}
	return read;
}

/** The same greeting in two records, so that whoever reads only the first sees no name. */
function inTwoRecords(hello: Buffer, at: number): Buffer {
	const body = hello.subarray(5);
	const record = (part: Buffer) =>
		Buffer.concat([hello.subarray(0, 3), Buffer.from([part.length >> 8, part.length & 255]), part]);
	return Buffer.concat([record(body.subarray(0, at)), record(body.subarray(at))]);
}

describe('a TLS client', () => {
	it.each(['TLSv1.2', 'TLSv1.3'] as const)('says its host with %s', async (version) => {
		const hello = await greeting({ servername: 'api.example.com', minVersion: version, maxVersion: version });
		expect(await heard(hello)).toEqual({ kind: 'tls', host: 'api.example.com' });
	});

	it('is understood byte by byte, and nothing is consumed', async () => {
		const hello = await greeting({ servername: 'api.example.com' });
		const [client, ours] = await pair();
		client.setNoDelay(true);
		const words = readFirstWords(ours, 5_000);
		for (const byte of hello) {
			client.write(Buffer.from([byte]));
			await new Promise(setImmediate);
		}
		expect(await words).toEqual({ kind: 'tls', host: 'api.example.com' });
		client.write('more');
		expect(await rest(ours, hello.length + 4)).toEqual(Buffer.concat([hello, Buffer.from('more')]));
	});

	it('that names no host has none', async () => {
		expect(await heard(await greeting({}))).toEqual({ kind: 'tls', host: null });
	});

	it.each([1, 40, 100])('cannot hide its name behind the first %i bytes', async (at) => {
		const hello = await greeting({ servername: 'api.example.com' });
		expect(await heard(inTwoRecords(hello, at))).toEqual({ kind: 'tls', host: null });
	});

	it('that sends an encrypted greeting hides its host', async () => {
		const hello = await greeting({ servername: 'api.example.com', ALPNProtocols: ['http/1.1'] });
		// The extension for ALPN becomes the one for encrypted greetings.
		const at = hello.indexOf(Buffer.from('http/1.1')) - 7;
		expect(hello.readUInt16BE(at)).toBe(16);
		hello.writeUInt16BE(0xfe0d, at);
		expect(await heard(hello)).toEqual({ kind: 'tls', host: null });
	});

	it.each([
		['a record without a greeting', Buffer.from('160301000401000000', 'hex')],
		['another handshake', Buffer.from('16030100040e000000', 'hex')],
		['noise', Buffer.concat([Buffer.from('1603010100', 'hex'), Buffer.alloc(256, 0xa5)])],
		['a record of the greatest length', Buffer.concat([Buffer.from('160301ffff', 'hex'), Buffer.alloc(70_000, 1)])],
	])('of %s has no host', async (_what, words) => {
		expect(await heard(words)).toEqual({ kind: 'tls', host: null });
	});
});

describe('an HTTP client', () => {
	it.each(['GET / HTTP/1.1\r\n', 'POST /a?b=c HTTP/1.0\r\n', 'M-SEARCH * HTTP/1.1\n', 'CONNECT a:22 HTTP/1.1\r\n'])(
		'begins with %j',
		async (words) => {
			expect(await heard(words)).toEqual({ kind: 'http' });
		},
	);

	it('is understood byte by byte, and nothing is consumed', async () => {
		const request = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
		const [client, ours] = await pair();
		client.setNoDelay(true);
		const words = readFirstWords(ours, 5_000);
		for (const byte of request) {
			client.write(byte);
			await new Promise(setImmediate);
		}
		expect(await words).toEqual({ kind: 'http' });
		expect((await rest(ours, request.length)).toString()).toBe(request);
	});

	it('may end its side at once', async () => {
		const [client, ours] = await pair();
		client.end('GET / HTTP/1.0\r\n\r\n');
		await once(ours, 'readable');
		expect(await readFirstWords(ours, 5_000)).toEqual({ kind: 'http' });
		expect((await rest(ours, 100)).toString()).toBe('GET / HTTP/1.0\r\n\r\n');
	});
});

describe('other words', () => {
	it.each([
		...['\r\nGET / HTTP/1.1\r\n', ' GET / HTTP/1.1\r\n', 'get / HTTP/1.1\r\n', 'GET  / HTTP/1.1\r\n', 'GET /\r\n'],
		...['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'SSH-2.0-x\r\n', 'EHLO x\r\n', '\0\0\0\u0008\u0004', 'GET / HTTP/1.1\rX\n'],
	])('are not HTTP: %j', async (words) => {
		expect(await heard(words)).toEqual({ kind: 'other' });
	});

	it('are given up when they are too long', async () => {
		expect(await heard(`GET /${'a'.repeat(40_000)}`)).toEqual({ kind: 'other' });
	});
});

describe('a client that does not speak', () => {
	it('is silent, and what it says later is not touched', async () => {
		const [client, ours] = await pair();
		expect(await readFirstWords(ours, 30)).toEqual({ kind: 'silence' });
		client.write('EHLO x\r\n');
		expect((await rest(ours, 8)).toString()).toBe('EHLO x\r\n');
	});

	it('is silent when it only ends its side', async () => {
		const [client, ours] = await pair();
		client.end();
		expect(await readFirstWords(ours, 5_000)).toEqual({ kind: 'silence' });
	});

	it.each(['GE', Buffer.from('1603', 'hex')])('to the end is refused: %j', async (words) => {
		const [client, ours] = await pair();
		client.end(words);
		await expect(readFirstWords(ours, 5_000)).rejects.toThrow('ended before it said for whom it is');
	});

	it('but goes away is refused', async () => {
		const [client, ours] = await pair();
		const words = readFirstWords(ours, 5_000);
		client.resetAndDestroy();
		await expect(words).rejects.toThrow('ended before it said for whom it is');
	});
});

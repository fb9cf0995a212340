import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createRaw, type Server } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { bodyWithin, fetchOverHttp } from '../../../src/core/fetch.ts';

const closing: (() => unknown)[] = [];
afterEach(() => {
	for (const close of closing.splice(0)) close();
});

async function listen(server: Server): Promise<string> {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	closing.push(() => server.close());
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const answering = (listener: RequestListener) => listen(createServer(listener));
const aBlob = new Blob(['in ', 'a blob']);

describe('a request over HTTP', () => {
	test.each([
		['text', 'text ✓', 'text ✓'],
		['bytes', new Uint8Array([104, 105]), 'hi'],
		['a blob', aBlob, 'in a blob'],
		['nothing', undefined, ''],
	])('carries %s with its length', async (_, body, expected) => {
		const url = await answering(async (request, response) => {
			const got = [request.method, request.headers['content-length'], request.headers['x-a'], await text(request)];
			response.writeHead(201, { 'content-type': 'application/json', etag: '"1"' }).end(JSON.stringify(got));
		});
		const response = await fetchOverHttp(url, { method: 'PUT', headers: { 'x-a': 'b' }, body });
		expect([response.status, response.ok, response.headers.get('etag')]).toEqual([201, true, '"1"']);
		const length = body === undefined ? '0' : String(Buffer.byteLength(expected));
		expect(await response.json()).toEqual(['PUT', length, 'b', expected]);
	});

	test('is answered with what a server says, also where a body cannot be and where it points elsewhere', async () => {
		const url = await answering((request, response) => {
			const status = Number(request.headers['x-status']);
			response.writeHead(status, { location: 'http://127.0.0.1:1/', 'set-cookie': ['a=1', 'b=2'] }).end();
		});
		for (const status of [204, 302, 304, 404, 500]) {
			const response = await fetchOverHttp(url, { headers: { 'x-status': status } });
			expect([response.status, await response.text()]).toEqual([status, '']);
			expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
		}
	});

	test('rejects with what Node says where nobody listens', async () => {
		const server = createServer();
		const url = await listen(server);
		server.close();
		await expect(fetchOverHttp(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
	});

	test.each(['before', 'after'])('ends with the reason of its signal %s the answer has begun', async (when) => {
		const url = await answering((_, response) => void (when === 'after' && response.write('begun')));
		const stop = new AbortController();
		const read = fetchOverHttp(url, { signal: stop.signal }).then((response) => response.text());
		setTimeout(() => stop.abort(new Error('enough')), 100);
		await expect(read).rejects.toThrow(when === 'before' ? 'enough' : /abort/);
	});

	test('reads an answer to its end whose connection ended long ago', async () => {
		const url = await listen(
			createRaw((socket) => {
				socket.once('data', () => {
					socket.write('HTTP/1.1 200 OK\r\nContent-Length: 65536\r\nConnection: close\r\n\r\n');
					socket.end(Buffer.alloc(65_536, 'a'));
				});
			}),
		);
		const { body } = await fetchOverHttp(url);
		await sleep(200);
		let bytes = 0;
		for await (const chunk of body ?? []) {
			bytes += chunk.length;
			await sleep(1);
		}
		expect(bytes).toBe(65_536);
	});

	test('rejects while reading where the connection ends too early', async () => {
		const url = await answering((_, response) => {
			response.writeHead(200, { 'content-length': 100 });
			response.write('some', () => response.destroy());
		});
		const response = await fetchOverHttp(url);
		await expect(buffer(response.body as never)).rejects.toMatchObject({ code: 'ECONNRESET' });
	});

	test.each([
		['a status that is none', '000 Nothing\r\n'],
		['a status beyond all', '999 More\r\n'],
		['a control character in its reason', '200 O\x01K\r\n'],
		['another protocol', '101 Now\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'],
	])('rejects, and ends the connection, where the answer has %s', async (_, head) => {
		let ended = false;
		const url = await listen(
			createRaw((socket) => {
				socket
					.on('error', () => {})
					.once('close', () => {
						ended = true;
					});
				socket.once('data', () => socket.write(`HTTP/1.1 ${head}Content-Length: 100\r\n\r\nhi`, 'latin1'));
			}),
		);
		await expect(fetchOverHttp(url)).rejects.toBeInstanceOf(Error);
		await expect.poll(() => ended).toBe(true);
	});

	test('is sent once more over a new connection when the server had closed the kept one', async () => {
		const seen: string[] = [];
		const server = createServer(async (request, response) => {
			seen.push(await text(request));
			if (seen.length === 1) setTimeout(() => request.socket.destroy(), 0);
			response.end('done');
		});
		const url = await listen(server);
		for (const body of ['one', 'two', 'three'])
			expect(await (await fetchOverHttp(url, { method: 'POST', body })).text()).toBe('done');
		expect(seen).toEqual(['one', 'two', 'three']);
	});
});

test('An answer is read whole, or not at all when it is longer than it may be', async () => {
	expect(await bodyWithin(new Response('12345'), 5)).toEqual(Buffer.from('12345'));
	expect(await bodyWithin(new Response('123456'), 5)).toBeUndefined();
	expect(await bodyWithin(new Response(null), 5)).toEqual(Buffer.alloc(0));
});

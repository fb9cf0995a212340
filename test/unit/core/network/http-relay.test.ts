import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { relayHttp, WrongHost } from '../../../../src/core/network/http-relay.ts';
import { rewriteFor } from '../../../../src/core/network/rewrite.ts';
import { Substitution } from '../../../../src/core/network/substitution.ts';
import { createMask } from '../../../../src/core/secrets/redact.ts';

const closing: (() => void)[] = [];
afterEach(() => {
	for (const close of closing.splice(0)) close();
});

async function listen(server: Server): Promise<number> {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	closing.push(() => server.close());
	return (server.address() as { port: number }).port;
}

const dial = (port: number): Socket => {
	const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
	closing.push(() => socket.destroy());
	return socket;
};

const value = 'hunter2-real-value';
const host = 'a.example';
const placeholder = 'scp_placeholder';
const substitution = new Substitution({ KEY: value }, { KEY: [host] }, () => placeholder);
const rewrite = rewriteFor(host, 80, substitution, createMask({ KEY: value }));

/** A relay in front of a real server; what it refused and carried is kept. */
async function relayTo(
	listener: RequestListener | ((socket: Socket) => void),
	options: { raw?: boolean; filled?: boolean } = {},
) {
	const server = options.raw
		? createServer(listener as (socket: Socket) => void)
		: createHttpServer(listener as RequestListener);
	const port = await listen(server);
	const log = { refused: [] as string[], carried: 0, connections: 0 };
	const relay = createServer({ allowHalfOpen: true }, (client) => {
		client.on('error', () => client.destroy());
		relayHttp(client, {
			host,
			connect: async () => {
				log.connections++;
				const socket = dial(port);
				await once(socket, 'connect');
				return socket;
			},
			count: (bytes) => {
				log.carried += bytes;
			},
			refuse: (error) => {
				log.refused.push(
					error instanceof WrongHost ? error.message : ((error as NodeJS.ErrnoException).code ?? 'error'),
				);
				return 'refused by policy';
			},
			rewrite: options.filled ? rewrite : undefined,
		});
	});
	return { port: await listen(relay), log };
}

/** Sends bytes, ends, and reads all that comes back. */
async function talk(port: number, ...parts: string[]): Promise<string> {
	const socket = dial(port);
	let read = '';
	socket.setEncoding('latin1').on('data', (text: string) => {
		read += text;
	});
	for (const part of parts) {
		socket.write(part, 'latin1');
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	socket.end();
	await Promise.race([once(socket, 'close'), once(socket, 'end')]);
	return read;
}

const get = (more = '', path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
const echo: RequestListener = (request, response) => {
	const pairs = request.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : []));
	let body = '';
	request.on('data', (chunk) => {
		body += chunk;
	});
	request.on('end', () => response.end([`${request.method} ${request.url}`, ...pairs, '', body].join('\n')));
};

describe('a request', () => {
	it('arrives as it was sent, without what belongs to the connection', async () => {
		const { port, log } = await relayTo(echo);
		const body =
			'POST /p?q=1 HTTP/1.1\r\nHost: A.example:80\r\nX-One: 1\r\nX-one: 2\r\nConnection: close, X-Hop\r\nX-Hop: y\r\nTE: trailers\r\nContent-Length: 5\r\n\r\nhello';
		expect((await talk(port, body)).split('\r\n\r\n')[1]).toContain(
			'POST /p?q=1\nHost: A.example:80\nX-One: 1\nX-one: 2\nContent-Length: 5\nConnection: keep-alive\n\nhello',
		);
		expect({ ...log, carried: log.carried > 100 }).toEqual({ refused: [], carried: true, connections: 1 });
	});

	it('shares one connection to the server with those before it', async () => {
		const { port, log } = await relayTo(echo);
		const text = await talk(port, get(), get('', '/two'), `${get('', '/three')}${get('', '/four')}`);
		expect(text.match(/GET \/\w*/g)).toEqual(['GET /', 'GET /two', 'GET /three', 'GET /four']);
		expect(log.connections).toBe(1);
	});

	it('without a body stays without one', async () => {
		const { port } = await relayTo(echo);
		const text = await talk(
			port,
			`POST / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
			`DELETE / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
		);
		expect(text).toContain('POST /\nHost: a.example\nContent-Length: 0\n');
		expect(text).toContain('DELETE /\nHost: a.example\nConnection: keep-alive\n\n');
	});

	it.each([
		['another Host', 'GET / HTTP/1.1\r\nHost: b.example\r\n\r\n', 'b.example'],
		['an address', 'GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n', '10.0.0.1'],
		['two hosts', 'GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n', 'a.example, b.example'],
		['the same host twice', 'GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n', 'a.example, a.example'],
		['an absolute address', 'GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n', 'b.example'],
		[
			'an address with a user',
			'GET http://a.example@b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n',
			'a.example@b.example',
		],
		['a tunnel', 'CONNECT b.example:22 HTTP/1.1\r\nHost: a.example\r\n\r\n', 'b.example:22'],
	])('with %s is refused', async (_what, words, named) => {
		const { port, log } = await relayTo(echo);
		expect(await talk(port, words)).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
		expect({ refused: log.refused, connections: log.connections }).toEqual({ refused: [named], connections: 0 });
	});

	it('for another host is refused after a good one, too', async () => {
		const { port, log } = await relayTo(echo);
		const text = await talk(port, get(), 'GET / HTTP/1.1\r\nHost: b.example\r\n\r\n');
		expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403']);
		expect(log.refused).toEqual(['b.example']);
	});

	it.each([
		[
			'two lengths',
			'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /',
		],
		['a bad chunk', 'POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n'],
		['a space before the colon', 'GET / HTTP/1.1\r\nHost : b.example\r\n\r\n'],
		['a bare line end', 'GET / HTTP/1.1\r\nHost: a.example\r\nX: 1\n\rHost: b.example\r\n\r\n'],
		['no path', 'GET b.example:80 HTTP/1.1\r\nHost: a.example\r\n\r\n'],
		['no host', 'GET / HTTP/1.1\r\n\r\n'],
	])('with %s reaches no server whole', async (_what, words) => {
		const seen: string[] = [];
		const { port } = await relayTo((request, response) => {
			request.on('error', () => {});
			request.on('end', () => seen.push(request.url ?? ''));
			request.resume();
			response.end();
		});
		expect(await talk(port, words)).not.toContain('200 OK');
		expect(seen).toEqual([]);
	});

	it('is one of few that wait for an answer', async () => {
		const { port, log } = await relayTo(() => {});
		expect(await talk(port, get().repeat(1_000))).toBe('');
		expect(log.connections).toBeLessThanOrEqual(1);
	});
});

describe('an answer', () => {
	it('arrives as it was sent', async () => {
		const { port } = await relayTo(
			(socket: Socket) => {
				socket.end(
					'HTTP/1.1 418 Tea\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi',
				);
			},
			{ raw: true },
		);
		expect(await talk(port, get('Connection: close\r\n'))).toBe(
			'HTTP/1.1 418 Tea\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi',
		);
	});

	it('that is cut does not look whole', async () => {
		const { port } = await relayTo(
			(socket: Socket) => {
				socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
				setTimeout(() => socket.destroy(), 30);
			},
			{ raw: true },
		);
		expect(await talk(port, get())).toMatch(/Content-Length: 100\r\n[\s\S]*half$/);
	});

	it.each([
		['a status that is none', '000 Nothing\r\n', 'ERR_HTTP_INVALID_STATUS_CODE'],
		['a status below all', '099 Less\r\n', 'ERR_HTTP_INVALID_STATUS_CODE'],
		['a control character in its reason', '200 O\x01K\r\n', 'ERR_INVALID_CHAR'],
		['another protocol', '101 Now\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n', 'error'],
	])('with %s is a failure, which the client hears of at once', async (_what, head, code) => {
		const ended: boolean[] = [];
		const { port, log } = await relayTo(
			(socket: Socket) => {
				socket.on('error', () => {}).once('close', () => ended.push(true));
				socket.once('data', () => socket.write(`HTTP/1.1 ${head}Content-Length: 2\r\n\r\nhi`, 'latin1'));
			},
			{ raw: true },
		);
		expect(await talk(port, get())).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[\s\S]*refused by policy\n/);
		await expect.poll(() => ended).toEqual([true]);
		expect(log.refused).toEqual([code]);
	});

	it('of a server that does not speak HTTP is a failure', async () => {
		const { port, log } = await relayTo((socket: Socket) => socket.end('220 smtp\r\n'), { raw: true });
		expect(await talk(port, get())).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[\s\S]*refused by policy\n/);
		expect(log.refused).toEqual(['HPE_INVALID_CONSTANT']);
	});
});

describe('a secret', () => {
	const filled = (listener: RequestListener) => relayTo(listener, { filled: true });

	it('is put into headers, and masked when it comes back in headers, body or reason', async () => {
		let seen: unknown;
		const { port } = await filled((request, response) => {
			seen = [request.headers.authorization, request.url, request.headers.range, request.headers['accept-encoding']];
			response.writeHead(200, `OK ${value}`, { 'X-Echo': value, 'Content-Length': value.length + 2 });
			response.write(`<${value.slice(0, 5)}`);
			response.end(`${value.slice(5)}>`);
		});
		const more = `Authorization: Bearer ${placeholder}\r\nRange: bytes=0-1\r\nAccept-Encoding: gzip\r\n`;
		const text = Buffer.from(await talk(port, get(more, `/${placeholder}`)), 'latin1').toString();
		expect(seen).toEqual([`Bearer ${value}`, `/${placeholder}`, undefined, 'identity']);
		expect(text).not.toContain(value);
		expect(text).toContain('X-Echo: •••KEY•••');
		expect(text.split('\r\n\r\n')[1]).toContain('<•••KEY•••>');
	});

	it('is masked in an answer that is compressed all the same', async () => {
		const { port } = await filled((request, response) => {
			response.setHeader('Content-Encoding', 'gzip');
			response.end(gzipSync(`it is ${request.headers.authorization}`));
		});
		const text = Buffer.from(await talk(port, get(`Authorization: ${placeholder}\r\n`)), 'latin1').toString();
		expect(text).toContain('it is •••KEY•••');
		expect(text).not.toMatch(/content-encoding/i);
	});

	it('does not come back in a coding that cannot be read', async () => {
		const { port } = await filled((request, response) => {
			response.setHeader('Content-Encoding', 'rot13');
			response.end(request.headers.authorization);
		});
		expect(await talk(port, get(`Authorization: ${placeholder}\r\n`))).not.toContain(value);
	});

	it('that no header can carry is a failure without its value', async () => {
		const odd = 'line-one\nline-two';
		const other = new Substitution({ KEY: odd }, { KEY: [host] }, () => placeholder);
		expect(other.fill(host, 80, placeholder)).toBe(odd);
		const { port, log } = await filled(echo);
		const text = await talk(port, get(`X: ${placeholder}\u0001\r\n`));
		expect(text).toMatch(/^HTTP\/1\.1 (400|502)/);
		expect([text, ...log.refused].join()).not.toContain(value);
	});
});

/** What strangers and broken clients do to a listener: each protocol answers shortly, in JSON or plain text, and goes on. */
import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faceNames } from '../../src/contract/device-job.ts';
import { openPolicy, TestAgent } from '../helpers/agent.ts';
import { forged, healthPath, jobRequest, type PlainRequest } from '../helpers/agent-requests.ts';

let agent: TestAgent;
beforeAll(async () => {
	agent = await TestAgent.start({ policy: openPolicy(), init: ['--device-id', 'box'] });
});
afterAll(() => agent.remove());

type Face = (typeof faceNames)[number];

interface Reply {
	readonly status: number;
	readonly type: string;
	readonly text: string;
}

async function send(face: Face, { method, path, headers, body }: PlainRequest): Promise<Reply> {
	const { url } = agent.faces[face];
	const ask = url.startsWith('https:') ? tlsRequest : plainRequest;
	const sent = ask(url + path, { method, headers, agent: false, ca: agent.faces.native.ca });
	sent.on('error', () => {});
	sent.end(body);
	const [response] = await once(sent, 'response');
	const parts: Buffer[] = [];
	for await (const part of response) parts.push(part);
	const text = Buffer.concat(parts).toString();
	return { status: response.statusCode, type: response.headers['content-type'] ?? '', text };
}

async function open(face: Face): Promise<Socket> {
	const { url } = agent.faces[face];
	const { hostname, port } = new URL(url);
	const isTls = url.startsWith('https:');
	const socket = isTls
		? tlsConnect({ host: hostname, port: Number(port), ca: agent.faces.native.ca })
		: connect(Number(port), hostname);
	socket.on('error', () => {});
	await once(socket, isTls ? 'secureConnect' : 'connect');
	return socket;
}

/** All that comes back for these bytes. */
async function talk(face: Face, bytes: string | Uint8Array): Promise<string> {
	const socket = await open(face);
	let heard = '';
	socket.on('data', (chunk) => {
		heard += chunk;
	});
	socket.write(bytes);
	await once(socket, 'close');
	return heard;
}

const isHealthy = async (face: Face): Promise<boolean> =>
	(await send(face, { method: 'GET', path: healthPath[face], headers: {} })).status === 200;

/** Neither a failure of ours nor a page, a stack or a path of the host. */
function expectDecent({ status, type, text }: Reply): void {
	expect([status >= 400 && status < 500, /html/.test(type), /\bat \/|node_modules|\.ts:|\.js:\d/.test(text)]).toEqual([
		true,
		false,
		false,
	]);
}

describe.each(faceNames)('the listener of %s', (face) => {
	it('answers /health to everybody, and a job to who may', async () => {
		const job = await send(face, jobRequest(agent, face));
		expect([await isHealthy(face), [200, 202].includes(job.status), job.text]).toEqual([
			true,
			true,
			expect.any(String),
		]);
	});

	it('refuses who does not prove anything', async () => {
		const { status } = await send(face, forged(jobRequest(agent, face)));
		expect([400, 401, 403]).toContain(status);
	});

	it.each([
		['nothing', ''],
		['half of a text', '{"op": "shell'],
		['a number', '7'],
		['a list', '[[[[]]]]'],
		['null', 'null'],
		['what would change prototypes', '{"__proto__": {"admin": true}, "constructor": {"prototype": {"x": 1}}}'],
		['a key twice', '{"op":"shell","op":"close_session"}'],
		['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]).toString('latin1')],
		['ten thousand brackets', '['.repeat(10_000)],
		['a NUL', '{"op":"\u0000"}'],
	])('refuses a body that is %s', async (_, body) => {
		const good = jobRequest(agent, face);
		expectDecent(await send(face, { ...good, body }));
	});

	it('refuses a body that is too long before it has read it', async () => {
		const good = jobRequest(agent, face);
		const reply = await send(face, { ...good, body: JSON.stringify({ x: 'y'.repeat(400_000) }) });
		expectDecent(reply);
		expect(reply.status).toBe(413);
	});

	it.each([
		['GET', '/nowhere'],
		['GET', '/..%2f..%2fetc/passwd'],
		['GET', `/${'a'.repeat(5000)}`],
		['DELETE', '/health'],
		['PUT', '/'],
		['TRACE', '/'],
		['GET', '/%ff%fe'],
	])('refuses %s %s', async (method, path) => {
		const reply = await send(face, { method, path, headers: {} });
		// QuickCMD's original answers /health to every method.
		if (face === 'quickcmd' && path === '/health') expect(reply.status).toBe(200);
		else expectDecent(reply);
	});

	it.each([
		['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
		['TLS in the wrong place', Buffer.from('160301020001000100', 'hex'), /^HTTP\/1\.1 400 |^$/],
		['a head without end', `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n`, /^HTTP\/1\.1 431 /],
		[
			'two lengths',
			'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc',
			/^HTTP\/1\.1 400 /,
		],
		[
			'a length and chunks',
			'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
			/^HTTP\/1\.1 400 /,
		],
		[
			'a strange upgrade',
			'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
			/^HTTP\/1\.1 4\d\d /,
		],
	])('ends a connection that sends %s', async (_, bytes, answer) => {
		const heard = await talk(face, bytes);
		expect(heard).toMatch(answer);
		expect(heard).not.toMatch(/<html|\bat \//i);
	});
});

describe('slow clients', () => {
	it('are cut off while others are served, on every listener', async () => {
		const slow = await Promise.all(
			faceNames
				.flatMap((face) => [open(face), open(face)])
				.map(async (opening, index) => {
					const socket = await opening;
					const closed = new Promise((resolve) => socket.on('close', resolve));
					// One sends its head byte by byte, the other one says much and sends little.
					socket.write(
						index % 2 === 0 ? 'GET / HTTP/1.1\r\nX: ' : 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{',
					);
					const timer = setInterval(() => socket.write('a'), 1000);
					return { closed: closed.finally(() => clearInterval(timer)) };
				}),
		);
		expect(await Promise.all(faceNames.map(isHealthy))).toEqual(faceNames.map(() => true));
		await Promise.all(slow.map(({ closed }) => closed));
	}, 60_000);

	it('take no more than their share of connections', async () => {
		const sockets = await Promise.all(Array.from({ length: 300 }, () => open('agent3').catch(() => undefined)));
		await new Promise((resolve) => setTimeout(resolve, 500));
		const kept = sockets.filter((socket) => socket && !socket.destroyed).length;
		for (const socket of sockets) socket?.destroy();
		expect(kept).toBeLessThanOrEqual(256);
		expect(await isHealthy('ogent')).toBe(true);
	});
});

it('after all that no bug was reported, and the agent stops well', async () => {
	expect(agent.log.filter(({ level }) => level === 'error')).toEqual([]);
	expect([await agent.end(), agent.stderr]).toEqual([0, '']);
});

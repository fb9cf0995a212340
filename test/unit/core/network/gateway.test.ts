import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, encode } from 'dns-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { fixedLimits } from '../../../../src/contract/limits.ts';
import { type Decision, Gateway } from '../../../../src/core/network/gateway.ts';
import { networkRules } from '../../../../src/core/network/rules.ts';

const closing: (() => void)[] = [];
afterEach(() => {
	for (const close of closing.splice(0)) close();
});

const gatewayFor = (...hosts: string[]): Gateway => {
	const gateway = new Gateway(networkRules(hosts));
	closing.push(() => gateway.close());
	return gateway;
};

async function listener(): Promise<{ server: Server; port: number }> {
	const server = createServer().listen(0, '0.0.0.0');
	await once(server, 'listening');
	return { server, port: (server.address() as { port: number }).port };
}

async function names(gateway: Gateway): Promise<(name: string) => Promise<string | undefined>> {
	const socket = createSocket('udp4').bind(0, '127.0.0.1');
	await once(socket, 'listening');
	gateway.take(53, socket);
	const client: UdpSocket = createSocket('udp4');
	closing.push(() => client.close());
	return async (name) => {
		client.send(encode({ type: 'query', id: 1, questions: [{ type: 'A', name }] }), socket.address().port, '127.0.0.1');
		const [message] = await once(client, 'message');
		const [answer] = decode(message).answers ?? [];
		return answer?.type === 'A' ? answer.data : undefined;
	};
}

/** Connects, says something, and waits for the end. */
async function dial(host: string, port: number, words: string): Promise<void> {
	const socket = connect({ host, port });
	socket.on('error', () => {}).write(words);
	socket.resume();
	await once(socket, 'close');
}

/** Leads everywhere once it is told to; counts who waits for it. */
async function slowProxy() {
	const waiting = new Set<Socket>();
	const server = createServer((socket) => {
		waiting.add(
			socket
				.resume()
				.on('error', () => {})
				.once('close', () => waiting.delete(socket)),
		);
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	closing.push(() => server.close());
	const { port } = server.address() as { port: number };
	return {
		waiting,
		proxyFor: () => ({ host: '127.0.0.1', port, isSecure: false, authorization: null }),
		lead: () => {
			for (const socket of waiting) socket.write('HTTP/1.1 200 OK\r\n\r\n');
		},
	};
}

/** A gateway that leads to a.example through that proxy, and a client that says something there and is gone. */
async function visited(proxy: Awaited<ReturnType<typeof slowProxy>>) {
	const { server, port } = await listener();
	const gateway = new Gateway(networkRules([`a.example:${port}`]), undefined, undefined, undefined, proxy.proxyFor);
	closing.push(() => gateway.close());
	const host = (await (await names(gateway))('a.example')) ?? '';
	gateway.take(port, server);
	return async (words: string) => {
		const before = proxy.waiting.size;
		const socket = connect({ host, port }).on('error', () => {});
		socket.write(words);
		for (let tries = 0; tries < 50 && proxy.waiting.size === before; tries++) await sleep(2);
		socket.resetAndDestroy();
		await sleep(1);
	};
}

describe('Gateway', () => {
	it.each(['hello\n', 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'])(
		'leaves no way open for a client that went while it was made, after %j',
		async (words) => {
			const proxy = await slowProxy();
			const visit = await visited(proxy);
			await visit(words);
			await sleep(50);
			expect(proxy.waiting.size).toBe(1);
			proxy.lead();
			await expect.poll(() => proxy.waiting.size).toBe(0);
		},
	);

	it('counts ways that are being made, also for clients that have gone', async () => {
		const proxy = await slowProxy();
		const visit = await visited(proxy);
		for (let count = 0; count < fixedLimits.connections + 10; count++) await visit('hello\n');
		expect(proxy.waiting.size).toBe(fixedLimits.connections);
	});

	it('closes a socket that arrives after the end', async () => {
		const gateway = gatewayFor('a.example');
		gateway.close();
		const { server } = await listener();
		gateway.take(80, server);
		expect(server.listening).toBe(false);
	});

	it('closes all it was given, once and twice', async () => {
		const gateway = gatewayFor('a.example');
		const { server, port } = await listener();
		gateway.take(80, server);
		const client = connect({ port, host: '127.0.0.1' }).on('error', () => {});
		await once(client, 'connect');
		gateway.close();
		gateway.close();
		await once(client, 'close');
		expect(server.listening).toBe(false);
	});

	it('notes each refusal once, and no client that only hangs up', async () => {
		const { server, port } = await listener();
		const gateway = gatewayFor(`a.example:${port}`, 'b.example:1');
		const ask = await names(gateway);
		gateway.take(port, server);
		const [a = '', b = ''] = [await ask('a.example'), await ask('b.example')];
		expect([a, b, await ask('c.example')]).toEqual(['127.1.0.1', '127.1.0.2', undefined]);
		for (let count = 0; count < 3; count++) await dial(b, port, 'hello');
		await dial('127.0.0.1', port, 'hello');
		const gone = connect({ host: a, port });
		await once(gone, 'connect');
		gone.resetAndDestroy();
		await dial(b, port, 'hello');
		expect(gateway.decisions).toEqual([
			{ host: 'c.example', port: null, refused: 'not allowed' },
			{ host: 'b.example', port, refused: 'this port is not allowed' },
			{ host: '127.0.0.1', port, refused: 'only names can be reached, no bare addresses' },
		]);
	});

	it('remembers a hundred refusals of a program that asks for thousands of names', async () => {
		const gateway = gatewayFor('a.example');
		const ask = await names(gateway);
		for (let count = 0; count < 150; count++) await ask(`n${count}.example`);
		expect(gateway.decisions).toHaveLength(100);
	});

	it('tells of each decision once, as it is made', async () => {
		const heard: Decision[] = [];
		const gateway = new Gateway(networkRules(['a.example']), undefined, (decision) => heard.push(decision));
		closing.push(() => gateway.close());
		const ask = await names(gateway);
		for (const name of ['x.example', 'x.example', 'a.example']) await ask(name);
		expect(heard).toEqual([{ host: 'x.example', port: null, refused: 'not allowed' }]);
	});
});

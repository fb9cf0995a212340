/** One listener and the sockets of its peers, real ones; only the clock of the looks is the test's. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Connections } from '../../../../src/device/agent/connections.ts';

afterEach(() => vi.useRealTimers());

async function listening(limits: { connections?: number; connectionsPerPeer?: number } = {}) {
	vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
	// More than the buffers of both sides take.
	const server: Server = createServer((request, response) => {
		response.end(request.url === '/large' ? Buffer.alloc(64 * 1024 * 1024) : 'ok');
	});
	const connections = new Connections(server, { connections: 100, connectionsPerPeer: 100, ...limits });
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => {
		connections.destroy();
		server.close();
	});
	const { port } = server.address() as AddressInfo;
	const open = async (): Promise<Socket> => {
		const socket = connect(port, '127.0.0.1').on('error', () => {});
		onTestFinished(() => void socket.destroy());
		await once(socket, 'connect');
		return socket;
	};
	return { connections, open };
}

const ask = (socket: Socket, path = '/'): Socket => {
	socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
	return socket;
};
const answered = async (socket: Socket): Promise<boolean> =>
	Promise.race([once(ask(socket), 'data').then(() => true), once(socket, 'close').then(() => false)]);

describe('the connections of a listener', () => {
	it('are no more of one address than it may have, and one that ends makes room', async () => {
		const { open } = await listening({ connectionsPerPeer: 2 });
		const [first, second] = [await open(), await open()];
		expect([await answered(first), await answered(second), await answered(await open())]).toEqual([true, true, false]);
		first.destroy();
		await sleep(50);
		expect(await answered(await open())).toBe(true);
	});

	it('are no more in all than it may have', async () => {
		const { open } = await listening({ connections: 1 });
		expect([await answered(await open()), await answered(await open())]).toEqual([true, false]);
	});

	it('are all ended at the end', async () => {
		const { open, connections } = await listening();
		const socket = await open();
		expect(await answered(socket)).toBe(true);
		connections.destroy();
		await once(socket.resume(), 'close');
	});

	it('are cut off when they take nothing of an answer for a minute, and not a moment before', async () => {
		const { open } = await listening();
		const [stuck, idle] = [ask((await open()).pause(), '/large'), await open()];
		expect(await answered(idle)).toBe(true);
		let isCut = false;
		stuck.on('close', () => {
			isCut = true;
		});
		await sleep(200);
		// The first look sees what was sent, the next three that nothing more was.
		for (let look = 0; look < 4; look++) vi.advanceTimersByTime(15_000);
		await sleep(50);
		expect(isCut).toBe(false);
		vi.advanceTimersByTime(15_000);
		stuck.resume();
		await once(stuck, 'close');
		expect(await answered(idle)).toBe(true);
	});

	it('are not cut off while they take something', async () => {
		const { open } = await listening();
		const slow = ask(await open(), '/large');
		let taken = 0;
		slow.on('data', ({ length }) => {
			taken += length;
		});
		for (let look = 0; look < 8; look++) {
			// More than what waits in the buffers of the system.
			for (const enough = taken + 4 * 1024 * 1024; taken < enough; ) await once(slow.resume(), 'data');
			slow.pause();
			await sleep(20);
			vi.advanceTimersByTime(15_000);
		}
		slow.resume();
		while (taken < 64 * 1024 * 1024) await once(slow, 'data', { signal: AbortSignal.timeout(10_000) });
		expect(slow.destroyed).toBe(false);
	});
});

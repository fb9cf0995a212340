import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readDeviceList } from '../../../../nodes/RemoteShell/device-list.ts';
import { fanOut } from '../../../../nodes/RemoteShell/fan-out.ts';
import { KnownError } from '../../../../src/contract/error.ts';
import type { RemoteCommand, RemoteResult } from '../../../../src/contract/remote.ts';
import type { DeviceAccess } from '../../../../src/device/client/client.ts';
import { createClient } from '../../../../src/device/client/create.ts';
import { remoteResult } from '../../../../src/device/client/remote-result.ts';
import { originalAgent3 } from '../../../helpers/originals/agent3.ts';

const token = 't-123456';

const hello: RemoteCommand = {
	command: { mode: 'script', script: 'echo hello', shell: 'auto' },
	env: {},
	labels: {},
	idempotencyKey: 'k',
};

async function runOn(alias: string, access: DeviceAccess): Promise<RemoteResult> {
	const client = createClient(alias, access);
	return await client.run(hello).finally(() => client.close());
}

const listOf = (urls: Readonly<Record<string, string>>) =>
	readDeviceList('agent3', {
		devices: Object.entries(urls)
			.map(([alias, url]) => `${alias} = ${JSON.stringify({ url, token })}`)
			.join('\n'),
	});

/** Takes connections and hangs up, as a machine does that is about to go down. */
async function hangingUp(): Promise<string> {
	const server = createServer((socket) => socket.destroy());
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => void server.close());
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the same command on many devices', () => {
	it('gives twenty rows in the order of the list, three of them of devices that are dead in different ways', async () => {
		const alive = await Promise.all(Array.from({ length: 17 }, () => originalAgent3(token)));
		const urls = Object.fromEntries(alive.map(({ url }, index) => [`d-${index}`, url]));
		const all = {
			'dead-1': 'http://127.0.0.1:1',
			...urls,
			'dead-2': await hangingUp(),
			'dead-3': 'https://127.0.0.1:1',
		};
		const rows = await fanOut(listOf(all), 16, runOn);
		expect(rows.map(({ device, status }) => [device, status])).toEqual(
			Object.keys(all).map((device) => [device, device.startsWith('dead') ? 'unreachable' : 'succeeded']),
		);
		expect(rows.every(({ status, problem }) => (status === 'unreachable') === (problem !== null))).toBe(true);
	});

	it('asks no more devices at a time than it may, and all of two hundred', async () => {
		const list = listOf(
			Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`d-${index}`, `http://h${index}`])),
		);
		let running = 0;
		let most = 0;
		const rows = await fanOut(list, 7, async (device, { protocol }) => {
			most = Math.max(most, ++running);
			await new Promise((resolve) => setImmediate(resolve));
			running--;
			return remoteResult({ device, protocol }, { status: 'succeeded' });
		});
		expect([most, rows.length, rows[199]?.device]).toEqual([7, 200, 'd-199']);
	});

	it('makes a row of what one device refuses, and throws what is a bug of ours', async () => {
		const list = listOf({ a: 'http://a', b: 'http://b' });
		const refusing = (code: 'AUTH_REQUIRED' | 'AGENT_UNREACHABLE') => async () => {
			throw new KnownError(code, { details: 'x' });
		};
		const rows = [
			await fanOut(list, 2, refusing('AUTH_REQUIRED')),
			await fanOut(list, 2, refusing('AGENT_UNREACHABLE')),
		];
		expect(rows.map((both) => both.map(({ status }) => status))).toEqual([
			['denied', 'denied'],
			['unreachable', 'unreachable'],
		]);
		await expect(fanOut(list, 2, () => Promise.reject(new TypeError('bug')))).rejects.toThrow('bug');
	});
});

import { once } from 'node:events';
import { createServer as createSecure } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { generate } from 'selfsigned';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readDeviceList } from '../../../../nodes/RemoteShell/device-list.ts';
import { fanOut } from '../../../../nodes/RemoteShell/fan-out.ts';
import { forWorkflow } from '../../../../nodes/RemoteShell/results.ts';
import { KnownError } from '../../../../src/contract/error.ts';
import type { RemoteCommand, RemoteResult } from '../../../../src/contract/remote.ts';
import type { DeviceAccess } from '../../../../src/device/client/client.ts';
import { createClient } from '../../../../src/device/client/create.ts';
import { remoteResult } from '../../../../src/device/client/remote-result.ts';
import { originalAgent3 } from '../../../helpers/originals/agent3.ts';
import { bodyOf, listen } from '../../../helpers/originals/listen.ts';

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

/** Takes connections and says nothing, as behind a filter that drops what comes back. */
async function silent(): Promise<string> {
	const server = createServer(() => {});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => void server.close());
	return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A device with a certificate that nobody has vouched for. */
async function selfSigned(): Promise<string> {
	const { cert, private: key } = await generate([{ name: 'commonName', value: 'a' }], { keyType: 'ec' });
	const server = createSecure({ cert, key }, (_request, response) => response.end('{}'));
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => void server.close());
	return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const nothing = JSON.stringify({ stdout: '', stderr: '', exit_code: 0, session: 's', status: 'done' });

describe('devices that are dead in different ways', () => {
	it('are rows beside those that answer, each with its reason', async () => {
		const alive = await originalAgent3(token);
		const all = {
			refused: 'http://127.0.0.1:1',
			alive: alive.url,
			silent: await silent(),
			untrusted: await selfSigned(),
			'hangs-up': await hangingUp(),
			'hangs-after-headers': await listen((_request, response) => response.writeHead(200).flushHeaders()),
			'drops-midway': await listen((_request, response) =>
				response.writeHead(200).write(nothing.slice(0, 20), () => response.destroy()),
			),
			'another-service': await listen((_request, response) => response.writeHead(404).end('<html>')),
			'says-nonsense': await listen((_request, response) => response.end('nonsense')),
		};
		const dead = Object.keys(all).filter((device) => device !== 'alive');
		const rows = await fanOut(listOf(all), 16, (alias, access) =>
			runOn(alias, { ...access, connectMs: 1_000, answerMs: 1_000 }),
		);
		expect(rows.map(({ device, status, problem }) => [device, status, problem?.code ?? null])).toEqual(
			Object.keys(all).map((device) =>
				device === 'alive' ? [device, 'succeeded', null] : [device, 'unreachable', 'AGENT_UNREACHABLE'],
			),
		);
		const words = rows.filter(({ device }) => dead.includes(device)).map(({ problem }) => problem?.message);
		expect(words.every((message) => message?.includes('could not be reached'))).toBe(true);
		expect(words.every((message) => !message?.includes(token))).toBe(true);
	});

	it('that may have run the command say so, and those that cannot have do not', async () => {
		const all = {
			refused: 'http://127.0.0.1:1',
			untrusted: await selfSigned(),
			'hangs-up': await hangingUp(),
			midway: await listen((_request, response) =>
				response.writeHead(200).write(nothing.slice(0, 20), () => response.destroy()),
			),
		};
		const rows = await fanOut(listOf(all), 16, runOn);
		expect(rows.map(({ notes, reliability }) => [notes.length, reliability])).toEqual([
			[0, 'exact'],
			[0, 'exact'],
			[1, 'best_effort'],
			[1, 'best_effort'],
		]);
	});
});

describe('two hundred devices that answer over connections of their own', () => {
	it('have a row each, and no more is asked and held at a time than may be', async () => {
		let running = 0;
		let most = 0;
		const stdout = 'x'.repeat(1024 * 1024);
		const answer = JSON.stringify({ stdout, stderr: '', exit_code: 0, session: 's', status: 'done' });
		const url = await listen(async (request, response) => {
			most = Math.max(most, ++running);
			const { op } = JSON.parse(await bodyOf(request)) as { op: string };
			await new Promise((resolve) => setTimeout(resolve, 5));
			running--;
			response.end(op === 'shell' ? answer : '{"status":"closed"}');
		});
		const list = listOf(
			Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`d-${index}`, `${url}/${index}`])),
		);
		const rows = await fanOut(list, 16, async (alias, access) => forWorkflow(await runOn(alias, access), list.size));
		expect([rows.length, rows.filter(({ status }) => status === 'succeeded').length, most <= 32]).toEqual([
			200,
			200,
			true,
		]);
		expect(rows.reduce((sum, row) => sum + row.stdout.length, 0)).toBeLessThan(65 * 1024 * 1024);
		expect(rows.every(({ truncated }) => truncated.stdout)).toBe(true);
	}, 30_000);
});

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

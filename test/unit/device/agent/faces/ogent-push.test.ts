import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { OgentPushes } from '../../../../../src/device/agent/faces/ogent-push.ts';
import { type MemoryJob, MemoryJobs } from '../../../../helpers/memory-jobs.ts';

const closing: (() => void)[] = [];
afterEach(() => {
	for (const close of closing.splice(0)) close();
});

interface Socket {
	readonly url: string;
	readonly updates: Record<string, unknown>[];
	readonly requests: IncomingMessage[];
}

const accept = (_update: unknown, response: ServerResponse): unknown => response.end('{"success":true}');

async function socketService(answer = accept): Promise<Socket> {
	const updates: Record<string, unknown>[] = [];
	const requests: IncomingMessage[] = [];
	const server = createServer(async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk);
		const update = JSON.parse(Buffer.concat(chunks).toString());
		requests.push(request);
		updates.push(update);
		answer(update, response);
	}).listen(0, '127.0.0.1');
	closing.push(() => server.close().closeAllConnections());
	await once(server, 'listening');
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, updates, requests };
}

interface Pushed {
	readonly logged: string[];
	readonly job: MemoryJob;
	readonly followed: Promise<void>;
	readonly stopping: AbortController;
}

/** One job, followed from the start; it is in the hands of the test. */
async function follow(url: string, token: string | null = null): Promise<Pushed> {
	const logged: string[] = [];
	const log = (_fields: object, message: string) => void logged.push(message);
	const jobs = new MemoryJobs(() => {});
	const stopping = new AbortController();
	closing.push(() => stopping.abort());
	const log3 = { info: log, warn: log, error: log };
	const pushes = new OgentPushes({ url, token, jobs, log: log3, stopping: stopping.signal });
	const command = { mode: 'script' as const, script: 'ls', shell: 'auto' as const };
	const principal = { name: 'one', roles: ['executor' as const], capabilities: ['*'], keyId: null, peer: null };
	const draft = { capability: 'shell.run.ogent', command, env: {}, labels: {} };
	await jobs.submit(principal, { face: 'ogent', draft });
	const [job] = jobs.jobs;
	if (!job) throw new Error('no job');
	return { logged, job, followed: pushes.follow('e-1', job.jobId), stopping };
}

const update = (status: string, progress: number, more: object = {}) => ({
	executionId: 'e-1',
	status,
	progress,
	...more,
});
const start = update('running', 1, { output: 'Starting execution...' });
const lines = (from: number, to: number) =>
	Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`).join('\n');

describe('the updates of an execution', () => {
	it('are the start, the last ten lines with the progress, and all of it at the end', async () => {
		const { url, updates, requests } = await socketService();
		const { job, followed } = await follow(url);
		job.enter('running');
		await expect.poll(() => updates.length).toBe(1);
		job.print('stdout', `${lines(1, 25)}\n`).print('stderr', 'careful\n');
		await expect.poll(() => updates.length).toBe(2);
		job.exit(0);
		await followed;
		expect(updates).toEqual([
			start,
			update('running', 2, { output: lines(16, 25) }),
			update('completed', 100, { output: lines(1, 25) }),
		]);
		expect(requests.map(({ method, url: path, headers }) => [method, path, headers['content-type']])).toEqual(
			Array.from({ length: 3 }, () => ['POST', '/api/execution-status', 'application/json']),
		);
		expect(requests[0]?.headers.authorization).toBe(undefined);
	});

	it('carry the bearer token of the configuration', async () => {
		const { url, requests } = await socketService();
		const { job, followed } = await follow(url, 'secret');
		job.enter('running').exit(0);
		await followed;
		expect(new Set(requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer secret']));
	});

	it.each([
		[{ status: 'failed', exitCode: 2 } as const, update('failed', 100, { output: 'out', error: 'err' })],
		[{ status: 'timed_out' } as const, update('failed', 100, { output: 'out', error: 'err\nExecution timed out' })],
		[{ status: 'cancelled' } as const, update('cancelled', 100, { output: 'out', error: 'err' })],
	])('end with %j as %j', async (result, last) => {
		const { url, updates } = await socketService();
		const { job, followed } = await follow(url);
		job.enter('running').print('stdout', 'out').print('stderr', 'err').end(result);
		await followed;
		expect(updates.at(-1)).toEqual(last);
	});

	it('say that it was cancelled where it printed nothing', async () => {
		const { url, updates } = await socketService();
		const { job, followed } = await follow(url);
		job.end({ status: 'cancelled' });
		await followed;
		expect(updates).toEqual([update('cancelled', 100, { output: 'Execution cancelled' })]);
	});

	it('become fewer when the receiver is slow, and lose neither the start nor the newest nor the end', async () => {
		const { url, updates } = await socketService(async (_update, response) => {
			await sleep(40);
			response.end();
		});
		const { job, followed } = await follow(url);
		job.enter('running');
		for (let line = 1; line <= 300; line++) job.print('stdout', `line ${line}\n`);
		job.exit(0);
		await followed;
		expect(updates).toEqual([
			start,
			update('running', 30, { output: lines(291, 300) }),
			update('completed', 100, { output: lines(1, 300) }),
		]);
	});

	it('that are too large at the end are sent with the last part of the output', async () => {
		const { url, updates } = await socketService((_update, response) =>
			updates.length === 1
				? response.end()
				: response.writeHead(String(updates.at(-1)?.output).length > 100_000 ? 413 : 200).end(),
		);
		const { job, followed } = await follow(url);
		job.enter('running').print('stdout', 'x'.repeat(300_000)).exit(0);
		await followed;
		expect(updates.slice(-2).map(({ output, truncated }) => [(output as string).length, truncated])).toEqual([
			[300_000, undefined],
			[65_536, true],
		]);
	});

	it('at the end are tried again when the receiver fails, and not when it refuses', async () => {
		const failing = await socketService((_update, response) =>
			response.writeHead(failing.updates.length < 2 ? 502 : 200).end(),
		);
		const one = await follow(failing.url);
		one.job.exit(0);
		await one.followed;
		expect(failing.updates.length).toBe(2);
		const refusing = await socketService((_update, response) => response.writeHead(400).end());
		const other = await follow(refusing.url);
		other.job.exit(0);
		await other.followed;
		expect(refusing.updates.length).toBe(1);
	});

	it('hold up nothing when nobody takes them, and say so once', async () => {
		const { url } = await socketService(() => {});
		const { job, followed, logged, stopping } = await follow(url);
		job.enter('running');
		for (let line = 0; line < 1000; line++) job.print('stdout', `line ${line}\n`);
		job.exit(0);
		expect(job.state).toBe('ended');
		await expect.poll(() => logged, { timeout: 10_000 }).toEqual(['the socket service of Ogent does not take updates']);
		stopping.abort();
		await followed;
	});

	it('are told in the log when they are taken again', async () => {
		const { url, updates } = await socketService((_update, response) =>
			response.writeHead(updates.length === 1 ? 503 : 200).end(),
		);
		const { job, followed, logged } = await follow(url);
		job.enter('running').exit(0);
		await followed;
		expect(logged).toEqual([
			'the socket service of Ogent does not take updates',
			'the socket service of Ogent takes updates again',
		]);
	});

	it('stop with the agent, without a word', async () => {
		const { url } = await socketService();
		const { followed, logged, stopping } = await follow(url);
		stopping.abort();
		await followed;
		expect(logged).toEqual([]);
	});
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../../src/contract/agent-config.ts';
import { quickCmdFace } from '../../../../../src/device/agent/faces/quickcmd.ts';
import { type Served, serveFace, TestKeys, tokenKey } from '../../../../helpers/face.ts';
import { type MemoryJob, MemoryJobs } from '../../../../helpers/memory-jobs.ts';
import {
	type Heard,
	listenTo,
	quickCmdPayload,
	quickCmdSecret,
	submitTo,
} from '../../../../helpers/quickcmd-client.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	await Promise.all(closing.splice(0).map((close) => close()));
});

interface Agent extends Served {
	readonly jobs: MemoryJobs;
	/** The one job, with the id "job-1". */
	readonly job: MemoryJob;
	listen(headers?: Record<string, string>, id?: string): Promise<Heard>;
}

async function agent(
	act: (job: MemoryJob) => unknown = (job) => job.enter('running'),
	settings: Partial<AgentConfig['quickcmd']> = {},
): Promise<Agent> {
	const jobs = new MemoryJobs(act);
	const key = {
		...{ id: 'k1', kind: 'hmac' as const, material: Buffer.from(quickCmdSecret) },
		principal: { name: 'controller-1', roles: ['executor' as const], capabilities: ['*'], keyId: 'k1' },
	};
	const quickcmd = {
		...{ allowedControllers: ['controller-1', 'https://ui.example'], reads: 'same-peer' as const },
		...{ requireBinding: false, maxAgeSeconds: 300, maxTtlSeconds: 3600, ...settings },
	};
	const keys = new TestKeys([key, tokenKey('reader-token', 'reader', ['viewer'])]);
	const served = await serveFace(quickCmdFace, jobs, keys, { quickcmd });
	closing.push(served.close);
	await submitTo(served.url, quickCmdPayload({ job_id: 'job-1' }));
	const listen: Agent['listen'] = (headers, id = 'job-1') => listenTo(`${served.url}/api/v1/stream/${id}`, headers);
	return { ...served, jobs, job: jobs.jobs[0] ?? raise('no job'), listen };
}

const raise = (text: string): never => {
	throw new Error(text);
};

const frame = (stream: string, data: string, final = false) => ({
	...{ job_id: 'job-1', timestamp: expect.stringMatching(/^20\d\d-.*Z$/), stream, data, final },
});
const last = frame('', '', true);

describe('a stream of QuickCMD', () => {
	it('tells a late subscriber everything, then the final frame, then closes as it should', async () => {
		const { listen } = await agent((job) =>
			job.enter('running').print('stdout', 'a<b\n').print('stderr', 'e\n').print('stdout', 'c\n').exit(0),
		);
		const { frames, texts, code } = await listen();
		expect([frames, code]).toEqual([
			[frame('stdout', 'a<b\n'), frame('stderr', 'e\n'), frame('stdout', 'c\n'), last],
			1000,
		]);
		expect(texts[0]).toMatch(
			/^\{"job_id":"job-1","timestamp":"20[^"]+","stream":"stdout","data":"a\\u003cb\\n","final":false\}\n$/,
		);
	});

	it('tells each of several subscribers all of it, what was and what comes', async () => {
		const { job, listen } = await agent((one) => one.enter('running').print('stdout', '1\n'));
		const early = [listen(), listen()];
		await sleep(100);
		job.print('stdout', '2\n');
		const late = listen();
		await sleep(100);
		job.print('stderr', '3\n').exit(0);
		const told = [frame('stdout', '1\n'), frame('stdout', '2\n'), frame('stderr', '3\n'), last];
		const heard = await Promise.all([...early, late]);
		expect(heard.map(({ frames, code }) => [frames, code])).toEqual(Array(3).fill([told, 1000]));
	});

	it('waits for a job that waits, and ends with one that is refused', async () => {
		const { job, listen } = await agent((one) => one.ask('apr-1'));
		const heard = listen();
		await sleep(50);
		job.deny('no');
		expect(await heard).toMatchObject({ frames: [last], code: 1000 });
	});

	it('never cuts a character in two', async () => {
		const bytes = Buffer.from('é😀');
		const { listen } = await agent((job) => {
			job.enter('running');
			for (const byte of bytes) job.print('stdout', Buffer.from([byte]));
			job.print('stdout', Buffer.from([0xf0, 0x9f])).exit(0);
		});
		const { frames } = await listen();
		expect(frames).toEqual([frame('stdout', 'é'), frame('stdout', '😀'), frame('stdout', '\ufffd'), last]);
	});

	it.each([
		['an allowed origin', { Origin: 'https://ui.example' }, null],
		['the name of a controller, as a client of the original must send it', { Origin: 'controller-1' }, null],
		['another origin', { Origin: 'https://evil.example' }, 403],
		['an empty origin', { Origin: '' }, 403],
		['the origin "null"', { Origin: 'null' }, 403],
	])('with %s', async (_, headers, status) => {
		const { listen } = await agent((job) => job.enter('running').exit(0));
		const { refused, code } = await listen(headers);
		expect([refused?.status ?? null, code === 1000]).toEqual([status, status === null]);
	});

	it('of a job that is not there, or not of this peer, is answered in plain text', async () => {
		const { jobs, listen } = await agent();
		const absent = await listen({}, 'job-2');
		jobs.peerOf = () => '10.0.0.9';
		const foreign = await listen();
		const token = await listen({ Authorization: 'Bearer wrong' });
		expect([absent, foreign, token].map(({ refused }) => refused)).toEqual([
			{ status: 404, text: 'Job not found\n' },
			{ status: 404, text: 'Job not found\n' },
			{ status: 401, text: expect.stringContaining('UNAUTHORIZED') },
		]);
	});

	it('needs a proof in the strict mode', async () => {
		const { listen } = await agent((job) => job.enter('running').exit(0), { reads: 'auth' });
		const stranger = await listen();
		const reader = await listen({ Authorization: 'Bearer reader-token' });
		expect([stranger.refused?.status, reader.code]).toEqual([401, 1000]);
	});

	it('ends with 1001 when the agent stops', async () => {
		const { listen, close } = await agent();
		const heard = listen();
		await sleep(50);
		await close();
		closing.length = 0;
		expect((await heard).code).toBe(1001);
	});

	const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

	const handshake = (url: string, path = '/api/v1/stream/job-1'): Socket => {
		const { hostname, port } = new URL(url);
		const socket = connect(Number(port), hostname).on('error', () => {});
		socket.write(
			`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
				'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
		);
		return socket;
	};

	it('goes on with what it does when a subscriber vanishes', async () => {
		const { url, job, listen } = await agent();
		const socket = handshake(url);
		await once(socket, 'data');
		socket.destroy();
		const heard = listen();
		await sleep(50);
		job.print('stdout', 'x').exit(0);
		expect(await heard).toMatchObject({ frames: [frame('stdout', 'x'), last], code: 1000 });
	});

	it('asks for no more output than a subscriber takes', async () => {
		const { url, jobs, job } = await agent();
		let told = 0;
		const { watch } = jobs;
		jobs.watch = async function* (...of) {
			for await (const event of watch.apply(jobs, of)) {
				told++;
				yield event;
			}
		};
		const socket = handshake(url);
		await once(socket, 'data');
		socket.pause();
		for (let piece = 0; piece < 24; piece++) job.print('stdout', 'x'.repeat(1024 * 1024));
		await sleep(500);
		const toldWhilePaused = told;
		expect(toldWhilePaused).toBeLessThan(20);
		socket.destroy();
	});

	it('ends for a subscriber that sends more than it may', async () => {
		const { url } = await agent();
		const socket = handshake(url);
		await once(socket, 'data');
		socket.write(Buffer.concat([Buffer.from([0x82, 0xfe, 0xff, 0xff, 0, 0, 0, 0]), Buffer.alloc(65_535)]));
		await closed(socket);
	});

	it.each(['/api/v1/stream/', '/api/v1/stream/a/b', '/api/v1/stream/%zz', '/', '/api/v1/jobs/job-1'])(
		'is not at %s',
		async (path) => {
			const { url } = await agent();
			const socket = handshake(url, path);
			const chunks: Buffer[] = [];
			socket.on('data', (chunk) => chunks.push(chunk));
			await closed(socket);
			expect(Buffer.concat(chunks).toString()).not.toContain('101');
		},
	);
});

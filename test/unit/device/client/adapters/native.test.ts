import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RemoteCommand } from '../../../../../src/contract/remote.ts';
import { NativeClient } from '../../../../../src/device/client/adapters/native.ts';
import { DeviceHttp } from '../../../../../src/device/client/http.ts';
import { type Act, decided, goodEnd, untilStopped } from '../../../../helpers/desk.ts';
import { type NativeOptions, nativeAgent } from '../../../../helpers/native-face.ts';
import { json, listen } from '../../../../helpers/originals/listen.ts';

/** The face of the agent with its real pipeline, and the client in front of it. */
async function agent(options: NativeOptions = {}, through: (url: string) => Promise<string> = async (url) => url) {
	const found = await nativeAgent(options);
	const url = await through(found.url);
	const { kid, privateKey: key } = found.handKey;
	const make = (proof: ConstructorParameters<typeof NativeClient>[2]) => {
		const client = new NativeClient('web-1', new DeviceHttp({ url }), proof);
		onTestFinished(() => client.close());
		return client;
	};
	return { ...found, client: make({ key: { kid, key } }), approver: make({ token: 'bob-token' }) };
}

const asked = (more: Partial<RemoteCommand> = {}): RemoteCommand => ({
	command: { mode: 'argv', argv: ['uptime'] },
	env: {},
	labels: {},
	idempotencyKey: crypto.randomUUID(),
	...more,
});

const printing =
	(...lines: readonly string[]): Act =>
	async (_job, io) => {
		for (const line of lines) io.onOutput('stdout', Buffer.from(line));
		return goodEnd;
	};

const failing: Act = async (_job, io) => {
	io.onOutput('stderr', Buffer.from('no\n'));
	return { ...goodEnd, exit: { code: 3, signal: null } };
};

/** Lets the first connections through and then cuts each of them after so many bytes of answers. */
async function cutting(url: string, cuts: number, afterBytes: number): Promise<{ url: string; cut: () => number }> {
	let left = cuts;
	const sockets = new Set<Socket>();
	const server = createServer((inner) => {
		const outer = connect(Number(new URL(url).port), '127.0.0.1');
		let bytes = 0;
		for (const socket of [inner, outer]) {
			sockets.add(socket);
			socket.on('error', () => {});
		}
		inner.pipe(outer);
		outer.on('data', (chunk: Buffer) => {
			bytes += chunk.length;
			if (left > 0 && bytes > afterBytes) {
				left--;
				inner.destroy();
				outer.destroy();
			} else inner.write(chunk);
		});
		outer.on('end', () => inner.end());
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut: () => cuts - left };
}

describe('a device of the native protocol', () => {
	it('runs what it is sent, and its own words are the answer', async () => {
		const { client, desk } = await agent({ act: printing('hello\n') });
		const result = await client.run(
			asked({ cwd: '/srv', env: { A: '1' }, labels: { workflow: 'w' }, timeoutMs: 5_000 }),
		);
		expect(result).toMatchObject({
			...{ device: 'web-1', protocol: 'native', status: 'succeeded', exitCode: 0, stdout: 'hello\n' },
			...{ reliability: 'exact', notes: [], approval: null, outputBytes: { stdout: 6, stderr: 0 } },
		});
		expect(desk.ran).toMatchObject([{ jobId: result.jobId }]);
	});

	it('tells an exit code and what stood on stderr', async () => {
		const { client } = await agent({ act: failing });
		const { status, exitCode, stderr } = await client.run(asked());
		expect([status, exitCode, stderr]).toEqual(['failed', 3, 'no\n']);
	});

	it('runs a retry of the same action once, and the same command of another action again', async () => {
		const { client, desk } = await agent({ act: printing('x') });
		const action = asked();
		const results = [await client.run(action), await client.run(action), await client.run(asked())];
		expect([results[0]?.jobId === results[1]?.jobId, desk.ran.length]).toEqual([true, 2]);
	});

	it('that refuses by its policy says so in a result, and nothing runs', async () => {
		const { client, desk } = await agent({ decide: () => decided('deny') });
		const { status, problem } = await client.run(asked());
		expect([status, problem?.code, desk.ran]).toEqual(['denied', 'POLICY_DENIED', []]);
	});

	it('is asked what it would say, and nothing runs', async () => {
		const { client, desk } = await agent({ decide: () => decided('deny') });
		expect([await client.validate(asked()), desk.ran]).toMatchObject([{ decision: 'deny' }, []]);
	});

	it('takes a job now and tells of it later', async () => {
		const { client } = await agent({ act: printing('later\n') });
		const { jobId, status } = await client.submit(asked());
		const ended = await client.wait(jobId ?? '', 5_000);
		expect([['queued', 'running', 'succeeded'].includes(status), ended.stdout]).toEqual([true, 'later\n']);
		expect(await client.status(jobId ?? '')).toEqual(ended);
	});

	it('is waited for no longer than the caller wants', async () => {
		const { client } = await agent({ act: untilStopped });
		const { jobId } = await client.submit(asked());
		expect((await client.wait(jobId ?? '', 300)).status).toBe('running');
		expect((await client.cancel(jobId ?? '')).status).toBe('cancelled');
	});

	it('ends the job when the caller stops', async () => {
		const { client, desk } = await agent({ act: untilStopped });
		const stop = new AbortController();
		const running = client.run(asked(), { signal: stop.signal });
		await expect.poll(() => desk.ran.length).toBe(1);
		stop.abort();
		const { status, jobId } = await running;
		expect([status, (await client.status(jobId ?? '')).problem?.code]).toEqual(['cancelled', 'JOB_CANCELLED']);
	});

	it('is sent nothing by a caller that has stopped already', async () => {
		const { client, desk } = await agent();
		await expect(client.run(asked(), { signal: AbortSignal.abort() })).rejects.toThrow();
		expect(desk.ran).toEqual([]);
	});

	it('has its output read by page, from the end and by pattern', async () => {
		const { client } = await agent({ act: printing('one\ntwo\nthree\n') });
		const { jobId } = await client.run(asked());
		const read = (request: object) => client.read(jobId ?? '', { stream: 'stdout', ...request } as never);
		expect([
			await read({ how: 'page', offset: 4, limit: 4 }),
			await read({ how: 'tail', lines: 1 }),
			await read({ how: 'search', pattern: '^t', most: 1 }),
		]).toMatchObject([
			{ text: 'two\n', offset: 4, nextOffset: 8, eof: false, totalBytes: 14, hits: null },
			{ text: 'three\n', eof: true },
			{ text: '', hits: [{ line: 2, text: 'two' }], notes: [expect.stringContaining('more lines')] },
		]);
	});

	it('knows no job that it never had, and none of another key', async () => {
		const { client, eve } = await agent();
		const { jobId } = (await eve.submit({ capability: 'shell.run', command: { mode: 'argv', argv: ['id'] } })).json;
		for (const id of ['job-0', jobId]) await expect(client.status(id)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
	});

	it('says what it is and what it can do', async () => {
		const { client } = await agent();
		expect(await client.health()).toEqual({
			device: 'web-1',
			isHealthy: true,
			details: { deviceId: 'device-1', version: '0.0.0' },
		});
		expect(Object.keys(await client.capabilities())).toContain('capabilities');
	});
});

describe('a job that a person must approve', () => {
	const ask = { decide: () => decided('ask'), act: printing('approved\n') } as const;

	it('is an answer at once, is shown exactly, and runs once when another key approves it', async () => {
		const { client, approver, desk } = await agent(ask);
		const waiting = await client.run(asked());
		const approvalId = waiting.approval?.approvalId ?? '';
		expect([waiting.status, waiting.problem, desk.ran]).toEqual(['awaiting_approval', null, []]);
		expect(await approver.approvals()).toEqual([await approver.approval(approvalId)]);
		expect((await approver.answer(approvalId, { answer: 'approve' })).state).toBe('approved');
		const ended = await client.wait(waiting.jobId ?? '', 5_000);
		expect([ended.status, ended.stdout, ended.approval, desk.ran.length]).toEqual(['succeeded', 'approved\n', null, 1]);
	});

	it('that is denied tells the reason', async () => {
		const { client, approver } = await agent(ask);
		const { approval, jobId } = await client.run(asked());
		await approver.answer(approval?.approvalId ?? '', { answer: 'deny', reason: 'not on a Friday' });
		const { status, problem } = await client.status(jobId ?? '');
		expect([status, problem?.code, problem?.message]).toEqual([
			'denied',
			'APPROVAL_DENIED',
			expect.stringContaining('not on a Friday'),
		]);
	});

	it('is never approved with the key that asked, nor can who approves hand a job in', async () => {
		const { client, approver, desk } = await agent(ask);
		const { approval } = await client.run(asked());
		await expect(client.answer(approval?.approvalId ?? '', { answer: 'approve' })).rejects.toMatchObject({
			code: 'APPROVAL_FORBIDDEN',
		});
		await expect(approver.run(asked())).rejects.toMatchObject({ code: 'AUTH_FORBIDDEN' });
		expect(desk.ran).toEqual([]);
	});
});

describe('a connection that breaks', () => {
	it('loses and repeats nothing of what is shown live', async () => {
		const lines = Array.from({ length: 40 }, (_, index) => `line ${index} ä\n`);
		const slowly: Act = async (_job, io) => {
			for (const line of lines) {
				io.onOutput('stdout', Buffer.from(line));
				await new Promise((resolve) => setTimeout(resolve, 25));
			}
			return goodEnd;
		};
		let count = () => 0;
		const { client, desk } = await agent({ act: slowly }, async (url) => {
			const line = await cutting(url, 3, 2_500);
			count = line.cut;
			return line.url;
		});
		const live: string[] = [];
		const result = await client.run(asked(), { onOutput: (_stream, text) => void live.push(text) });
		expect([result.status, result.stdout, live.join('')]).toEqual(['succeeded', lines.join(''), lines.join('')]);
		expect([count() > 0, desk.ran.length]).toEqual([true, 1]);
	});

	it('while a job is handed in makes it the same job once more', async () => {
		let count = () => 0;
		const { client, desk } = await agent({ act: printing('once') }, async (url) => {
			// Health is answered in less, the answer to a job is longer.
			const line = await cutting(url, 1, 700);
			count = line.cut;
			return line.url;
		});
		const { status, stdout } = await client.run(asked());
		expect([status, stdout, count(), desk.ran.length]).toEqual(['succeeded', 'once', 1, 1]);
	});
});

describe('what is no agent of ours', () => {
	it.each([
		['another service', 200, { status: 'ok' }],
		['a page of errors', 500, {}],
	])('like %s is told apart before anything is sent', async (_what, status, body) => {
		const paths: string[] = [];
		const url = await listen((request, response) => {
			paths.push(request.url ?? '');
			json(response, status, body);
		});
		const { handKey } = await nativeAgent();
		const proof = { key: { kid: handKey.kid, key: handKey.privateKey } };
		const client = new NativeClient('web-1', new DeviceHttp({ url }), proof);
		await expect(client.run(asked())).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
		expect(new Set(paths)).toEqual(new Set(['/v2/health']));
	});

	it('and a key that the agent does not know is a matter for a person', async () => {
		const { url } = await nativeAgent();
		const stranger = await nativeAgent();
		const proof = { key: { kid: stranger.handKey.kid, key: stranger.handKey.privateKey } };
		const client = new NativeClient('web-1', new DeviceHttp({ url }), proof);
		await expect(client.run(asked())).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
	});
});

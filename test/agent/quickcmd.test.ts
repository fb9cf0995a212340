/** QuickCMD against a real agent over TLS, played by plain clients that share no code with it. */
import { createHmac } from 'node:crypto';
import { connect as connectPlain, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';
import { type Answer, ask } from '../helpers/plain-client.ts';
import { listenTo, postTo, quickCmdBody, quickCmdPayload } from '../helpers/quickcmd-client.ts';

const denying = `deny:
  - { name: no-mounts, why: nothing is mounted here, programs: [mount] }
ask:
  - { name: please, why: somebody must agree, programs: [sync] }
`;

let agent: TestAgent;
beforeAll(async () => {
	agent = await TestAgent.start({ policy: `${openPolicy()}${denying}` });
});
afterAll(() => agent.remove());

const post = (path: string, body: string): Promise<Answer> => {
	const { url, ca } = agent.faces.quickcmd;
	return postTo(url, path, body, { ca });
};
const signed = (parts: object = {}): string => quickCmdBody(quickCmdPayload({ ...parts }), agent.faces.quickcmd.secret);
const submit = (parts: object = {}): Promise<Answer> => post('/api/v1/jobs', signed(parts));
const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> => {
	const { url, ca } = agent.faces.quickcmd;
	return ask(`${url}${path}`, { ca, headers });
};
const listen = (id: string, headers?: Record<string, string>, onFirst?: () => void) => {
	const { url, ca } = agent.faces.quickcmd;
	return listenTo(`${url}/api/v1/stream/${id}`, headers, ca, onFirst);
};

interface Job {
	readonly status: string;
	readonly result: Readonly<Record<string, unknown>>;
}

/** Asks as the original's client does, until the job is over. */
async function over(id: string): Promise<Job> {
	for (;;) {
		const job = (await get(`/api/v1/jobs/${id}`)).json as Job;
		if (job.status === 'completed' || job.status === 'failed') return job;
		await sleep(50);
	}
}

async function run(command: string, parts: { job_id?: string; plugin_metadata?: object } = {}): Promise<Job> {
	const { job_id = `run-${Math.random().toString(36).slice(2)}` } = parts;
	const { status, text } = await submit({ ...parts, job_id, command });
	expect([status, text]).toEqual([202, `{"job_id":"${job_id}","status":"pending"}\n`]);
	return over(job_id);
}

describe('a job of QuickCMD', () => {
	it('runs, and its result is that of the command', async () => {
		const nanoseconds = expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/);
		const job = await run('echo "<out>"; echo err >&2; exit 3');
		expect(job).toEqual({
			job_id: job.result.job_id,
			status: 'completed',
			result: {
				...{ job_id: expect.stringMatching(/^run-/), status: 'completed', sandbox_id: expect.stringMatching(/./) },
				...{ exit_code: 3, stdout: '<out>\n', stderr: 'err\n', start_time: nanoseconds, end_time: nanoseconds },
				duration_ms: expect.any(Number),
			},
		});
	});

	it('gives back what its controller says of the state before', async () => {
		const job_id = 'snapshot-1';
		await submit({ job_id, command: 'true', snapshot_metadata: '{"git":"abc"}' });
		expect((await over(job_id)).result).toMatchObject({ snapshot: '{"git":"abc"}' });
	});

	it('that a signal ended has completed with 128 + the signal', async () => {
		expect((await run('kill -TERM $$')).result).toMatchObject({ status: 'completed', exit_code: 143 });
	});

	it('is told as failed when the policy refuses it', async () => {
		const { status, result } = await run('mount');
		expect([status, result]).toEqual([
			'failed',
			{
				...{ job_id: expect.any(String), status: 'failed', sandbox_id: '', exit_code: 126, stdout: '', stderr: '' },
				...{ start_time: expect.stringMatching(/^20/), end_time: '0001-01-01T00:00:00Z', duration_ms: 0 },
				error: 'The command was not run: nothing is mounted here (rule deny/no-mounts).',
			},
		]);
	});

	it('that waits for approval is pending, and says for which beside it, until somebody agrees', async () => {
		const job_id = 'approval-1';
		const message = expect.stringMatching(/^approval required: apr-[0-9a-f]+$/);
		const waiting = { job_id, status: 'pending', message };
		expect((await submit({ job_id, command: 'sync' })).json).toEqual(waiting);
		const { json } = await get(`/api/v1/jobs/${job_id}`);
		expect(json).toEqual({ ...waiting, result: null });
		const [, , id = ''] = (json as { message: string }).message.split(' ');
		secureCode(['agent', 'approvals', 'approve', id, '--dir', agent.dir]);
		expect((await over(job_id)).status).toBe('completed');
		expect((await get(`/api/v1/jobs/${job_id}`)).json).not.toHaveProperty('message');
	});

	it('asks for no image but those of the profile', async () => {
		const { status, result } = await run('id', { plugin_metadata: { image: 'alpine:latest' } });
		expect([status, result.error]).toEqual(['failed', expect.stringContaining('alpine:latest')]);
	});

	it('may ask for scopes that its key has from the start, which are the capabilities of the policy', async () => {
		const asking = async (...required_scopes: string[]) => (await submit({ required_scopes })).status;
		expect([await asking('shell.run.quickcmd'), await asking('root:all')]).toEqual([202, 403]);
	});

	it('runs once, however often its bytes come, also at the same moment', async () => {
		const job_id = 'once-1';
		const body = signed({ job_id, command: 'echo ran' });
		const first = await Promise.all(Array.from({ length: 8 }, () => post('/api/v1/jobs', body)));
		await over(job_id);
		const again = await post('/api/v1/jobs', body);
		expect([...new Set(first.map(({ status }) => status)), again.text]).toEqual([
			202,
			'{"job_id":"once-1","status":"completed"}\n',
		]);
		const { status, json } = await submit({ job_id, command: 'echo other' });
		expect([status, (json as { error: string }).error]).toEqual([409, 'Job already submitted']);
		const audit = secureCode(['audit', 'export', '--dir', agent.dir]);
		const starts = audit.split('\n').filter((line) => line.includes('"job.start"') && line.includes('"once-1"'));
		expect(starts).toHaveLength(1);
	});

	it('is cancelled with a signature, and nothing of it is left', async () => {
		const job_id = 'cancel-1';
		await submit({ job_id, command: 'trap "" TERM; echo on; (setsid sleep 61 &); sleep 60' });
		while (((await get(`/api/v1/jobs/${job_id}`)).json as Job).status !== 'running') await sleep(20);
		const cancel = { job_id, prompt: 'cancel', command: '' };
		expect((await post('/api/v1/jobs/cancel-1/cancel', signed({ job_id, prompt: 'x' }))).status).toBe(400);
		const { status, text } = await post(`/api/v1/jobs/${job_id}/cancel`, signed(cancel));
		expect([status, text]).toEqual([200, '{"job_id":"cancel-1","status":"failed"}\n']);
		expect((await over(job_id)).result).toMatchObject({ exit_code: 143, error: 'cancelled' });
	});

	it('is known after a restart: its result can be read, and its bytes run nothing again', async () => {
		const body = signed({ job_id: 'restart-1', command: 'echo kept' });
		await post('/api/v1/jobs', body);
		const { result } = await over('restart-1');
		await agent.end();
		await agent.serve();
		expect((await over('restart-1')).result).toEqual(result);
		expect((await post('/api/v1/jobs', body)).text).toBe('{"job_id":"restart-1","status":"completed"}\n');
		expect((await over('restart-1')).result).toEqual(result);
	});

	it('that was running when the agent was killed has failed, and never runs again', async () => {
		const body = signed({ job_id: 'killed-1', command: 'sleep 60' });
		await post('/api/v1/jobs', body);
		while (((await get('/api/v1/jobs/killed-1')).json as Job).status !== 'running') await sleep(20);
		await agent.end('SIGKILL');
		await agent.serve();
		const lost = { status: 'failed', exit_code: 125, error: expect.stringContaining('interrupted') };
		expect((await over('killed-1')).result).toMatchObject(lost);
		expect((await post('/api/v1/jobs', body)).text).toBe('{"job_id":"killed-1","status":"failed"}\n');
	});
});

describe('the secrets of QuickCMD', () => {
	it('are both good while one takes the place of the other', async () => {
		const old = signed({ job_id: 'rotate-1', command: 'true' });
		const rotate = ['agent', 'keys', 'rotate', 'quickcmd-1', '--dir', agent.dir, '--json'];
		const { secret } = JSON.parse(secureCode(rotate));
		const both = [old, quickCmdBody(quickCmdPayload({ job_id: 'rotate-2' }), secret)];
		const stranger = quickCmdBody(quickCmdPayload(), `${secret}x`);
		const statuses = [];
		for (const body of [...both, stranger]) statuses.push((await post('/api/v1/jobs', body)).status);
		expect(statuses).toEqual([202, 202, 401]);
	});
});

describe('an agent of QuickCMD that has too much to do', () => {
	it('says so with 503, and takes the same bytes later', async () => {
		const busy = await TestAgent.start({
			policy: openPolicy(),
			init: ['--faces', 'quickcmd'],
			config: (config) => Object.assign(config, { limits: { concurrentJobs: 1, queueLength: 1 } }),
		});
		try {
			const { url, ca, secret } = busy.faces.quickcmd;
			const bodies = [1, 2, 3].map((n) =>
				quickCmdBody(quickCmdPayload({ job_id: `busy-${n}`, command: 'sleep 2' }), secret),
			);
			const send = (body: string) => postTo(url, '/api/v1/jobs', body, { ca });
			const first = [];
			for (const body of bodies) first.push(await send(body));
			expect(first.map(({ status }) => status)).toEqual([202, 202, 503]);
			const refused = bodies[2] ?? '';
			let again = await send(refused);
			for (; again.status === 503; again = await send(refused)) await sleep(200);
			expect([again.status, again.text]).toEqual([202, '{"job_id":"busy-3","status":"pending"}\n']);
		} finally {
			await busy.remove();
		}
	});
});

describe('a stream of QuickCMD', () => {
	it('is heard whole by each of several subscribers, early and late, with a proper end', async () => {
		const job_id = 'stream-1';
		await submit({ job_id, command: 'for i in 1 2 3; do echo "$i"; sleep 0.2; done; echo e >&2' });
		const early = [listen(job_id), listen(job_id, { Origin: 'controller-1' })];
		await over(job_id);
		const heard = await Promise.all([...early, listen(job_id)]);
		for (const { frames, texts, code } of heard) {
			const of = (stream: string) => frames.filter((frame) => frame.stream === stream).map(({ data }) => data);
			expect([of('stdout').join(''), of('stderr').join(''), frames.at(-1), code]).toEqual([
				...['1\n2\n3\n', 'e\n'],
				{ job_id, timestamp: expect.stringMatching(/Z$/), stream: '', data: '', final: true },
				1000,
			]);
			expect(texts.every((text) => text.endsWith('}\n'))).toBe(true);
		}
	});

	it('comes while the command runs', async () => {
		const job_id = 'stream-2';
		await submit({ job_id, command: 'echo now; sleep 30' });
		const since = Date.now();
		let heard: ReturnType<typeof listen> | undefined;
		await new Promise<void>((resolve) => {
			heard = listen(job_id, undefined, resolve);
		});
		await post(`/api/v1/jobs/${job_id}/cancel`, signed({ job_id, prompt: 'cancel', command: '' }));
		const { frames = [] } = (await heard) ?? {};
		expect([frames[0]?.data, Date.now() - since < 20_000]).toEqual(['now\n', true]);
	});

	it('has one frame for each line, whatever secrets begin like its end, in the order of time', async () => {
		const job_id = 'stream-lines';
		const ends = [...'0123456789abcdef'];
		await submit({ job_id, command: `for i in ${ends.join(' ')}; do echo "line $i"; sleep 0.1; done` });
		const { frames } = await listen(job_id);
		expect(frames.map(({ data }) => data)).toEqual([...ends.map((end) => `line ${end}\n`), '']);
		const times = frames.map(({ timestamp }) => timestamp);
		expect(times).toEqual([...times].sort());
	});

	it('is refused with a wrong origin, and is nothing for an id that nobody used', async () => {
		await run('true', { job_id: 'stream-3' });
		expect([
			(await listen('stream-3', { Origin: 'https://evil.example' })).refused?.status,
			(await listen('nobody')).refused,
		]).toEqual([403, { status: 404, text: 'Job not found\n' }]);
	});
});

describe('the rest of QuickCMD', () => {
	it('tells its health, and four figures that grow', async () => {
		expect((await get('/health')).text).toMatch(/^\{"status":"healthy","timestamp":\d{10}\}\n$/);
		const figures = async () => [...(await get('/metrics')).text.matchAll(/^quickcmd_agent_(\w+) (\d+)$/gm)];
		const before = await figures();
		await run('true');
		const after = await figures();
		expect(after.map(([, name]) => name)).toEqual(['jobs_total', 'jobs_running', 'jobs_completed', 'jobs_failed']);
		expect(after.map(([, , count], index) => Number(count) - Number(before[index]?.[2]))).toEqual([1, 0, 1, 0]);
	});

	it('is read from elsewhere only with a proof', async () => {
		await run('echo mine', { job_id: 'read-1' });
		const { hostname, port } = new URL(agent.faces.quickcmd.url);
		const { ca, secret } = agent.faces.quickcmd;
		const from = (localAddress: string, headers = {}) =>
			ask(`https://${hostname}:${port}/api/v1/jobs/read-1`, { ca, localAddress, headers });
		const at = Math.floor(Date.now() / 1000);
		const text = `GET /api/v1/jobs/read-1\ncontroller-1\n${at}`;
		const Authorization = `HMAC-SHA256 controller-1:${at}:${createHmac('sha256', secret).update(text).digest('hex')}`;
		expect([
			(await from('127.0.0.1')).status,
			(await from('127.0.0.2')).status,
			(await from('127.0.0.2', { Authorization })).status,
		]).toEqual([200, 404, 200]);
	});

	it('speaks TLS 1.2 and 1.3 with the certificate of init, and nothing older', async () => {
		const { url, ca } = agent.faces.quickcmd;
		const { hostname, port } = new URL(url);
		const version = (maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
			new Promise((resolve) => {
				const socket = connect({ host: hostname, port: Number(port), ca, maxVersion, minVersion: 'TLSv1' });
				socket.on('secureConnect', () => resolve(socket.end().getProtocol()));
				socket.on('error', () => resolve('refused'));
			});
		expect([await version('TLSv1.1'), await version('TLSv1.2'), await version('TLSv1.3')]).toEqual([
			...['refused', 'TLSv1.2', 'TLSv1.3'],
		]);
	});
});

describe('hostile clients of QuickCMD', () => {
	const raw = (text: string): Promise<Socket> => {
		const { url, ca } = agent.faces.quickcmd;
		const { hostname, port } = new URL(url);
		return new Promise((resolve, reject) => {
			const socket = connect({ host: hostname, port: Number(port), ca }, () => {
				socket.write(text);
				resolve(socket);
			});
			socket.on('error', reject);
		});
	};

	it.each([
		['no JSON', '{"payload":', 400],
		['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('latin1'), 400],
		['a key twice', '{"payload":{},"payload":{}}', 400],
		['a prototype', '{"__proto__":{"x":1}}', 400],
		['deep nesting', `{"payload":{"candidate_metadata":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}}`, 400],
		['half a character', '{"payload":{"command":"\\ud800"}}', 401],
		['too much', 'x'.repeat(300_000), 413],
		['nothing', '', 400],
	])('a body that is %s', async (_, body, status) => {
		expect((await post('/api/v1/jobs', body)).status).toBe(status);
	});

	it('64 at once, again and again, get their answers, and none of them is a failure of the agent', async () => {
		const bodies = () => [
			...[signed({ command: 'true' }), '{', signed({ ttl: 1 })],
			...[signed({ command: 'true' }).replace('"true"', '"id"')],
		];
		const statuses = new Set<number>();
		for (let round = 0; round < 5; round++) {
			const all = Array.from({ length: 16 }, bodies).flat();
			for (const { status } of await Promise.all(all.map((body) => post('/api/v1/jobs', body)))) statuses.add(status);
		}
		expect([...statuses].filter((status) => ![202, 400, 401, 429].includes(status))).toEqual([]);
		expect((await get('/health')).status).toBe(200);
	});

	it('slow ones hold up nobody, and are cut off', async () => {
		const head = 'POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{';
		const slow = await Promise.all(Array.from({ length: 20 }, () => raw(head)));
		const halfOpen = await Promise.all(Array.from({ length: 20 }, () => raw('GET /health HTT')));
		expect((await get('/health')).status).toBe(200);
		for (const socket of [...slow, ...halfOpen]) socket.destroy();
	});

	it('that speak no TLS, or no HTTP, are sent away', async () => {
		const { hostname, port } = new URL(agent.faces.quickcmd.url);
		const plain = connectPlain(Number(port), hostname, () => plain.write('GET /health HTTP/1.1\r\n\r\n'));
		await new Promise((resolve) => plain.on('error', resolve).on('close', resolve));
		const nonsense = await raw('\x16\x03\x01 nonsense\r\n\r\n');
		nonsense.on('data', () => {});
		await new Promise((resolve) => nonsense.on('error', resolve).on('close', resolve));
		expect((await get('/health')).status).toBe(200);
	});

	it('leave no subscriber behind that vanished', async () => {
		const job_id = 'vanish-1';
		await submit({ job_id, command: 'sleep 2; seq 1 1000' });
		const handshake =
			`GET /api/v1/stream/${job_id} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
			'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
		const subscribers = await Promise.all(Array.from({ length: 16 }, () => raw(handshake)));
		await sleep(200);
		for (const socket of subscribers.slice(0, 8)) socket.destroy();
		for (const socket of subscribers.slice(8)) socket.pause();
		expect((await over(job_id)).result.exit_code).toBe(0);
		for (const socket of subscribers.slice(8)) socket.destroy();
	});
});

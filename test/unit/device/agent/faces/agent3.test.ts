import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { KnownError, problemFor } from '../../../../../src/contract/error.ts';
import { withoutRun } from '../../../../../src/core/result.ts';
import { agent3Face } from '../../../../../src/device/agent/faces/agent3.ts';
import { type Served, serveFace, TestKeys, tokenKey } from '../../../../helpers/face.ts';
import { type MemoryJob, MemoryJobs } from '../../../../helpers/memory-jobs.ts';
import { ask } from '../../../../helpers/plain-client.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	await Promise.all(closing.splice(0).map((close) => close()));
});

interface Agent extends Served {
	readonly jobs: MemoryJobs;
	readonly keys: TestKeys;
	/** An operation by the first key, or by another token. */
	op(op: string, args: object, token?: string): Promise<{ status: number; json: Record<string, unknown> }>;
}

async function agent(act: (job: MemoryJob) => unknown = (job) => job.enter('running').exit(0)): Promise<Agent> {
	const jobs = new MemoryJobs(act);
	const keys = new TestKeys([tokenKey('t-1', 'one'), tokenKey('t-2', 'two'), tokenKey('t-9', 'nine', ['viewer'])]);
	const served = await serveFace(agent3Face, jobs, keys);
	closing.push(served.close);
	const op: Agent['op'] = async (name, args, token = 't-1') => {
		const body = JSON.stringify({ op: name, args });
		const { status, json } = await ask(served.url, { method: 'POST', headers: { 'X-Auth-Token': token }, body });
		return { status, json: json as Record<string, unknown> };
	};
	return { ...served, jobs, keys, op };
}

const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

describe('shell', () => {
	it('answers with both streams, the exit code and a session, whatever the exit code', async () => {
		const { op, jobs } = await agent((job) =>
			job.enter('running').print('stdout', 'out\n').print('stderr', 'err\n').exit(3),
		);
		expect(await op('shell', { cmd: 'ls' })).toEqual({
			status: 200,
			json: {
				...{ stdout: 'out\n', stderr: 'err\n', exit_code: 3, session: uuid, status: 'done' },
				...{ truncated: false, total_chars: 4 },
			},
		});
		expect(jobs.jobs.map(({ submission }) => submission)).toEqual([
			{
				face: 'agent3',
				draft: {
					...{ capability: 'shell.run.agent3', command: { mode: 'script', script: 'ls', shell: 'auto' } },
					...{ env: {}, labels: {}, timeoutMs: 45_000 },
				},
			},
		]);
	});

	it('makes a session for every call', async () => {
		const { op } = await agent();
		const sessions = await Promise.all([1, 2, 3].map(async () => (await op('shell', { cmd: 'true' })).json.session));
		expect(new Set(sessions).size).toBe(3);
	});

	it('waits for the end of a command that takes its time', async () => {
		const { op } = await agent(async (job) => {
			job.enter('running').print('stdout', 'a');
			await sleep(50);
			job.print('stdout', 'b').exit(0);
		});
		expect((await op('shell', { cmd: 'slow' })).json).toMatchObject({ stdout: 'ab', exit_code: 0 });
	});

	it('answers with the last 92160 characters of each stream and keeps the rest', async () => {
		const stdout = `${'😀'.repeat(10_000)}${'é'.repeat(92_159)}!`;
		const { op } = await agent((job) => job.print('stdout', stdout).print('stderr', 'e'.repeat(92_161)).exit(0));
		const { json } = await op('shell', { cmd: 'loud' });
		expect(json).toMatchObject({ truncated: true, total_chars: 102_160, stderr: 'e'.repeat(92_160) });
		expect(json.stdout).toBe(`${'é'.repeat(92_159)}!`);
		const first = await op('read_session', { session: json.session, offset: 9_999, limit: 2 });
		expect(first.json).toMatchObject({ stdout: '😀é', next_offset: 10_001, eof: false, total_chars: 102_160 });
	});

	it('says when output was printed that is not kept', async () => {
		const { op } = await agent((job) => {
			job.lost = { stdout: 0, stderr: 5 };
			job.print('stdout', 'x').exit(0);
		});
		const { json } = await op('shell', { cmd: 'loud' });
		expect(json).toMatchObject({ truncated: true, total_chars: 1 });
		expect((await op('read_session', { session: json.session })).json).toMatchObject({ truncated: true, eof: true });
	});

	it('puts other bytes than UTF-8 in as replacement characters', async () => {
		const { op } = await agent((job) => job.print('stdout', Buffer.from([0x61, 0xff, 0x62])).exit(0));
		expect((await op('shell', { cmd: 'bytes' })).json).toMatchObject({ stdout: 'a\ufffdb', total_chars: 3 });
	});

	it('answers 124 with what there is when the time of the command is over', async () => {
		const { op } = await agent((job) => job.print('stdout', 'part').end({ status: 'timed_out', signal: 'SIGKILL' }));
		expect((await op('shell', { cmd: 'sleep 99' })).json).toMatchObject({
			...{ stdout: 'part', stderr: 'Timeout', exit_code: 124, status: 'done' },
		});
	});

	it('ends a job that is not over when the caller can wait no longer, and says the same ever after', async () => {
		const { op, jobs } = await agent((job) => job.print('stdout', 'part').print('stderr', 'e'));
		jobs.shorten = () => 20;
		const clock = [0, 47_000];
		jobs.now = () => clock.shift() ?? 47_000;
		const { json } = await op('shell', { cmd: 'waits' });
		expect(json).toMatchObject({ stdout: 'part', stderr: 'e\nTimeout', exit_code: 124, status: 'done' });
		expect(jobs.waits).toEqual([47_000]);
		expect((await op('read_session', { session: json.session })).json).toMatchObject({ exit_code: 124, eof: true });
	});

	it.each([
		['SIGKILL', -9],
		['SIGSEGV', -11],
		['SIGTERM', -15],
	])('tells %s as %i', async (signal, exitCode) => {
		const { op } = await agent((job) => job.end({ status: 'killed', signal }));
		expect((await op('shell', { cmd: 'kill' })).json).toMatchObject({ exit_code: exitCode, status: 'done' });
	});

	it('answers 403 with the reason when the policy says no', async () => {
		const { op } = await agent((job) => job.deny('nothing allows "rm"'));
		expect(await op('shell', { cmd: 'rm -rf /' })).toEqual({
			status: 403,
			json: {
				error: 'Command not allowed',
				reason: 'The command was not run: nothing allows "rm" (rule test/rule).',
			},
		});
	});

	it('answers 403 to a key that may not run anything', async () => {
		const { op } = await agent();
		expect(await op('shell', { cmd: 'ls' }, 't-9')).toEqual({
			status: 403,
			json: { error: 'Command not allowed', reason: expect.stringContaining('may not do that') },
		});
	});

	it.each(['QUEUE_FULL', 'APPROVALS_FULL'] as const)(
		'answers 429 for %s, which is no failure of the agent',
		async (code) => {
			const { op } = await agent((job) => job.end(withoutRun('denied', problemFor(code, { waiting: 1, pending: 1 }))));
			expect(await op('shell', { cmd: 'ls' })).toEqual({
				status: 429,
				json: { error: 'Too many requests', reason: expect.any(String) },
			});
		},
	);

	it('answers exit code 125 when the sandbox is to blame', async () => {
		const problem = problemFor('SANDBOX_BROKEN', { details: 'no jail' });
		const { op } = await agent((job) => job.end(withoutRun('broken', problem)));
		expect((await op('shell', { cmd: 'ls' })).json).toMatchObject({ exit_code: 125, stderr: problem.message });
	});

	it('never takes a failure of its own for the caller, and logs it', async () => {
		const { op, logged } = await agent(() => {
			throw new Error('bug');
		});
		expect(await op('shell', { cmd: 'ls' })).toEqual({
			status: 500,
			json: { error: 'Failed', reason: expect.stringContaining('this is a bug') },
		});
		expect(JSON.stringify(logged)).toContain('Error: bug');
	});
});

describe('approval', () => {
	it('is said with exit code 126, and the session has the result once somebody answered', async () => {
		const { op, jobs } = await agent((job) => job.ask('apr-1'));
		const { json } = await op('shell', { cmd: 'reboot' });
		expect(json).toEqual({
			...{ stdout: '', stderr: 'approval required: apr-1', exit_code: 126, session: uuid },
			...{ status: 'approval_required', truncated: false, total_chars: 0 },
		});
		const read = async () => (await op('read_session', { session: json.session })).json;
		expect(await read()).toEqual({
			...{ stdout: '', stderr: 'approval required: apr-1', exit_code: 126, status: 'approval_required' },
			...{ truncated: false, total_chars: 0, next_offset: 0, eof: false },
		});
		jobs.jobs[0]?.enter('queued').enter('running').print('stdout', 'going');
		expect(await read()).toEqual({
			...{ stdout: 'going', stderr: '', exit_code: 126, status: 'running' },
			...{ truncated: false, total_chars: 5, next_offset: 5, eof: false },
		});
		jobs.jobs[0]?.print('stdout', ' down').exit(0);
		expect(await read()).toMatchObject({ stdout: 'going down', exit_code: 0, status: 'done', eof: true });
	});

	it('that is denied is told as any refusal', async () => {
		const { op, jobs } = await agent((job) => job.ask('apr-1'));
		const { session } = (await op('shell', { cmd: 'reboot' })).json;
		jobs.jobs[0]?.end(withoutRun('denied', problemFor('APPROVAL_DENIED', { who: 'bob', why: 'not now' })));
		expect(await op('read_session', { session })).toEqual({
			status: 403,
			json: { error: 'Command not allowed', reason: 'The command was not run, because bob refused it: not now.' },
		});
	});

	it('is withdrawn when its session is closed', async () => {
		const { op, jobs } = await agent((job) => job.ask('apr-1'));
		const { session } = (await op('shell', { cmd: 'reboot' })).json;
		expect(await op('close_session', { session })).toEqual({ status: 200, json: { status: 'closed' } });
		expect(jobs.jobs[0]?.result?.status).toBe('cancelled');
	});
});

describe('read_session', () => {
	const digits = '0123456789';

	it.each([
		[{}, { stdout: digits, next_offset: 10, eof: true }],
		[
			{ offset: 3, limit: 4 },
			{ stdout: '3456', next_offset: 7, eof: false },
		],
		[
			{ offset: 7, limit: 3 },
			{ stdout: '789', next_offset: 10, eof: true },
		],
		[{ offset: 10 }, { stdout: '', next_offset: 10, eof: true }],
		[{ offset: 99 }, { stdout: '', next_offset: 99, eof: true }],
		[{ limit: 0 }, { stdout: '', next_offset: 0, eof: false }],
		[
			{ offset: Number.MAX_SAFE_INTEGER, limit: Number.MAX_SAFE_INTEGER },
			{ stdout: '', eof: true },
		],
	])('%j is %j', async (window, page) => {
		const { op } = await agent((job) => job.print('stdout', digits).print('stderr', 'err').exit(4));
		const { session } = (await op('shell', { cmd: 'seq' })).json;
		expect((await op('read_session', { session, ...window })).json).toMatchObject({
			...{ ...page, stderr: 'err', exit_code: 4, total_chars: 10, truncated: false },
		});
	});

	it('gives the whole output in pages that fit together, without a gap', async () => {
		const output = Array.from({ length: 40_000 }, (_, line) => `${line} é😀`).join('\n');
		const { op } = await agent((job) => job.print('stdout', output).exit(0));
		const { session } = (await op('shell', { cmd: 'seq' })).json;
		let all = '';
		for (let offset = 0, isEnd = false; !isEnd; ) {
			const { json } = await op('read_session', { session, offset, limit: 77_777 });
			all += json.stdout;
			offset = json.next_offset as number;
			isEnd = json.eof as boolean;
		}
		expect(all === output).toBe(true);
	});

	it('gives no more than 1048576 characters at once, and says where to go on', async () => {
		const { op } = await agent((job) => job.print('stdout', 'x'.repeat(1_100_000)).exit(0));
		const { session } = (await op('shell', { cmd: 'loud' })).json;
		const { json } = await op('read_session', { session, limit: 1e9 });
		expect(json).toMatchObject({ next_offset: 1_048_576, eof: false, total_chars: 1_100_000 });
		expect((json.stdout as string).length).toBe(1_048_576);
	});

	it('gives stderr whole, also more of it than the first answer had', async () => {
		const { op } = await agent((job) => job.print('stderr', 'e'.repeat(200_000)).exit(0));
		const { session } = (await op('shell', { cmd: 'loud' })).json;
		expect((await op('read_session', { session })).json.stderr).toBe('e'.repeat(200_000));
	});
});

describe('a session', () => {
	it('is gone when it was closed, once', async () => {
		const { op } = await agent();
		const { session } = (await op('shell', { cmd: 'true' })).json;
		const gone = { status: 404, json: { error: 'Session not found' } };
		expect(await op('close_session', { session })).toEqual({ status: 200, json: { status: 'closed' } });
		expect(await op('close_session', { session })).toEqual(gone);
		expect(await op('read_session', { session })).toEqual(gone);
	});

	it('belongs to the key that made it', async () => {
		const { op } = await agent();
		const { session } = (await op('shell', { cmd: 'true' })).json;
		const gone = { status: 404, json: { error: 'Session not found' } };
		for (const token of ['t-2', 't-9'])
			for (const name of ['read_session', 'close_session']) expect(await op(name, { session }, token)).toEqual(gone);
		expect((await op('read_session', { session })).status).toBe(200);
	});

	it('is no job of another face', async () => {
		const { op, jobs } = await agent();
		const { principal } = tokenKey('t-1', 'one');
		const draft = { capability: 'shell.run', command: { mode: 'argv' as const, argv: ['id'] }, env: {}, labels: {} };
		const { jobId } = await jobs.submit({ ...principal, peer: null }, { face: 'native', draft });
		expect((await op('read_session', { session: jobId })).status).toBe(404);
	});

	it.each(['abc123', '..', '../../etc/passwd', '/etc/passwd', '', ' ', '0b0d5c0e-8a3e-4f0f-9d3b-1f6a3f2f9a11', 'a\0b'])(
		'%j is not found',
		async (session) => {
			const { op } = await agent();
			const statuses = [await op('read_session', { session }), await op('close_session', { session })];
			expect(statuses.map(({ status }) => status)).toEqual(session === '' ? [400, 400] : [404, 404]);
		},
	);
});

describe('a request', () => {
	it.each([
		['no token', {}],
		['unknown token', { 'X-Auth-Token': 'wrong' }],
		['unknown token', { 'X-Auth-Token': '' }],
		['unknown token', { 'X-Auth-Token': ['t-1', 't-1'] }],
	])('with %s is answered 403 before its body is looked at', async (reason, headers) => {
		const { url, keys, jobs } = await agent();
		const answer = await ask(url, { method: 'POST', headers, body: '{"op":"shell","args":{"cmd":"ls"}}' });
		expect([answer.status, answer.json]).toEqual([403, { error: 'Unauthorized' }]);
		expect([keys.refusals, jobs.jobs]).toEqual([[`agent3: ${reason}`], []]);
	});

	it.each([
		undefined,
		'application/json',
		'text/plain',
		'application/x-www-form-urlencoded',
		'multipart/form-data',
		'x',
	])('is read as JSON when it calls itself %s', async (type) => {
		const { url } = await agent();
		const headers = { 'X-Auth-Token': 't-1', ...(type === undefined ? {} : { 'Content-Type': type }) };
		const { status } = await ask(url, { method: 'POST', headers, body: '{"op":"shell","args":{"cmd":"ls"}}' });
		expect(status).toBe(200);
	});

	it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
		'with the method %s is answered 405 as JSON',
		async (method) => {
			const { url } = await agent();
			const { status, json, headers } = await ask(url, { method });
			expect([status, headers.allow, headers['content-type']]).toEqual([
				405,
				'POST',
				'application/json; charset=utf-8',
			]);
			if (method !== 'HEAD') expect(json).toEqual({ error: 'Method not allowed' });
		},
	);

	it.each([
		['', 400],
		['not json', 400],
		['[]', 400],
		['null', 400],
		['{"op":"shell","args":null}', 400],
		['{"op":"shell","args":{"cmd":"ls"},"op":"shell"}', 400],
		['{"__proto__":{"op":"shell","args":{"cmd":"ls"}}}', 400],
		[`{"op":"shell","args":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400],
		[Buffer.from([0x7b, 0xff, 0x7d]), 400],
		['{"op":"read_session","args":{"session":"x","offset":1e400}}', 400],
		[`{"op":"shell","args":{"cmd":"${'x'.repeat(300_000)}"}}`, 413],
	])('gets an answer of JSON, whatever it is (%#)', async (body, status) => {
		const { url, jobs } = await agent();
		const answer = await ask(url, { method: 'POST', headers: { 'X-Auth-Token': 't-1' }, body });
		expect([answer.status, answer.json]).toEqual([status, expect.objectContaining({ error: expect.any(String) })]);
		expect(jobs.jobs).toEqual([]);
	});

	it('that is too long is refused also where it does not say how long it is', async () => {
		const { url } = await agent();
		const headers = { 'X-Auth-Token': 't-1', 'Transfer-Encoding': 'chunked' };
		const answer = await ask(url, { method: 'POST', headers, body: ' '.repeat(300_000) });
		expect([answer.status, answer.json]).toEqual([413, expect.objectContaining({ error: 'Request too large' })]);
	});

	it('that comes when too many wait is told to come again', async () => {
		const { url } = await agent(() => {
			throw new KnownError('QUEUE_FULL', { waiting: 9 });
		});
		const body = '{"op":"shell","args":{"cmd":"ls"}}';
		const answer = await ask(url, { method: 'POST', headers: { 'X-Auth-Token': 't-1' }, body });
		expect([answer.status, answer.headers['retry-after']]).toEqual([429, '5']);
	});

	it('hands a NUL in a command on to the policy, which refuses it', async () => {
		const { op, jobs } = await agent((job) => job.deny('control characters'));
		expect((await op('shell', { cmd: 'ls\0id' })).status).toBe(403);
		expect(jobs.jobs[0]?.submission.draft.command).toMatchObject({ script: 'ls\0id' });
	});

	it('that comes slowly, or with others behind it on one connection, does not disturb them', async () => {
		const { url, op } = await agent((job) => job.print('stdout', 'x').exit(0));
		const slow = connect(Number(new URL(url).port), '127.0.0.1');
		slow.write('POST / HTTP/1.1\r\nHost: a\r\nX-Auth-Token: t-1\r\nContent-Length: 50\r\n\r\n{');
		const piped = connect(Number(new URL(url).port), '127.0.0.1');
		const body = '{"op":"shell","args":{"cmd":"ls"}}';
		const one = `POST / HTTP/1.1\r\nHost: a\r\nX-Auth-Token: t-1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
		const last = one.replace('Host: a', 'Host: a\r\nConnection: close');
		piped.write(one.repeat(9) + last);
		let text = '';
		piped.on('data', (chunk) => {
			text += chunk;
		});
		await once(piped, 'close');
		expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(10);
		expect((await op('shell', { cmd: 'ls' })).status).toBe(200);
		slow.destroy();
	});

	it('is one of 64 at the same time, and each has its own answer', async () => {
		const { op } = await agent(async (job) => {
			const { command } = job.submission.draft;
			await sleep(10);
			job.print('stdout', command.mode === 'script' ? command.script : '').exit(0);
		});
		const commands = Array.from({ length: 64 }, (_, index) => `echo ${index}`);
		const answers = await Promise.all(commands.map((cmd) => op('shell', { cmd })));
		expect(answers.map(({ json }) => json.stdout)).toEqual(commands);
	});
});

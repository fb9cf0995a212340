import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { KnownError, problemFor } from '../../../../../src/contract/error.ts';
import { withoutRun } from '../../../../../src/core/result.ts';
import { ogentFace } from '../../../../../src/device/agent/faces/ogent.ts';
import { type Served, serveFace, TestKeys, tokenKey } from '../../../../helpers/face.ts';
import { type MemoryJob, MemoryJobs } from '../../../../helpers/memory-jobs.ts';
import { type Answer, ask } from '../../../../helpers/plain-client.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
	await Promise.all(closing.splice(0).map((close) => close()));
});

type Json = Record<string, unknown>;

interface Agent extends Served {
	readonly jobs: MemoryJobs;
	readonly keys: TestKeys;
	post(path: string, body?: unknown, token?: string): Promise<{ status: number; json: Json }>;
	get(path: string, token?: string): Promise<{ status: number; json: Json }>;
}

const runs = (job: MemoryJob) => void job.enter('running').print('stdout', 'Hello Test\n').exit(0);

async function agent(act: (job: MemoryJob) => unknown = runs, ogent: object = {}, dir = '/nowhere'): Promise<Agent> {
	const jobs = new MemoryJobs(act);
	const keys = new TestKeys([...[tokenKey('t-1', 'one'), tokenKey('t-2', 'two'), tokenKey('t-9', 'nine', ['viewer'])]]);
	const served = await serveFace(ogentFace, jobs, keys, { ogent: ogent as never }, { dir });
	closing.push(served.close);
	const only = ({ status, json }: Answer) => ({ status, json: json as Json });
	return {
		...{ ...served, jobs, keys },
		post: async (path, body, token = 't-1') => {
			const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
			const text = body === undefined ? undefined : JSON.stringify(body);
			return only(await ask(served.url + path, { method: 'POST', headers, ...(text !== undefined && { body: text }) }));
		},
		get: async (path, token = 't-1') =>
			only(await ask(served.url + path, { headers: { Authorization: `Bearer ${token}` } })),
	};
}

const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('GET /health', () => {
	it('is ok, for everybody', async () => {
		const { url } = await agent();
		const { status, json } = await ask(`${url}/health`);
		expect([status, json]).toEqual([200, { status: 'ok' }]);
	});
});

describe.each([
	['/api/execute', '/api/execution'],
	['/api/commands', '/api/commands'],
	['/commands/execute', '/commands/execution'],
	['/commands/commands', '/commands/commands'],
])('POST %s', (submit, execution) => {
	it('queues a command and answers at once; GET tells the rest', async () => {
		const { post, get, jobs } = await agent((job) => void job.print('stderr', 'careful\n'));
		const { status, json } = await post(submit, { command: 'echo Hello', timeout: 10 });
		expect([status, json]).toEqual([
			200,
			{
				...{ executionId: uuid, execution_id: json.executionId, status: 'queued' },
				message: 'Command scheduled for execution',
			},
		]);
		const read = async () => (await get(`${execution}/${json.executionId}`)).json;
		const ids = { executionId: json.executionId, execution_id: json.executionId, command: 'echo Hello' };
		expect(await read()).toEqual({ ...ids, status: 'queued', message: 'Command scheduled for execution' });
		jobs.jobs[0]?.enter('running').print('stdout', 'so far');
		expect(await read()).toEqual({
			...{ ...ids, status: 'running', startTime: isoTime, elapsedTime: 0 },
			...{ output: 'so far', error: 'careful\n', truncated: false },
		});
		jobs.jobs[0]?.print('stdout', ' and on').exit(0);
		expect(await read()).toEqual({
			...{ ...ids, status: 'completed', exitCode: 0, output: 'so far and on', error: 'careful\n' },
			...{ startTime: isoTime, endTime: isoTime, elapsedTime: 0, truncated: false },
		});
		expect(jobs.jobs[0]?.submission).toEqual({
			face: 'ogent',
			clientId: undefined,
			draft: {
				...{ capability: 'shell.run.ogent', command: { mode: 'script', script: 'echo Hello', shell: 'auto' } },
				...{ env: {}, labels: {}, timeoutMs: 10_000 },
			},
		});
	});

	it('refuses what the policy refuses, with the reason', async () => {
		const { post } = await agent((job) => job.deny('nothing allows "sudo"'));
		expect(await post(submit, { command: 'sudo rm -rf /' })).toEqual({
			status: 403,
			json: { error: 'Command not allowed', reason: expect.stringContaining('nothing allows "sudo"') },
		});
	});

	it.each(['', ' ', '\t\n'])('refuses the empty command %j', async (command) => {
		const { post, jobs } = await agent();
		expect(await post(submit, { command })).toEqual({
			status: 403,
			json: { error: 'Command not allowed', reason: 'the command is empty' },
		});
		expect(jobs.jobs).toEqual([]);
	});

	it('says that a command waits for approval', async () => {
		const { post, get, jobs } = await agent((job) => job.ask('apr-1'));
		const { json } = await post(submit, { command: 'reboot' });
		expect(json).toMatchObject({ status: 'queued', message: 'Waiting for approval apr-1' });
		jobs.jobs[0]?.end(withoutRun('denied', problemFor('APPROVAL_DENIED', { who: 'bob', why: 'no' })));
		expect((await get(`${execution}/${json.executionId}`)).json).toMatchObject({
			...{ status: 'failed', error: 'The command was not run, because bob refused it: no.', output: '' },
		});
	});

	it('takes an id that the caller chose, for one command', async () => {
		const { post, get, jobs } = await agent();
		const asked = { command: 'echo Hello', executionId: 'unique-execution-id' };
		expect((await post(submit, asked)).json).toMatchObject({ executionId: 'unique-execution-id', status: 'completed' });
		expect((await post(submit, asked)).status).toBe(200);
		expect(jobs.jobs.length).toBe(1);
		expect((await get(`${execution}/unique-execution-id`)).json).toMatchObject({
			...{ executionId: 'unique-execution-id', status: 'completed', output: 'Hello Test\n', exitCode: 0 },
		});
		expect(await post(submit, { ...asked, command: 'id' })).toEqual({
			status: 409,
			json: { error: 'Execution already exists', reason: 'another command has this executionId' },
		});
		expect((await post(submit, asked, 't-2')).status).toBe(200);
		expect(jobs.jobs.length).toBe(2);
	});
});

describe('what stands beside a command', () => {
	it.each([
		[{ timeout: 2.5 }, { timeoutMs: 2500 }],
		[{ timeout: 1e9 }, { timeoutMs: 600_000 }],
		[{}, { timeoutMs: 600_000 }],
		[{ timeout: 0.0001 }, { timeoutMs: 1 }],
		[{ memory_limit: 256 }, { memoryBytes: 256 * 1024 * 1024 }],
		[{ memory_limit: 1e300 }, { memoryBytes: Number.MAX_SAFE_INTEGER }],
		[{ network_access: true }, {}],
		[{ network_access: false }, { network: 'none' }],
		[{ allowed_paths: ['/tmp', '/var/log'] }, { paths: ['/tmp', '/var/log'] }],
		[{ allowed_paths: [] }, { paths: [] }],
	])('%j makes the job %j', async (asked, draft) => {
		const { post, jobs } = await agent(runs, { maxExecutionSeconds: 600 });
		expect((await post('/api/execute', { command: 'ls', ...asked })).status).toBe(200);
		expect(jobs.jobs[0]?.submission.draft).toMatchObject(draft);
	});

	it('widens nothing: a network that is asked for is none that is given', async () => {
		const { post, jobs } = await agent();
		await post('/api/execute', { command: 'ls', network_access: true });
		expect(jobs.jobs[0]?.submission.draft.network).toBe(undefined);
	});

	it('that no jail can keep to runs nothing', async () => {
		const { post, jobs } = await agent();
		const { status, json } = await post('/api/execute', { command: 'ls', memory_limit: 15 });
		expect([status, json, jobs.jobs]).toEqual([
			403,
			{ error: 'Command not allowed', reason: 'memory_limit is at least 16' },
			[],
		]);
	});
});

describe('GET of an execution', () => {
	it('follows the exit code, whatever is on stderr', async () => {
		const { post, get } = await agent((job) => job.enter('running').exit(2));
		const { executionId } = (await post('/api/execute', { command: 'false' })).json;
		expect((await get(`/api/execution/${executionId}`)).json).toMatchObject({
			status: 'failed',
			exitCode: 2,
			error: '',
		});
	});

	it('tells a timeout with what was printed before', async () => {
		const { post, get } = await agent((job) =>
			job.enter('running').print('stdout', 'part').end({ status: 'timed_out' }),
		);
		const { executionId } = (await post('/api/execute', { command: 'sleep 9' })).json;
		expect((await get(`/api/execution/${executionId}`)).json).toMatchObject({
			...{ status: 'failed', error: 'Execution timed out', output: 'part' },
		});
	});

	it('has the last 2 MiB of long output, cut between characters, and says so', async () => {
		const { post, get } = await agent((job) =>
			job
				.enter('running')
				.print('stdout', `${'é'.repeat(1_100_000)}!`)
				.exit(0),
		);
		const { executionId } = (await post('/api/execute', { command: 'loud' })).json;
		const { json } = await get(`/api/execution/${executionId}`);
		expect([json.truncated, (json.output as string) === `${'é'.repeat(1_048_575)}!`]).toEqual([true, true]);
	});

	it('is for the caller that submitted it, and for those who may read all', async () => {
		const { post, get } = await agent();
		const { executionId } = (await post('/api/execute', { command: 'ls' })).json;
		expect(await get(`/api/execution/${executionId}`, 't-2')).toEqual({
			status: 403,
			json: { error: 'Not authorized to view this execution' },
		});
		expect((await get(`/api/execution/${executionId}`, 't-9')).status).toBe(200);
	});

	it('is so, too, under an id that its caller chose', async () => {
		const { post, get } = await agent();
		await post('/api/execute', { command: 'ls', executionId: 'mine' });
		expect([
			await get('/api/execution/mine', 't-2'),
			(await get('/api/execution/mine', 't-9')).json.executionId,
			(await get('/api/execution/yours', 't-2')).status,
		]).toEqual([{ status: 403, json: { error: 'Not authorized to view this execution' } }, 'mine', 404]);
		await post('/api/execute', { command: 'id', executionId: 'mine' }, 't-2');
		expect((await get('/api/execution/mine', 't-2')).json.command).toBe('id');
	});

	it('finds no job of another face', async () => {
		const { get, jobs } = await agent();
		const draft = { capability: 'shell.run', command: { mode: 'argv' as const, argv: ['id'] }, env: {}, labels: {} };
		const { jobId } = await jobs.submit({ ...tokenKey('t-1', 'one').principal, peer: null }, { face: 'native', draft });
		expect((await get(`/api/execution/${jobId}`)).status).toBe(404);
	});

	it.each([
		'..',
		'%2e%2e',
		'%2e%2e%2fetc',
		'a%00b',
		'nothing',
		'x'.repeat(200),
		'0b0d5c0e-8a3e-4f0f-9d3b-1f6a3f2f9a11',
	])('%s is not found', async (id) => {
		const { get } = await agent();
		for (const path of [`/api/execution/${id}`, `/api/commands/${id}`, `/commands/execution/${id}`])
			expect((await get(path)).status).toBe(404);
	});

	it('that is .. on the wire is not found, and no folder', async () => {
		const { url } = await agent();
		const headers = { Authorization: 'Bearer t-1' };
		const { status, json } = await ask(url, { path: '/api/execution/..', headers });
		expect([status, json]).toEqual([404, { error: 'Execution not found' }]);
	});
});

describe('cancel', () => {
	it.each(['/api/execution', '/api/commands', '/commands/execution'])(
		'under %s ends it, and it stays cancelled',
		async (path) => {
			const { post, get } = await agent((job) => job.enter('running').print('stdout', 'part'));
			const { executionId } = (await post('/api/execute', { command: 'sleep 10' })).json;
			expect(await post(`${path}/${executionId}/cancel`)).toEqual({
				status: 200,
				json: { executionId, execution_id: executionId, status: 'cancelled', message: 'Execution cancelled' },
			});
			const { json } = await get(`/api/execution/${executionId}`);
			expect(json).toMatchObject({ status: 'cancelled', output: 'part', message: 'Execution cancelled' });
			const gone = { status: 404, json: { error: 'Execution not found or already completed' } };
			expect(await post(`${path}/${executionId}/cancel`)).toEqual(gone);
			expect(await post(`${path}/..%2f/cancel`)).toEqual(gone);
			expect(await post(`${path}/nothing/cancel`)).toEqual(gone);
		},
	);

	it('needs no body, and looks at none', async () => {
		const { post, url, jobs } = await agent((job) => job.enter('running'));
		const { executionId } = (await post('/api/execute', { command: 'sleep 10' })).json;
		const headers = { Authorization: 'Bearer t-1', 'Content-Type': 'text/plain' };
		const path = `${url}/api/execution/${executionId}/cancel`;
		expect((await ask(path, { method: 'POST', headers, body: 'not json' })).status).toBe(200);
		expect(jobs.jobs[0]?.result?.status).toBe('cancelled');
	});

	it('is for the caller that submitted it', async () => {
		const { post, jobs } = await agent((job) => job.enter('running'));
		const { executionId } = (await post('/api/execute', { command: 'sleep 10' })).json;
		const path = `/api/execution/${executionId}/cancel`;
		expect(await post(path, {}, 't-2')).toEqual({
			status: 403,
			json: { error: 'Not authorized to cancel this execution' },
		});
		expect(await post(path, {}, 't-9')).toEqual({ status: 403, json: { error: 'Insufficient permissions' } });
		expect(jobs.jobs[0]?.state).toBe('running');
	});

	it('of a command that ended meanwhile comes too late', async () => {
		const { post, jobs } = await agent((job) => job.enter('running'));
		const { executionId } = (await post('/api/execute', { command: 'ls' })).json;
		jobs.cancel = async () => jobs.jobs[0]?.exit(0).view() as never;
		expect((await post(`/api/execution/${executionId}/cancel`)).status).toBe(404);
	});
});

describe.each(['/api/commands/execute', '/commands/commands/execute'])('POST %s', (path) => {
	it('answers when the command has ended, in the names that the LangChain client reads', async () => {
		const { post, jobs } = await agent(async (job) => {
			job.enter('running').print('stdout', 'out');
			await sleep(30);
			job.print('stderr', 'err').end({ status: 'failed', exitCode: 3, durationMs: 30 });
		});
		const asked = { command: 'x', timeout: 60, network_access: false };
		const { status, json } = await post(path, asked);
		expect([status, json]).toEqual([
			200,
			{
				...{ executionId: uuid, execution_id: json.executionId, status: 'failed', command: 'x', exitCode: 3 },
				...{ output: 'out', error: 'err', stdout: 'out', stderr: 'err', exit_code: 3, duration_ms: 30 },
				...{ startTime: isoTime, endTime: isoTime, elapsedTime: 0, truncated: false },
			},
		]);
		expect(jobs.waits).toEqual([290_000]);
	});

	it('answers at once when approval is needed, and after five minutes when it still runs', async () => {
		const asking = await agent((job) => job.ask('apr-1'));
		expect((await asking.post(path, { command: 'x' })).json).toMatchObject({
			status: 'queued',
			message: 'Waiting for approval apr-1',
		});
		const slow = await agent((job) => job.enter('running'));
		slow.jobs.shorten = () => 10;
		expect((await slow.post(path, { command: 'x' })).json).toMatchObject({ status: 'running', stdout: '' });
	});

	it('refuses what is refused late as what is refused at once', async () => {
		const { post } = await agent(async (job) => {
			await sleep(10);
			job.end(withoutRun('denied', problemFor('QUEUE_FULL', { waiting: 9 })));
		});
		const { status, json } = await post(path, { command: 'x' });
		expect([status, json]).toEqual([429, { error: 'Too many requests', reason: expect.stringContaining('9 jobs') }]);
	});
});

describe('allowed and validate', () => {
	it.each(['/api', '/commands'])('under %s tell what may be run', async (root) => {
		const { get, post, jobs } = await agent();
		expect(await get(`${root}/commands/allowed`)).toEqual({ status: 200, json: { allowed_commands: ['cat', 'ls'] } });
		const validate = async () => (await post(`${root}/commands/validate`, { command: 'ls' })).json;
		const said = (isValid: boolean, reason: string) => ({ is_valid: isValid, valid: isValid, reason, message: reason });
		expect(await validate()).toEqual(said(true, ''));
		jobs.decision = 'ask';
		expect(await validate()).toEqual(said(true, 'It needs approval: the test says so'));
		jobs.decision = 'deny';
		expect(await validate()).toEqual(said(false, 'the test says so'));
		expect(jobs.jobs).toEqual([]);
		expect(jobs.explained.map(({ capability }) => capability)).toEqual(Array(3).fill('shell.run.ogent'));
	});

	it('tell a key that may not run anything that nothing is valid', async () => {
		const { post } = await agent();
		expect((await post('/api/commands/validate', { command: 'ls' }, 't-9')).json).toMatchObject({ is_valid: false });
		expect((await post('/api/commands/validate', { command: ' ' })).json).toMatchObject({ is_valid: false });
		expect(await post('/api/execute', { command: 'ls' }, 't-9')).toEqual({
			status: 403,
			json: { error: 'Insufficient permissions' },
		});
	});
});

describe('a request', () => {
	const everyRoute = ogentFace.routes.filter((route) => route !== 'GET /health').map((route) => route.split(' '));

	it.each(everyRoute)('%s %s without a token, or with a wrong one, is refused', async (method = '', path = '') => {
		const { url, keys } = await agent();
		const target = url + path.replace(':id', 'x');
		const missing = await ask(target, { method });
		const wrong = await ask(target, { method, headers: { authorization: 'Bearer no' } });
		expect([missing.status, missing.json, missing.headers['www-authenticate']]).toEqual([
			401,
			{ error: 'Token is missing' },
			'Bearer',
		]);
		expect([wrong.status, wrong.json]).toEqual([401, { error: 'Invalid token' }]);
		expect(keys.refusals).toEqual(['ogent: token is missing', 'ogent: invalid token']);
	});

	it('names every route once', () => {
		expect(new Set(ogentFace.routes).size).toBe(ogentFace.routes.length);
	});

	const postRaw = async (url: string, body: string | Buffer, type: string | undefined = 'application/json') => {
		const headers = { Authorization: 'Bearer t-1', ...(type === '' ? {} : { 'Content-Type': type }) };
		const { status, json } = await ask(`${url}/api/execute`, { method: 'POST', headers, body });
		return [status, json];
	};

	it.each([
		'',
		'text/plain',
		'application/x-www-form-urlencoded',
		'application/jsonx',
		'x',
		'text/json;application/json',
	])('that calls itself %j is no JSON', async (type) => {
		const { url } = await agent();
		expect(await postRaw(url, '{"command":"ls"}', type)).toEqual([
			415,
			{ error: 'Content-Type must be application/json' },
		]);
	});

	it.each(['application/json', 'Application/JSON; charset=utf-8', 'application/vnd.x+json'])(
		'that calls itself %s is',
		async (type) => {
			const { url } = await agent();
			expect((await postRaw(url, '{"command":"ls"}', type))[0]).toBe(200);
		},
	);

	it.each<[string | Buffer, number, string]>([
		['', 400, 'Invalid request'],
		['not json', 400, 'Invalid request'],
		['[]', 400, 'Command is required'],
		['{}', 400, 'Command is required'],
		['null', 400, 'Command is required'],
		['{"command":7}', 400, 'Command must be a string'],
		['{"command":null}', 400, 'Command must be a string'],
		['{"command":"ls","command":"id"}', 400, 'Invalid request'],
		['{"__proto__":{"command":"ls"}}', 400, 'Command is required'],
		['{"command":"ls","timeout":-1}', 400, 'Invalid request'],
		['{"command":"ls","executionId":".."}', 400, 'Invalid request'],
		['{"command":"ls","executionId":"allowed"}', 400, 'Invalid request'],
		['{"command":"a\\ud800"}', 400, 'Invalid request'],
		[Buffer.from([0x7b, 0xff, 0x7d]), 400, 'Invalid request'],
		[`{"command":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, 'Invalid request'],
		[`{"command":"${'x'.repeat(300_000)}"}`, 413, 'Request too large'],
	])('gets the answer that fits, whatever it is (%#)', async (body, status, error) => {
		const { url, jobs } = await agent();
		const [found, json] = await postRaw(url, body);
		expect([found, (json as Json).error, jobs.jobs]).toEqual([status, error, []]);
	});

	it.each([
		['GET', '/api/execute', 405],
		['DELETE', '/api/execution/x', 405],
		['PUT', '/api/commands/x/cancel', 405],
		['POST', '/api/commands/allowed', 405],
		['POST', '/health', 405],
		['GET', '/api', 404],
		['GET', '/api/execution/', 404],
		['POST', '/api/v1/commands', 404],
		['GET', '/', 404],
	])('%s %s is answered %i in JSON', async (method, path, expected) => {
		const { url } = await agent();
		const { status, json } = await ask(url + path, { method, headers: { Authorization: 'Bearer t-1' } });
		expect([status, json]).toEqual([expected, { error: expected === 404 ? expect.any(String) : 'Method not allowed' }]);
	});

	it('is one of 64 at the same time, behind a slow one, and each has its own answer', async () => {
		const { url, post } = await agent((job) => {
			const { command } = job.submission.draft;
			job
				.enter('running')
				.print('stdout', command.mode === 'script' ? command.script : '')
				.exit(0);
		});
		const slow = connect(Number(new URL(url).port), '127.0.0.1');
		slow.write(
			'POST /api/execute HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t-1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{',
		);
		const commands = Array.from({ length: 64 }, (_, index) => `echo ${index}`);
		const answers = await Promise.all(commands.map((command) => post('/api/commands/execute', { command })));
		expect(answers.map(({ json }) => json.stdout)).toEqual(commands);
		slow.destroy();
	});

	it('that is too long is refused also where it does not say how long it is', async () => {
		const { url } = await agent();
		const headers = { Authorization: 'Bearer t-1', 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
		const answer = await ask(`${url}/api/execute`, { method: 'POST', headers, body: ' '.repeat(300_000) });
		expect([answer.status, (answer.json as Json).error]).toEqual([413, 'Request too large']);
	});

	it('that comes when too many wait is told to come again', async () => {
		const { url } = await agent(() => {
			throw new KnownError('QUEUE_FULL', { waiting: 9 });
		});
		const headers = { Authorization: 'Bearer t-1', 'Content-Type': 'application/json' };
		const answer = await ask(`${url}/api/execute`, { method: 'POST', headers, body: '{"command":"ls"}' });
		expect([answer.status, answer.headers['retry-after'], (answer.json as Json).error]).toEqual([
			429,
			'5',
			'Too many requests',
		]);
	});

	it('that fails because of the agent says so, and what went wrong is in the log alone', async () => {
		const { post, logged } = await agent(() => {
			throw new Error('bug at /home/agent');
		});
		const { status, json } = await post('/api/execute', { command: 'ls' });
		expect([status, JSON.stringify(json).includes('/home')]).toEqual([500, false]);
		expect(JSON.stringify(logged)).toContain('bug at /home/agent');
	});
});

describe('updates', () => {
	async function receiver(): Promise<{ url: string; updates: Json[]; tokens: unknown[] }> {
		const updates: Json[] = [];
		const tokens: unknown[] = [];
		const server = createServer(async (request, response) => {
			const chunks: Buffer[] = [];
			for await (const chunk of request) chunks.push(chunk);
			updates.push(JSON.parse(Buffer.concat(chunks).toString()));
			tokens.push(request.headers.authorization);
			response.end('{"success":true}');
		}).listen(0, '127.0.0.1');
		closing.push(() => server.close().closeAllConnections());
		await once(server, 'listening');
		return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, updates, tokens };
	}

	it('go to the socket service with the id that the caller knows and the token of the configuration', async () => {
		const { url, updates, tokens } = await receiver();
		const dir = tempFolder();
		writeFileSync(join(dir, 'push-token'), 'push-secret\n');
		const { post } = await agent(
			async (job) => {
				await sleep(5);
				runs(job);
			},
			{ pushUrl: url, pushTokenFile: 'push-token' },
			dir,
		);
		await post('/api/commands', { command: 'ls', executionId: 'mine' });
		await expect
			.poll(() => updates.at(-1))
			.toEqual({ executionId: 'mine', status: 'completed', progress: 100, output: 'Hello Test' });
		expect(updates[0]).toEqual({
			executionId: 'mine',
			status: 'running',
			progress: 1,
			output: 'Starting execution...',
		});
		expect(new Set(tokens)).toEqual(new Set(['Bearer push-secret']));
	});

	it('are not sent for what is refused at once, nor twice for the same execution', async () => {
		const { url, updates } = await receiver();
		const { post } = await agent(
			async (job) => {
				if (job.submission.clientId !== 'good') return void job.deny('no');
				await sleep(20);
				runs(job);
			},
			{ pushUrl: url },
		);
		await post('/api/execute', { command: 'rm' });
		await Promise.all([1, 2].map(() => post('/api/execute', { command: 'ls', executionId: 'good' })));
		await expect.poll(() => updates.filter(({ progress }) => progress === 100).length).toBe(1);
		await sleep(50);
		expect(updates.map(({ executionId, status }) => [executionId, status])).toEqual([
			['good', 'running'],
			['good', 'running'],
			['good', 'completed'],
		]);
	});

	it('go on for executions that an earlier process accepted', async () => {
		const { url, updates } = await receiver();
		const jobs = new MemoryJobs(() => {});
		const { principal } = tokenKey('t-1', 'one');
		const command = { mode: 'script' as const, script: 'ls', shell: 'auto' as const };
		const draft = { capability: 'shell.run.ogent', command, env: {}, labels: {} };
		await jobs.submit({ ...principal, peer: null }, { face: 'ogent', clientId: 'early', draft });
		await jobs.submit({ ...principal, peer: null }, { face: 'native', draft });
		await jobs.submit({ ...principal, peer: null }, { face: 'ogent', clientId: 'lost', draft });
		jobs.jobs.at(-1)?.enter('lost');
		jobs.now = () => Date.now() - 3_600_000;
		await jobs.submit({ ...principal, peer: null }, { face: 'ogent', clientId: 'lost long ago', draft });
		jobs.jobs.at(-1)?.enter('lost');
		const served = await serveFace(ogentFace, jobs, new TestKeys([]), { ogent: { pushUrl: url } as never });
		closing.push(served.close);
		for (const job of jobs.jobs) runs(job);
		const last = () =>
			updates
				.filter(({ progress }) => progress === 100)
				.map((update) => [update.executionId, update.status, update.error]);
		await expect
			.poll(() => last().toSorted())
			.toEqual([
				['early', 'completed', undefined],
				['lost', 'failed', 'agent restarted'],
			]);
	});

	it('need the file of their token', async () => {
		await expect(agent(runs, { pushUrl: 'http://127.0.0.1:1', pushTokenFile: 'none' }, tempFolder())).rejects.toThrow(
			'pushTokenFile cannot be read',
		);
	});
});

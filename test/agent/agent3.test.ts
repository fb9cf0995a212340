/** The wire of Agent3 as its clients see it: every row of the protocol, against a real agent, by clients that know nothing of it. */
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';
import { lives } from '../helpers/alive.ts';
import { type Answer, ask, talk } from '../helpers/plain-client.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Everything may run, but for what the test says. */
function policy(more: object = {}): string {
	const open = parse(openPolicy());
	const rule = (name: string, pattern: string) => ({ name, why: `the test ${name}s`, pattern, in: 'text' });
	return stringify({
		...{ ...open, deny: [rule('refuse', 'forbidden')], ask: [rule('ask', 'please')] },
		capabilities: { 'shell.run.agent3': { ...open.capabilities['shell.run.agent3'], ...more } },
	});
}

/** A second key, for somebody else. */
const other = 'another-token-that-nobody-can-guess-0123456789';

let agent: TestAgent;
let hasty: TestAgent;
let wary: TestAgent;
beforeAll(async () => {
	const init = ['--faces', 'agent3'];
	agent = await TestAgent.create({ init, policy: policy() });
	addKey(agent);
	await agent.serve();
	hasty = await TestAgent.start({ init, policy: policy({ timeoutMs: 2000 }) });
	wary = await TestAgent.start({ init });
});
afterAll(() => Promise.all([agent, hasty, wary].map((one) => one?.remove())));

function addKey(to: TestAgent): void {
	const digest = createHash('sha256').update(other).digest('hex');
	to.write('keys/other.sha256', `${digest}\n`);
	to.changeConfig((config: { keys?: object[]; limits?: object }) => {
		config.keys?.push({ id: 'other', face: 'agent3', kind: 'token', principal: 'other', file: 'keys/other.sha256' });
		config.limits = { concurrentJobs: 8, burst: 1000 };
	});
}

type Json = Record<string, unknown>;

async function send(
	to: TestAgent,
	body: unknown,
	token = to.faces.agent3.token,
): Promise<{ status: number; json: Json }> {
	const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
	const headers = { 'X-Auth-Token': token, 'Content-Type': 'application/json' };
	const { status, json } = await ask(to.faces.agent3.url, { method: 'POST', headers, body: text });
	return { status, json: json as Json };
}

const shell = (cmd: unknown, to = agent) => send(to, { op: 'shell', args: { cmd } });
const read = (session: unknown, window: object = {}, to = agent) =>
	send(to, { op: 'read_session', args: { session, ...window } });
const close = (session: unknown, to = agent) => send(to, { op: 'close_session', args: { session } });

const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const notFound = { status: 404, json: { error: 'Session not found' } };

describe('the listener', () => {
	it('is plain HTTP and answers curl', () => {
		const { url, token } = agent.faces.agent3;
		const body = '{"op":"shell","args":{"cmd":"echo hello"}}';
		const printed = execFileSync('curl', ['-sS', '-H', `X-Auth-Token: ${token}`, '-d', body, url], {
			encoding: 'utf8',
		});
		expect(JSON.parse(printed)).toEqual({
			...{ stdout: 'hello\n', stderr: '', exit_code: 0, session: uuid, status: 'done' },
			...{ truncated: false, total_chars: 6 },
		});
	});

	it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
		'answers %s with 405 and JSON',
		async (method) => {
			const { status, headers, json } = await ask(agent.faces.agent3.url, { method });
			expect([status, headers.allow]).toEqual([405, 'POST']);
			expect(headers['content-type']).toMatch(/^application\/json/);
			if (method !== 'HEAD') expect(json).toEqual({ error: 'Method not allowed' });
		},
	);

	it('has one route', async () => {
		const { status, json } = await ask(`${agent.faces.agent3.url}/sessions/`, { method: 'POST' });
		expect([status, json]).toEqual([404, { error: 'Not found' }]);
	});
});

describe('the token', () => {
	it.each([[{}], [{ 'X-Auth-Token': 'wrong' }], [{ 'X-Auth-Token': '' }], [{ Authorization: 'Bearer x' }]])(
		'is missing or wrong with %j: 403, as the original says',
		async (headers) => {
			const body = '{"op":"shell","args":{"cmd":"ls"}}';
			const { status, json } = await ask(agent.faces.agent3.url, { method: 'POST', headers: headers as never, body });
			expect([status, json]).toEqual([403, { error: 'Unauthorized' }]);
		},
	);

	it('may be one of several, each with sessions of its own', async () => {
		const { json } = await shell('echo mine');
		const asOther = (op: string) => send(agent, { op, args: { session: json.session } }, other);
		expect([await asOther('read_session'), await asOther('close_session')]).toEqual([notFound, notFound]);
		expect((await read(json.session)).json).toMatchObject({ stdout: 'mine\n' });
		expect((await send(agent, { op: 'shell', args: { cmd: 'echo theirs' } }, other)).json).toMatchObject({
			stdout: 'theirs\n',
		});
	});
});

/** A row whose body is too long for a title. */
const titled = <Rest extends unknown[]>(rows: readonly [string | Uint8Array, ...Rest][]) =>
	rows.map(([body, ...rest]) => [JSON.stringify(String(body).slice(0, 60)), body, ...rest] as const);

describe('the body', () => {
	it.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'x'])(
		'is JSON, also when it calls itself %s',
		async (type) => {
			const headers = { 'X-Auth-Token': agent.faces.agent3.token, ...(type && { 'Content-Type': type }) };
			const { status } = await ask(agent.faces.agent3.url, {
				method: 'POST',
				headers,
				body: '{"op":"shell","args":{"cmd":"true"}}',
			});
			expect(status).toBe(200);
		},
	);

	it.each(
		titled<[number, string]>([
			['', 400, 'Invalid request'],
			['not json', 400, 'Invalid request'],
			['[]', 400, 'Invalid request'],
			['null', 400, 'Invalid request'],
			['{"op":"shell","args":null}', 400, 'Invalid request'],
			['{"op":"shell","args":{"cmd":["ls"]}}', 400, 'Invalid request'],
			['{"op":"shell","args":{"cmd":"ls"},"op":"shell"}', 400, 'Invalid request'],
			['{"__proto__":{"op":"shell"},"args":{"cmd":"ls"}}', 400, 'Invalid op'],
			[`{"op":"shell","args":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`, 413, 'Request too large'],
			[`{"op":"shell","args":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 400, 'Invalid request'],
			[Buffer.from('{"op":"shell","args":{"cmd":"\xff"}}', 'latin1'), 400, 'Invalid request'],
			['{"op":"shell","args":{"cmd":"\\ud800"}}', 400, 'Invalid request'],
			['{"op":"read_session","args":{}}', 400, 'Missing session'],
			['{"op":"read_session","args":{"session":"x","offset":"1"}}', 400, 'Invalid request'],
			['{"op":"shell","args":{}}', 400, 'Missing cmd'],
			['{"op":"shell","args":{"cmd":""}}', 400, 'Missing cmd'],
			['{"op":"shell","args":{"cmd":null}}', 400, 'Missing cmd'],
			['{"op":"shell"}', 400, 'Missing cmd'],
			['{"op":"eval","args":{"cmd":"ls"}}', 400, 'Invalid op'],
			['{}', 400, 'Invalid op'],
			[`{"op":"shell","args":{"cmd":"${'x'.repeat(300_000)}"}}`, 413, 'Request too large'],
		]),
	)('%s', async (_title, body, status, error) => {
		const answer = await send(agent, body);
		expect([answer.status, answer.json.error]).toEqual([status, error]);
	});

	it('with a NUL or a carriage return in the command is refused by the policy', async () => {
		for (const cmd of ['ls\0id', 'ls\rid'])
			expect(await shell(cmd)).toEqual({
				status: 403,
				json: { error: 'Command not allowed', reason: expect.any(String) },
			});
	});
});

describe('shell', () => {
	it('answers 200 whatever the exit code, with a session for every call', async () => {
		const answers = await Promise.all([0, 1, 7, 255].map((code) => shell(`echo out; echo err >&2; exit ${code}`)));
		expect(answers.map(({ status, json }) => [status, json.exit_code, json.stdout, json.stderr, json.status])).toEqual(
			[0, 1, 7, 255].map((code) => [200, code, 'out\n', 'err\n', 'done']),
		);
		expect(new Set(answers.map(({ json }) => json.session)).size).toBe(4);
	});

	it.each([
		['kill -9 $$', -9],
		['kill -TERM $$', -15],
		['kill -SEGV $$', -11],
	])('tells the end by a signal as a negative number: %s', async (cmd, exitCode) => {
		expect((await shell(cmd)).json).toMatchObject({ exit_code: exitCode, status: 'done' });
	});

	it('shows other bytes than UTF-8 as replacement characters', async () => {
		expect((await shell("printf 'a\\377b\\303'")).json).toMatchObject({ stdout: 'a\ufffdb\ufffd', total_chars: 4 });
	});

	it('answers with the last 92160 characters of each stream; the session has all', async () => {
		const { json } = await shell('i=0; while [ $i -lt 20000 ]; do echo "$i é😀"; i=$((i+1)); done | tee /dev/stderr');
		const all = Array.from({ length: 20_000 }, (_, i) => `${i} é😀\n`).join('');
		const characters = Array.from(all);
		const last = characters.slice(-92_160).join('');
		expect([json.stdout === last, json.stderr === last, json.truncated, json.total_chars]).toEqual([
			true,
			true,
			true,
			characters.length,
		]);
		let read2 = '';
		for (let offset = 0, isEnd = false; !isEnd; ) {
			const page = (await read(json.session, { offset, limit: 50_000 })).json;
			read2 += page.stdout;
			offset = page.next_offset as number;
			isEnd = page.eof as boolean;
		}
		expect([read2 === all, (await read(json.session)).json.stderr === all]).toEqual([true, true]);
	});

	it('runs where the limits of the job are the agent’s, in a jail', async () => {
		expect((await shell('id -un; pwd; echo $HOME')).json).toMatchObject({ stdout: 'device\n/work\n/work\n' });
	});

	it('is refused by the policy with 403 and the reason', async () => {
		expect(await shell('echo forbidden')).toEqual({
			status: 403,
			json: { error: 'Command not allowed', reason: expect.stringContaining('the test refuses') },
		});
	});
});

const answerApproval = (action: string, approvalId: string): string =>
	secureCode(['agent', 'approvals', action, approvalId, '--reason', 'the test says so', '--dir', agent.dir]);

async function asked(cmd: string): Promise<{ session: string; approvalId: string; json: Json }> {
	const { json } = await shell(cmd);
	const [, approvalId = ''] = /^approval required: (\S+)$/.exec(String(json.stderr)) ?? [];
	return { session: String(json.session), approvalId, json };
}

async function over(session: string): Promise<Json> {
	for (let page = await read(session); ; page = await read(session)) {
		if (page.status !== 200 || page.json.exit_code !== 126) return page.json;
		await sleep(20);
	}
}

describe('a command that needs approval', () => {
	it('is answered with 126 and a session, which has the real result afterwards', async () => {
		const { session, approvalId, json } = await asked('echo please; exit 4');
		expect(json).toEqual({
			...{ stdout: '', stderr: `approval required: ${approvalId}`, exit_code: 126, session: uuid },
			...{ status: 'approval_required', truncated: false, total_chars: 0 },
		});
		expect((await read(session)).json).toMatchObject({ exit_code: 126, status: 'approval_required', eof: false });
		answerApproval('approve', approvalId);
		expect(await over(session)).toEqual({
			...{ stdout: 'please\n', stderr: '', exit_code: 4, status: 'done' },
			...{ truncated: false, total_chars: 7, next_offset: 7, eof: true },
		});
	});

	it('is told as refused when somebody denies it', async () => {
		const { session, approvalId } = await asked('echo please no');
		answerApproval('deny', approvalId);
		await over(session);
		expect(await read(session)).toEqual({
			status: 403,
			json: { error: 'Command not allowed', reason: expect.stringContaining('the test says so') },
		});
	});

	it('never runs when its session is closed first', async () => {
		const { session, approvalId } = await asked('echo please never');
		expect(await close(session)).toEqual({ status: 200, json: { status: 'closed' } });
		expect(() => answerApproval('approve', approvalId)).toThrow(/already/);
		expect(await read(session)).toEqual(notFound);
	});

	it('and is cancelled while it runs is told with -15', async () => {
		const { session, approvalId } = await asked('echo please wait; sleep 30');
		answerApproval('approve', approvalId);
		while (((await read(session)).json.stdout ?? '') === '') await sleep(20);
		expect((await read(session)).json).toMatchObject({ stdout: 'please wait\n', exit_code: 126, status: 'running' });
		secureCode(['agent', 'jobs', 'cancel', session, '--dir', agent.dir]);
		expect(await over(session)).toMatchObject({ stdout: 'please wait\n', exit_code: -15, status: 'done' });
	});
});

describe.concurrent('time', () => {
	it('that the policy gives ends the command with 124; what it printed is kept, and nothing of it lives on', async () => {
		const proof = `proof-${randomUUID()}`;
		const cmd = `echo part; setsid bash -c 'exec -a ${proof} sleep 99' & trap '' TERM; sleep 99`;
		const answer = shell(cmd, hasty);
		while (!lives(proof)) await sleep(20);
		const { json } = await answer;
		expect([json, lives(proof)]).toEqual([
			{
				...{ stdout: 'part\n', stderr: 'Timeout', exit_code: 124, session: uuid, status: 'done' },
				...{ truncated: false, total_chars: 5 },
			},
			false,
		]);
		expect((await read(json.session, {}, hasty)).json).toMatchObject({ stderr: 'Timeout', exit_code: 124, eof: true });
	});

	it('is 45 seconds where the policy gives more', async () => {
		const { json } = await shell('echo part; echo e >&2; sleep 60');
		expect(json).toMatchObject({ stdout: 'part\n', stderr: 'e\nTimeout', exit_code: 124, status: 'done' });
	}, 90_000);

	it('for a body that never comes ends, and nobody else waits for it', async () => {
		const { url, token } = agent.faces.agent3;
		const head = `POST / HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${token}\r\nContent-Length: 99\r\n\r\n{`;
		const slow = talk(url, head);
		expect((await shell('echo quick')).json).toMatchObject({ stdout: 'quick\n' });
		expect(await slow).toMatch(/^HTTP\/1\.1 408/);
	}, 90_000);

	it.each([
		'\r\n\r\n',
		'GARBAGE\r\n\r\n',
		'POST / HTTP/9.9\r\n\r\n',
		`POST / HTTP/1.1\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`,
	])('for strangers that speak no HTTP ends with no more than a 4xx (%#)', async (bytes) => {
		expect(await talk(agent.faces.agent3.url, bytes)).not.toMatch(/^HTTP\/1\.1 [235]/);
	});
});

describe('read_session and close_session', () => {
	it.each([
		[{}, { stdout: '0123456789', next_offset: 10, eof: true }],
		[
			{ offset: 3, limit: 4 },
			{ stdout: '3456', next_offset: 7, eof: false },
		],
		[
			{ offset: 10, limit: 90_000 },
			{ stdout: '', next_offset: 10, eof: true },
		],
		[{ offset: 1e15 }, { stdout: '', eof: true }],
		[{ offset: -3 }, { stdout: '789', next_offset: 10, eof: true }],
		[
			{ offset: -3, limit: 2 },
			{ stdout: '78', next_offset: 9, eof: false },
		],
		[{ offset: -100 }, { stdout: '0123456789', next_offset: 10, eof: true }],
	])('%j', async (window, page) => {
		const { json } = await shell('printf 0123456789; printf e >&2; exit 2');
		expect((await read(json.session, window)).json).toMatchObject({
			...page,
			stderr: 'e',
			exit_code: 2,
			total_chars: 10,
		});
	});

	it('closes once', async () => {
		const { json } = await shell('echo x');
		expect([await close(json.session), await close(json.session), await read(json.session)]).toEqual([
			{ status: 200, json: { status: 'closed' } },
			notFound,
			notFound,
		]);
	});

	it.each(['abc123', '..', '../state/agent.db', '/etc/passwd', `${randomUUID()}`, '%2e%2e', 'a\0'])(
		'finds no session %j',
		async (session) => {
			expect([await read(session), await close(session)]).toEqual([notFound, notFound]);
		},
	);

	it('reads no file and deletes none, as the original did', async () => {
		const file = join(tempFolder(), 'secret.json');
		writeFileSync(file, '{"stdout":"secret","stderr":"","exit_code":0}');
		expect([await read(file), await close(file)]).toEqual([notFound, notFound]);
		expect(execFileSync('cat', [file], { encoding: 'utf8' })).toContain('secret');
	});
});

describe('the policy that a new agent has', () => {
	it.each(['ls -la /', 'cat /etc/os-release && uname -a', "ls -la | grep '.'"])('lets %s run', async (cmd) => {
		expect((await shell(cmd, wary)).json).toMatchObject({ exit_code: 0, status: 'done' });
	});

	it.each(['rm -rf /', 'echo $(id)', 'cat /etc/shadow', 'ls; reboot', 'curl x | sh'])('refuses %s', async (cmd) => {
		expect(await shell(cmd, wary)).toMatchObject({ status: 403, json: { error: 'Command not allowed' } });
	});
});

describe('many requests', () => {
	it('get an answer each: 64 at the same time', async () => {
		const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => shell(`echo ${i}`)));
		expect(answers.map(({ status, json }) => [status, json.stdout])).toEqual(
			Array.from({ length: 64 }, (_, i) => [200, `${i}\n`]),
		);
	});

	it('may pipeline', async () => {
		const body = '{"op":"shell","args":{"cmd":"echo piped"}}';
		const head = `POST / HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${agent.faces.agent3.token}\r\nContent-Length: ${body.length}\r\n`;
		const text = await talk(
			agent.faces.agent3.url,
			`${head}\r\n${body}`.repeat(4),
			`${head}Connection: close\r\n\r\n${body}`,
		);
		expect(text.match(/"stdout":"piped\\n"/g)).toHaveLength(5);
	});
});

describe('an agent that dies while a command runs', () => {
	it('says afterwards that nobody knows how it ended', async () => {
		const { session, approvalId } = await asked('echo please die; sleep 30');
		answerApproval('approve', approvalId);
		while (((await read(session)).json.stdout ?? '') === '') await sleep(20);
		await agent.end('SIGKILL');
		await agent.serve();
		const answer: Pick<Answer, 'status'> & { json: Json } = await read(session);
		expect(answer.json).toMatchObject({
			exit_code: 125,
			status: 'done',
			stderr: expect.stringContaining('interrupted'),
		});
	});
});

/** The wire of Ogent as its clients see it: every row of the protocol, against a real agent, by clients that know nothing of it. */
import { execFileSync } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';
import { lives } from '../helpers/alive.ts';
import { ask } from '../helpers/plain-client.ts';

type Json = Record<string, unknown>;
type Config = Record<string, unknown> & { keys: Json[]; limits: Json; ogent: Json };

/** Everything may run, but for what the test says. */
function policy(): string {
	const open = parse(openPolicy());
	const rule = (name: string, pattern: string) => ({ name, why: `the test ${name}s`, pattern, in: 'text' });
	return stringify({
		...{
			...open,
			shipped: ['files', 'text', 'shell'],
			deny: [rule('refuse', 'forbidden')],
			ask: [rule('ask', 'please')],
		},
		profiles: { default: { ...open.profiles.default, network: 'host' } },
		capabilities: { 'shell.run.ogent': open.capabilities['shell.run.ogent'] },
	});
}

/** What the socket service and the authentication service of Ogent do here. */
interface Services {
	readonly url: string;
	readonly updates: { readonly authorization: string | undefined; readonly body: Json }[];
	readonly users: Map<string, unknown>;
	close(): void;
}

async function startServices(): Promise<Services> {
	const updates: Services['updates'] = [];
	const users: Services['users'] = new Map();
	const answer = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk);
		const { authorization } = request.headers;
		if (request.url === '/api/execution-status') {
			updates.push({ authorization, body: JSON.parse(Buffer.concat(chunks).toString()) });
			return response.end('{"success":true}');
		}
		const user = users.get(authorization?.replace('Bearer ', '') ?? '');
		if (request.url !== '/auth/user' || !user) return response.writeHead(401).end('{"message":"Unauthenticated."}');
		return response.end(JSON.stringify({ user }));
	};
	const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return { url, updates, users, close: () => server.close().closeAllConnections() };
}

const jwtSecret = 'the-secret-of-the-authentication-service-42';

/** As Ogent's authentication service makes them. */
function jwt(claims: Json = {}, secret = jwtSecret, header: Json = { alg: 'HS256', typ: 'JWT' }): string {
	const now = Math.floor(Date.now() / 1000);
	const part = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const payload = {
		iss: 'auth',
		iat: now,
		nbf: now,
		exp: now + 3600,
		sub: 7,
		jti: randomUUID(),
		roles: ['user'],
		permissions: ['run agents'],
	};
	const text = `${part(header)}.${part({ ...payload, ...claims })}`;
	return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

let services: Services;
let agent: TestAgent;
let wary: TestAgent;
beforeAll(async () => {
	services = await startServices();
	const init = ['--faces', 'ogent'];
	agent = await TestAgent.create({ init, policy: policy() });
	agent.write('keys/jwt.secret', `${jwtSecret}\n`);
	agent.write('push-token', 'push-secret\n');
	agent.changeConfig((config: Partial<Config>) => {
		config.keys?.push({
			id: 'jwt',
			face: 'ogent',
			kind: 'jwt-hs256',
			principal: 'users',
			file: 'keys/jwt.secret',
			roles: ['executor', 'viewer'],
		});
		config.limits = { concurrentJobs: 8, burst: 2000, requestsPerMinute: 20_000 };
		config.ogent = {
			pushUrl: services.url,
			pushTokenFile: 'push-token',
			authUrl: `${services.url}/auth`,
			maxExecutionSeconds: 20,
		};
	});
	await agent.serve();
	wary = await TestAgent.start({ init });
});
afterAll(async () => {
	services?.close();
	await Promise.all([agent, wary].map((one) => one?.remove()));
});

async function call(
	method: string,
	path: string,
	body?: unknown,
	token = agent.faces.ogent.token,
	to = agent,
): Promise<{ status: number; json: Json }> {
	const headers = {
		Authorization: `Bearer ${token}`,
		...(body !== undefined && { 'Content-Type': 'application/json' }),
	};
	const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
	const answer = await ask(to.faces.ogent.url + path, { method, headers, ...(body !== undefined && { body: text }) });
	return { status: answer.status, json: answer.json as Json };
}

const post = (path: string, body?: unknown, token?: string) => call('POST', path, body, token);
const get = (path: string, token?: string) => call('GET', path, undefined, token);

const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

async function submit(command: string, more: Json = {}): Promise<string> {
	const { json } = await post('/api/execute', { command, ...more });
	return String(json.executionId);
}

async function until(id: string, isIt: (json: Json) => boolean): Promise<Json> {
	for (;;) {
		const { json } = await get(`/api/execution/${id}`);
		if (isIt(json)) return json;
		await sleep(30);
	}
}

const over = (id: string) => until(id, ({ status }) => ['completed', 'failed', 'cancelled'].includes(String(status)));

describe('health', () => {
	it('is ok for everybody, also for curl', () => {
		const printed = execFileSync('curl', ['-sS', `${agent.faces.ogent.url}/health`], { encoding: 'utf8' });
		expect(JSON.parse(printed)).toEqual({ status: 'ok' });
	});
});

describe('execute', () => {
	it('answers 200 and queued at once; the status follows', async () => {
		const { status, json } = await post('/api/execute', { command: 'echo Hello; echo careful >&2', timeout: 10 });
		expect([status, json]).toEqual([
			200,
			{
				...{ executionId: uuid, execution_id: json.executionId, status: 'queued' },
				message: 'Command scheduled for execution',
			},
		]);
		expect(await over(String(json.executionId))).toEqual({
			...{ executionId: json.executionId, execution_id: json.executionId, status: 'completed', exitCode: 0 },
			...{ command: 'echo Hello; echo careful >&2', output: 'Hello\n', error: 'careful\n', truncated: false },
			...{ startTime: time, endTime: time, elapsedTime: 0 },
		});
	});

	it('tells of a command that runs when it began and for how long', async () => {
		const id = await submit('echo begun; sleep 4');
		const running = await until(id, ({ elapsedTime, output }) => Number(elapsedTime) >= 1 && output !== '');
		expect(running).toMatchObject({ executionId: id, status: 'running', startTime: time, output: 'begun\n' });
		const { status, elapsedTime } = await over(id);
		expect([status, Number(elapsedTime) >= 4]).toEqual(['completed', true]);
	});

	it.each([
		['exit 3', { status: 'failed', exitCode: 3, error: '' }],
		['echo warning >&2', { status: 'completed', exitCode: 0, error: 'warning\n' }],
		['kill -9 $$', { status: 'failed', exitCode: 137 }],
	])('tells the truth about "%s", whatever is on stderr', async (command, told) => {
		expect(await over(await submit(command))).toMatchObject(told);
	});

	it('runs pipelines', async () => {
		expect(await over(await submit("printf 'line1\\nline2\\nline3\\n' | grep line2"))).toMatchObject({
			output: 'line2\n',
		});
	});

	it('ends a command at the time that the caller gives, and nothing of it lives on', async () => {
		const proof = `proof-${randomUUID()}`;
		const id = await submit(`echo part; setsid bash -c 'exec -a ${proof} sleep 99' & trap '' TERM; sleep 99`, {
			timeout: 1.5,
		});
		expect(await over(id)).toMatchObject({ status: 'failed', output: 'part\n', error: 'Execution timed out' });
		expect(lives(proof)).toBe(false);
	});

	it('gives no more time than the configuration does', async () => {
		const id = await submit('sleep 99', { timeout: 3600 });
		expect(await over(id)).toMatchObject({ status: 'failed', error: 'Execution timed out', elapsedTime: 20 });
	});

	it('keeps to what the caller narrows', async () => {
		const narrow = async (command: string, more: Json) => await over(await submit(command, more));
		const interfaces = 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " " | sort | tr "\\n" " "';
		expect((await narrow(interfaces, { network_access: false })).output).toBe('lo ');
		expect((await narrow(interfaces, { network_access: true })).output).not.toBe('lo ');
		const hungry = 'x=$(head -c 64000000 /dev/zero | tr "\\0" y); printf %s "$x" | wc -c';
		expect(await narrow(hungry, { memory_limit: 32 })).toMatchObject({ status: 'failed' });
		expect(await narrow(hungry, {})).toMatchObject({ status: 'completed', output: '64000000\n' });
		const confined = await post('/api/execute', { command: 'cat /etc/hostname', allowed_paths: ['/usr'] });
		expect(confined).toMatchObject({ status: 403, json: { error: 'Command not allowed' } });
		expect(await narrow('cat /etc/hostname', { allowed_paths: ['/etc'] })).toMatchObject({ status: 'completed' });
	});

	it('has a workspace of its own for every execution', async () => {
		await over(await submit('echo secret > left; ls'));
		expect(await over(await submit('pwd; ls'))).toMatchObject({ output: '/work\n' });
	});

	it('refuses what the policy refuses, and the empty command', async () => {
		const refused = { status: 403, json: { error: 'Command not allowed', reason: expect.any(String) } };
		for (const command of ['echo forbidden', '', ' ', 'ls\0id'])
			expect(await post('/api/execute', { command })).toEqual(refused);
	});
});

describe('an id', () => {
	it('of nobody is not found, .. neither', async () => {
		const gone = { status: 404, json: { error: 'Execution not found' } };
		const headers = { Authorization: `Bearer ${agent.faces.ogent.token}` };
		for (const id of [randomUUID(), 'nothing', '..', '%2e%2e', '..%2f..%2fetc', 'a%00']) {
			const { status, json } = await ask(agent.faces.ogent.url, { path: `/api/execution/${id}`, headers });
			expect({ status, json }).toEqual(gone);
		}
	});

	it('of somebody else is not theirs to see or cancel', async () => {
		const id = randomUUID();
		await post('/api/execute', { command: 'sleep 5', executionId: id });
		const theirs = jwt({ sub: 8 });
		expect(await get(`/api/execution/${id}`, theirs)).toEqual({
			status: 403,
			json: { error: 'Not authorized to view this execution' },
		});
		expect(await post(`/api/execution/${id}/cancel`, undefined, theirs)).toEqual({
			status: 403,
			json: { error: 'Not authorized to cancel this execution' },
		});
		expect((await get(`/api/execution/${id}`, jwt({ sub: 9, roles: ['viewer'] }))).json).toMatchObject({
			executionId: id,
		});
		await post(`/api/execution/${id}/cancel`);
	});
});

describe('cancel', () => {
	it('ends the whole tree and stays cancelled', async () => {
		const proof = `proof-${randomUUID()}`;
		const id = await submit(`echo part; setsid bash -c 'exec -a ${proof} sleep 99' & trap '' TERM; sleep 99`);
		while (!lives(proof)) await sleep(20);
		expect(await post(`/api/execution/${id}/cancel`)).toEqual({
			status: 200,
			json: { executionId: id, execution_id: id, status: 'cancelled', message: 'Execution cancelled' },
		});
		expect(lives(proof)).toBe(false);
		expect((await get(`/api/execution/${id}`)).json).toMatchObject({ status: 'cancelled', output: 'part\n' });
		expect(await post(`/api/execution/${id}/cancel`)).toEqual({
			status: 404,
			json: { error: 'Execution not found or already completed' },
		});
	});

	it('takes the empty body that calls itself JSON, as the LangChain client sends it', async () => {
		const id = await submit('sleep 9');
		const headers = { Authorization: `Bearer ${agent.faces.ogent.token}`, 'Content-Type': 'application/json' };
		const { status } = await ask(`${agent.faces.ogent.url}/api/commands/${id}/cancel`, { method: 'POST', headers });
		expect(status).toBe(200);
	});
});

describe('the other dialects', () => {
	it('take an id that the caller chose, for one command', async () => {
		const executionId = `mine-${randomUUID()}`;
		const asked = { command: "echo 'Hello, World!'", executionId };
		expect((await post('/api/commands', asked)).json).toMatchObject({ executionId, status: 'queued' });
		await over(executionId);
		expect((await get(`/api/commands/${executionId}`)).json).toMatchObject({
			...{ executionId, status: 'completed', command: "echo 'Hello, World!'", output: 'Hello, World!\n', exitCode: 0 },
		});
		expect((await post('/api/commands', asked)).json).toMatchObject({ executionId, status: 'completed' });
		expect((await post('/api/commands', { ...asked, command: 'id' })).status).toBe(409);
	});

	it('answer the LangChain client when the command has ended', async () => {
		const asked = { command: 'echo out; echo err >&2; exit 3', timeout: 60, network_access: false };
		expect((await post('/api/commands/execute', asked)).json).toMatchObject({
			...{ status: 'failed', exit_code: 3, stdout: 'out\n', stderr: 'err\n', duration_ms: expect.any(Number) },
		});
	});

	it('tell what is allowed, and whether a command is', async () => {
		const allowed = (await call('GET', '/api/commands/allowed', undefined, wary.faces.ogent.token, wary)).json;
		expect(allowed).toEqual({ allowed_commands: expect.arrayContaining(['cat', 'echo', 'grep', 'ls']) });
		const validate = async (command: string) =>
			(await call('POST', '/api/commands/validate', { command }, wary.faces.ogent.token, wary)).json;
		expect(await validate('ls -la')).toMatchObject({ is_valid: true, valid: true });
		expect(await validate('rm -rf /')).toMatchObject({
			is_valid: false,
			valid: false,
			reason: expect.stringMatching(/\w/),
		});
		expect((await post('/api/commands/validate', { command: 'echo please' })).json).toMatchObject({
			...{ is_valid: true, reason: expect.stringContaining('needs approval') },
		});
	});

	it('are served behind the gateway’s prefix, too', async () => {
		const { json } = await post('/commands/execute', { command: 'echo x' });
		await over(String(json.executionId));
		expect((await get(`/commands/execution/${json.executionId}`)).json).toMatchObject({ status: 'completed' });
		expect((await post('/commands/commands/execute', { command: 'echo y' })).json).toMatchObject({ stdout: 'y\n' });
	});
});

describe('authentication', () => {
	it.each([
		['no token', undefined, 401, 'Token is missing'],
		['no bearer', 'Basic YTpi', 401, 'Token is missing'],
		['nonsense', 'Bearer nonsense', 401, 'Invalid token'],
		['a token of another secret', `Bearer ${jwt({}, 'default_secret_key')}`, 401, 'Invalid token'],
		['a token without a signature', `Bearer ${jwt({}, jwtSecret, { alg: 'none' })}`, 401, 'Invalid token'],
		['a token of yesterday', `Bearer ${jwt({ exp: 1, iat: 0, nbf: 0 })}`, 401, 'Invalid token'],
		['a token of tomorrow', `Bearer ${jwt({ nbf: Math.floor(Date.now() / 1000) + 86_400 })}`, 401, 'Invalid token'],
		[
			'a token without the permission',
			`Bearer ${jwt({ permissions: ['view agents'] })}`,
			403,
			'Insufficient permissions',
		],
	])('is needed: %s', async (_what, authorization, status, error) => {
		const headers = { 'Content-Type': 'application/json', ...(authorization && { Authorization: authorization }) };
		const answer = await ask(`${agent.faces.ogent.url}/api/execute`, {
			method: 'POST',
			headers,
			body: '{"command":"ls"}',
		});
		expect([answer.status, answer.json]).toEqual([status, { error }]);
	});

	it('is given by a JWT with the permission, whatever user it is', async () => {
		const { status, json } = await post('/api/commands/execute', { command: 'echo x' }, jwt({ sub: 'alice' }));
		expect([status, json.stdout]).toEqual([200, 'x\n']);
	});

	it('is asked of the authentication service for tokens that are not known here', async () => {
		const permissions = [{ name: 'run agents' }];
		services.users.set('opaque', { id: 12, roles: [{ name: 'admin', permissions }] });
		services.users.set('weak', { id: 13, roles: [{ name: 'user', permissions: [] }] });
		expect((await post('/api/commands/execute', { command: 'echo x' }, 'opaque')).json).toMatchObject({
			stdout: 'x\n',
		});
		expect(await post('/api/execute', { command: 'echo x' }, 'weak')).toEqual({
			status: 403,
			json: { error: 'Insufficient permissions' },
		});
	});
});

describe('a request', () => {
	it.each([
		['text/plain', '{"command":"ls"}', 415],
		['application/json', '', 400],
		['application/json', 'not json', 400],
		['application/json', '{}', 400],
		['application/json', '[]', 400],
		['application/json', '{"command":7}', 400],
		['application/json', '{"command":"ls","command":"id"}', 400],
		['application/json', '{"command":"ls","executionId":"../x"}', 400],
		['application/json', `{"command":${'['.repeat(99_000)}${']'.repeat(99_000)}}`, 400],
		['application/json', `{"command":"${'x'.repeat(300_000)}"}`, 413],
	])('of the type %s is answered in JSON (%#)', async (type, body, status) => {
		const headers = { Authorization: `Bearer ${agent.faces.ogent.token}`, 'Content-Type': type };
		const answer = await ask(`${agent.faces.ogent.url}/api/execute`, { method: 'POST', headers, body });
		expect([answer.status, answer.json]).toEqual([status, expect.objectContaining({ error: expect.any(String) })]);
	});

	it.each([
		['GET', '/api/execute', 405],
		['DELETE', '/api/execution/x', 405],
		['GET', '/api/v1/commands', 404],
	])('%s %s is answered %i', async (method, path, status) => {
		expect(await call(method, path)).toEqual({
			status,
			json: { error: status === 404 ? 'Not found' : 'Method not allowed' },
		});
	});

	it('is one of 64 at the same time', async () => {
		const answers = await Promise.all(
			Array.from({ length: 64 }, (_, i) => post('/api/commands/execute', { command: `echo ${i}` })),
		);
		expect(answers.map(({ status, json }) => [status, json.stdout])).toEqual(
			Array.from({ length: 64 }, (_, i) => [200, `${i}\n`]),
		);
	});
});

describe('updates', () => {
	const ofExecution = (id: string) => services.updates.filter(({ body }) => body.executionId === id);
	const statusesOf = (id: string) => ofExecution(id).map(({ body }) => body.status);

	it('go to the socket service: the start, the last ten lines, and all of it at the end', async () => {
		const id = await submit('i=1; while [ $i -le 25 ]; do echo "line $i"; i=$((i+1)); done; sleep 2; echo end; exit 2');
		await expect.poll(() => statusesOf(id).at(-1), { timeout: 10_000 }).toBe('failed');
		const lines = Array.from({ length: 25 }, (_, i) => `line ${i + 1}`);
		const bodies = ofExecution(id).map(({ body }) => body);
		expect(bodies[0]).toEqual({ executionId: id, status: 'running', progress: 1, output: 'Starting execution...' });
		expect(bodies.slice(1, -1)).toContainEqual({
			executionId: id,
			status: 'running',
			progress: 2,
			output: lines.slice(-10).join('\n'),
		});
		expect(bodies.at(-1)).toEqual({
			executionId: id,
			status: 'failed',
			progress: 100,
			output: [...lines, 'end'].join('\n'),
		});
		expect(new Set(ofExecution(id).map(({ authorization }) => authorization))).toEqual(new Set(['Bearer push-secret']));
	});

	it('say that an execution was cancelled', async () => {
		const id = await submit('sleep 30');
		await expect.poll(() => statusesOf(id), { timeout: 10_000 }).toEqual(['running']);
		await post(`/api/execution/${id}/cancel`);
		await expect.poll(() => statusesOf(id), { timeout: 10_000 }).toEqual(['running', 'cancelled']);
	});
});

/** Answers as the person at the device does. */
const answer = (action: string, message: unknown) =>
	secureCode([
		'agent',
		'approvals',
		action,
		String(message).split(' ').at(-1) ?? '',
		'--reason',
		'no need',
		'--dir',
		agent.dir,
	]);

describe('a command that needs approval', () => {
	it('is queued until somebody answers, and failed when the answer is no', async () => {
		const yes = await post('/api/execute', { command: 'echo please' });
		expect(yes.json).toMatchObject({ status: 'queued', message: expect.stringMatching(/^Waiting for approval apr-/) });
		const id = String(yes.json.executionId);
		expect((await get(`/api/execution/${id}`)).json).toMatchObject({ status: 'queued', message: yes.json.message });
		answer('approve', yes.json.message);
		expect(await over(id)).toMatchObject({ status: 'completed', output: 'please\n', exitCode: 0 });
		const no = await post('/api/execute', { command: 'echo please not' });
		answer('deny', no.json.message);
		expect(await over(String(no.json.executionId))).toMatchObject({
			status: 'failed',
			error: expect.stringContaining('no need'),
		});
	});
});

describe('an agent that dies', () => {
	it('says afterwards of what ran that it failed, and goes on with what waited', async () => {
		const waiting = (await post('/api/execute', { command: 'echo please later' })).json;
		const running = await submit('echo begun; sleep 30');
		await until(running, ({ output }) => output === 'begun\n');
		await agent.end('SIGKILL');
		await agent.serve();
		expect(await over(running)).toMatchObject({ status: 'failed', error: 'agent restarted' });
		const last = () => services.updates.filter(({ body }) => body.executionId === running).at(-1)?.body;
		await expect
			.poll(last, { timeout: 10_000 })
			.toMatchObject({ status: 'failed', progress: 100, error: 'agent restarted' });
		answer('approve', waiting.message);
		expect(await over(String(waiting.executionId))).toMatchObject({ status: 'completed', output: 'please later\n' });
	});
});

describe('updates that nobody takes', () => {
	it('hold up nothing', async () => {
		services.close();
		const answers = await Promise.all([1, 2, 3].map(() => post('/api/commands/execute', { command: 'echo x' })));
		expect(answers.map(({ json }) => json.status)).toEqual(['completed', 'completed', 'completed']);
		expect((await agent.logged('does not take updates')).level).toBe('warn');
	});
});

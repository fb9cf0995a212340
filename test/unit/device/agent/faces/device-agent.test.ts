import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../../src/contract/agent-config.ts';
import { type ErrorCode, KnownError } from '../../../../../src/contract/error.ts';
import type { FaceParts } from '../../../../../src/device/agent/face.ts';
import { deviceAgentFace } from '../../../../../src/device/agent/faces/device-agent.ts';
import { type Served, serveFace, TestKeys, tokenKey } from '../../../../helpers/face.ts';
import { type MemoryJob, MemoryJobs } from '../../../../helpers/memory-jobs.ts';
import { type Answer, ask } from '../../../../helpers/plain-client.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	await Promise.all(closing.splice(0).map((close) => close()));
});

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const botKey = {
	...{ id: 'bot-1', kind: 'ed25519' as const, material: publicKey },
	principal: { name: 'bot', roles: ['executor' as const], capabilities: ['*'], keyId: 'bot-1' },
};

interface Agent extends Served {
	readonly jobs: MemoryJobs;
	readonly keys: TestKeys;
	post(body: unknown, headers?: Record<string, string>, path?: string): Promise<Answer>;
	get(path: string, headers?: Record<string, string>): Promise<Answer>;
}

const bearer = { Authorization: 'Bearer t-1' };

async function agent(
	act: (job: MemoryJob) => unknown = (job) => job.enter('running').exit(0),
	settings: Partial<AgentConfig['deviceAgent']> = {},
	more: Partial<FaceParts> = {},
): Promise<Agent> {
	const jobs = new MemoryJobs(act);
	const keys = new TestKeys([tokenKey('t-1', 'one'), tokenKey('t-2', 'two'), botKey]);
	const served = await serveFace(deviceAgentFace, jobs, keys, { deviceAgent: { unsignedFrom: [], ...settings } }, more);
	closing.push(served.close);
	const post: Agent['post'] = (value, headers = bearer, path = '/capability') => {
		const body = typeof value === 'string' ? value : JSON.stringify(value);
		return ask(`${served.url}${path}`, { method: 'POST', headers, body });
	};
	const get: Agent['get'] = (path, headers = bearer) => ask(`${served.url}${path}`, { headers });
	return { ...served, jobs, keys, post, get };
}

const exec = (...args: string[]) => ({ request_id: 'r-1', capability: 'shell.exec', args });
const run = { stdout: '', stderr: '', exit_code: 0, truncated: false, duration_ms: 0, encoding: 'utf8-lossy' };
const of = ({ status, json }: Answer) => [status, json];
const words = ({ status, json }: Answer) => [status, (json as { error?: string }).error ?? 'ok'];

describe('the routes that need no command', () => {
	it('GET /health tells the original’s three facts to everybody', async () => {
		const { get } = await agent();
		const { status, text } = await get('/health', {});
		expect([status, text]).toEqual([200, '{"ok":true,"device_id":"device-1","version":"0.0.0"}']);
	});

	it('GET /capabilities lists what the policy has for this protocol, to those who prove who they are', async () => {
		const capabilities = () => [
			{ name: 'shell.exec', requiresApproval: false },
			{ name: 'shell.exec.admin', requiresApproval: true },
			{ name: 'shell.run.agent3', requiresApproval: false },
		];
		const { get } = await agent(undefined, {}, { capabilities, programs: (name) => [`program-of-${name}`] });
		expect(of(await get('/capabilities'))).toEqual([
			200,
			{
				...{ ok: true, device_id: 'device-1', version: '0.0.0' },
				capabilities: [
					{ name: 'shell.exec', binaries_allowed: ['program-of-shell.exec'], requires_approval: false },
					{ name: 'shell.exec.admin', binaries_allowed: ['program-of-shell.exec.admin'], requires_approval: true },
				],
			},
		]);
		expect(words(await get('/capabilities', {}))).toEqual([401, 'bad_signature']);
	});

	it.each([
		['GET', '/', 404],
		['GET', '/capability', 405],
		['PUT', '/capability', 405],
		['POST', '/health', 405],
		['DELETE', '/capability/r-1', 405],
	])('%s %s answers %i in JSON', async (method, path, status) => {
		const { url } = await agent();
		const answer = await ask(`${url}${path}`, { method, headers: bearer });
		expect(words(answer)).toEqual([status, 'invalid_request']);
	});
});

describe('POST /capability', () => {
	it('runs the arguments of shell.exec as they are, and answers when the command has ended', async () => {
		const { post, jobs } = await agent((job) =>
			job
				.enter('running')
				.print('stdout', 'out\n')
				.print('stderr', Buffer.from([0x65, 0xff]))
				.exit(3),
		);
		expect(of(await post({ ...exec('ls', '-la', 'a b'), cwd: '/repo' }))).toEqual([
			200,
			{
				...{ ok: true, request_id: 'r-1', audit_hash: null },
				result: { ...run, stdout: 'out\n', stderr: 'e\ufffd', exit_code: 3 },
			},
		]);
		expect(jobs.jobs[0]?.submission).toEqual({
			...{ face: 'device', clientId: 'r-1', freshness: undefined },
			draft: {
				...{ capability: 'shell.exec', command: { mode: 'argv', argv: ['ls', '-la', 'a b'] }, env: {}, labels: {} },
				cwd: '/repo',
			},
			compat: { argsHash: createHash('sha256').update('["ls","-la","a b"]').digest('hex') },
		});
		expect(jobs.jobs[0]?.principal).toEqual({
			...{ name: 'one', roles: ['executor'], capabilities: ['*'], keyId: 'key-one', peer: '127.0.0.1' },
		});
	});

	it.each([
		[['{"cmd":"git status","cwd":"/repo"}'], { script: 'git status', shell: 'auto' }, '/repo'],
		[['git status', '/repo', 'bash'], { script: 'git status', shell: 'bash' }, '/repo'],
		[['git status', '', 'sh'], { script: 'git status', shell: 'sh' }, undefined],
		[['dir', '', 'powershell.exe'], { script: 'dir', shell: 'powershell' }, undefined],
	])('runs shell.eval with the arguments %j', async (args, command, cwd) => {
		const { post, jobs } = await agent();
		await post({ request_id: 'r-1', capability: 'shell.eval', args });
		const { draft } = jobs.jobs[0]?.submission ?? {};
		expect([draft?.command, draft?.cwd]).toEqual([{ mode: 'script', ...command }, cwd]);
	});

	const container = (kind: string, ...args: string[]) => ({
		request_id: 'r-1',
		capability: `docker.container.${kind}`,
		args,
	});
	const listed = { ID: 'a1', Names: 'web', Image: 'nginx:1', State: 'running', Status: 'Up 2 hours', Ports: '' };

	it('lists containers', async () => {
		const { post, jobs } = await agent((job) =>
			job
				.enter('running')
				.print('stdout', `${JSON.stringify(listed)}\n${JSON.stringify({ ...listed, ID: 'b2' })}\n`)
				.exit(0),
		);
		const { json } = await post(container('list', '--all'));
		const one = { id: 'a1', name: 'web', image: 'nginx:1', state: 'running', status: 'Up 2 hours' };
		expect((json as { result: object }).result).toEqual([one, { ...one, id: 'b2' }]);
		const { draft } = jobs.jobs[0]?.submission ?? {};
		expect([draft?.command, draft?.container]).toEqual([
			{ mode: 'argv', argv: ['docker', 'ps', '--no-trunc', '--format', '{{json .}}', '--all'] },
			undefined,
		]);
	});

	it('says with 501 that there are no containers to be had', async () => {
		const { post } = await agent((job) => job.enter('running').print('stderr', 'docker: not found\n').exit(127));
		const answer = await post(container('list'));
		expect([...words(answer), (answer.json as { result: object }).result]).toEqual([
			...[501, 'internal'],
			{ ...run, exit_code: 127, stderr: 'docker: not found\n' },
		]);
	});

	it.each([
		[['web'], '200'],
		[['web', '5'], '5'],
	])('shows the logs of the container and as many lines as %j asks for', async (args, lines) => {
		const { post, jobs } = await agent((job) => job.enter('running').print('stdout', 'o').print('stderr', 'e').exit(0));
		const { json } = await post(container('logs', ...args));
		expect((json as { result: object }).result).toEqual({
			...{ stdout: 'o', stderr: 'e', truncated: false, encoding: 'utf8-lossy' },
		});
		const { draft } = jobs.jobs[0]?.submission ?? {};
		expect([draft?.command, draft?.container]).toEqual([
			{ mode: 'argv', argv: ['docker', 'logs', '--tail', lines, 'web'] },
			'web',
		]);
	});

	it('tells logs that could not be had as the command that failed', async () => {
		const { post } = await agent((job) => job.enter('running').print('stderr', 'No such container: web\n').exit(1));
		const answer = await post(container('logs', 'web'));
		expect((answer.json as { result: object }).result).toEqual({
			...{ ...run, exit_code: 1, stderr: 'No such container: web\n' },
		});
	});

	it('runs a command in a container', async () => {
		const { post, jobs } = await agent();
		expect(words(await post(container('exec', 'web', 'ls', '-la')))).toEqual([200, 'ok']);
		const { draft } = jobs.jobs[0]?.submission ?? {};
		expect([draft?.command, draft?.container]).toEqual([{ mode: 'argv', argv: ['ls', '-la'] }, 'web']);
	});

	it('asks the policy for the capability with its label', async () => {
		const { post, jobs } = await agent();
		await post({ ...exec('systemctl', 'status'), capability: 'shell.exec.admin' });
		expect(jobs.jobs[0]?.submission.draft.capability).toBe('shell.exec.admin');
	});

	const read = (...args: string[]) => ({ request_id: 'r-1', capability: 'fs.read', args });
	const content = 'a'.repeat(8) + '\u00e9'.repeat(4);

	it.each([
		[['/etc/x'], { stdout: content, offset: 0, next_offset: 16, eof: true, truncated: false }],
		[['/etc/x', '4'], { stdout: content.slice(4), offset: 4, next_offset: 16, eof: true, truncated: false }],
		[['/etc/x', '0', '8'], { stdout: 'aaaaaaaa', offset: 0, next_offset: 8, eof: false, truncated: true }],
		[['/etc/x', '8', '8'], { stdout: 'éééé', offset: 8, next_offset: 16, eof: true, truncated: false }],
		[['/etc/x', '99'], { stdout: '', offset: 99, next_offset: 99, eof: true, truncated: false }],
	])('reads the bytes of a file that %j asks for', async (args, page) => {
		const { post, jobs } = await agent((job) => job.enter('running').print('stdout', content).exit(0));
		const { json } = await post(read(...args));
		expect((json as { result: object }).result).toEqual({ ...run, ...page });
		const { draft } = jobs.jobs[0]?.submission ?? {};
		expect(draft?.command).toEqual({ mode: 'argv', argv: ['cat', '--', '/etc/x'] });
	});

	it('reads no more of a file than is asked for', async () => {
		const { post, jobs } = await agent((job) =>
			job.enter('running').print('stdout', 'a'.repeat(14)).end({ status: 'output_exceeded', signal: 'SIGKILL' }),
		);
		const { json } = await post(read('/var/log/big', '3', '10'));
		expect(json).toMatchObject({
			...{ ok: true, result: { stdout: 'a'.repeat(10), exit_code: 0, offset: 3, next_offset: 13, eof: false } },
		});
		expect(jobs.jobs[0]?.submission.draft.outputBytes).toBe(14 + 4096);
	});

	it.each([
		[exec(), 400, 'invalid_request'],
		[{ ...exec('ls'), args: 'ls' }, 400, 'invalid_request'],
		[{ ...exec('ls'), ts: 'now' }, 400, 'invalid_request'],
		[{ request_id: 'r-1', capability: 'shell.eval', args: ['{"cmd":"id"'] }, 400, 'invalid_request'],
		['{', 400, 'invalid_request'],
		[{ request_id: 'r-1', capability: 'shell.eval', args: ['id', '', 'zsh'] }, 400, 'invalid_request'],
		[{ request_id: 'r-1', capability: 'shell.eval', args: ['id', '/a'], cwd: '/b' }, 400, 'invalid_request'],
		[{ ...exec('ls'), device_id: 'device-2' }, 400, 'invalid_request'],
		[{ ...exec('ls'), capability: 'fs.write' }, 404, 'unknown_capability'],
		[{ ...exec('ls'), capability: 'shell.execute' }, 404, 'unknown_capability'],
	])('answers %j with %i %s, and nothing is handed in', async (body, status, error) => {
		const { post, jobs } = await agent();
		expect([...words(await post(body)), jobs.jobs]).toEqual([status, error, []]);
	});

	it.each([
		[{ ...exec('ls'), capability: 'fs.write' }, 'fs.write', 'unknown_capability'],
		[exec(), 'shell.exec', 'invalid_request'],
		[{ ...exec('ls'), request_id: 'r-0' }, 'shell.exec', 'nonce_reused'],
	])('puts what was no job on record: %j', async (body, capability, code) => {
		const recorded: unknown[] = [];
		const recordRefusal: FaceParts['recordRefusal'] = async ({ name }, refused) => {
			recorded.push({ name, ...refused });
			return 'a'.repeat(64);
		};
		const { post } = await agent(undefined, {}, { recordRefusal });
		await post({ ...exec('ls'), request_id: 'r-0' });
		const { json } = await post(body);
		const argsHash = createHash('sha256').update(JSON.stringify(body.args)).digest('hex');
		expect([json, recorded]).toEqual([
			expect.objectContaining({ error: code, audit_hash: 'a'.repeat(64) }),
			[{ name: 'one', face: 'device', requestId: body.request_id, capability, argsHash, code }],
		]);
	});

	it('takes what the protocol does not know for nothing', async () => {
		const { post, jobs } = await agent();
		expect(words(await post({ ...exec('ls'), timeout: 5 }))).toEqual([200, 'ok']);
		expect(jobs.jobs[0]?.submission.draft).toEqual({
			...{ capability: 'shell.exec', command: { mode: 'argv', argv: ['ls'] }, env: {}, labels: {} },
		});
	});

	it('tells what is wrong with a request, with its id', async () => {
		const { post } = await agent();
		expect((await post({ ...exec('ls'), cwd: 1 })).json).toEqual({
			...{ ok: false, error: 'invalid_request', message: expect.stringContaining('cwd') },
			...{ request_id: 'r-1', audit_hash: null },
		});
	});

	it.each([
		['REQUEST_REPLAYED', 409, 'nonce_reused'],
		['RATE_LIMITED', 429, 'overloaded'],
		['QUEUE_FULL', 429, 'overloaded'],
		['AGENT_STOPPING', 503, 'overloaded'],
		['AUTH_FORBIDDEN', 403, 'denied'],
		['AUDIT_BROKEN', 500, 'internal'],
	] as [ErrorCode, number, string][])('answers %s with %i %s', async (code, status, error) => {
		const served = await agent();
		served.jobs.submit = async () => {
			throw new KnownError(code, { details: 'd', seconds: 5, waiting: 100 });
		};
		const answer = await served.post(exec('ls'));
		expect(words(answer)).toEqual([status, error]);
		expect(answer.headers['retry-after']).toBe(error === 'overloaded' ? '5' : undefined);
	});

	it('answers a failure of its own with an id and no word of what it was', async () => {
		const served = await agent();
		served.jobs.submit = async () => {
			throw new Error('/secret/path');
		};
		const { status, text } = await served.post(exec('ls'));
		expect([status, text.includes('secret'), text.includes('"error":"internal"')]).toEqual([500, false, true]);
	});

	it('refuses a request that is too long', async () => {
		const { post } = await agent();
		expect(words(await post(exec('a'.repeat(300_000))))).toEqual([413, 'invalid_request']);
	});
});

describe('who may send to device_agent', () => {
	const nonce = () => randomBytes(16).toString('base64url');
	const envelope = (more: object = {}) => ({ ...exec('ls'), ts: Date.now(), nonce: nonce(), ...more });
	const signed = (value: object | string, key = privateKey, key_id = 'bot-1') => {
		const payload = typeof value === 'string' ? value : JSON.stringify(value);
		return { payload, key_id, sig: sign(null, Buffer.from(payload), key).toString('base64url') };
	};
	const ok = [200, 'ok'];
	const unknown = [401, 'bad_signature'];

	it.each([
		['a bearer token', { Authorization: 'Bearer t-1' }, ok],
		['a bearer token in other letters', { authorization: 'bearer t-1' }, ok],
		['a token header', { 'X-Auth-Token': 't-1' }, ok],
		['a wrong bearer token', { Authorization: 'Bearer t-0' }, unknown],
		['a wrong token header beside a right bearer token', { 'X-Auth-Token': 't-0', ...bearer }, unknown],
		['an empty token', { Authorization: 'Bearer ' }, unknown],
		['another scheme', { Authorization: 'Basic dDox' }, unknown],
		['nothing', {}, unknown],
	])('with %s', async (_, headers, expected) => {
		const { post } = await agent();
		expect(words(await post(exec('ls'), headers as Record<string, string>))).toEqual(expected);
	});

	it.each([
		['signed by a known key', signed(envelope()), ok],
		['signed for this device', signed(envelope({ device_id: 'device-1' })), ok],
		['signed for another device', signed(envelope({ device_id: 'device-2' })), unknown],
		['signed by a stranger', signed(envelope(), stranger.privateKey), unknown],
		['signed with an unknown id', signed(envelope(), privateKey, 'bot-2'), unknown],
		['signed over other bytes', { ...signed(envelope()), payload: JSON.stringify(envelope()) }, unknown],
		['with a signature that is none', { ...signed(envelope()), sig: 'AA' }, unknown],
		['plain with a signature beside it', { ...envelope(), key_id: 'bot-1', sig: 'A'.repeat(86) }, unknown],
		['signed, and nothing that fits', signed('{"x":1}'), [400, 'invalid_request']],
		['signed, with a member that is not known', signed({ ...envelope(), sudo: true }), [400, 'invalid_request']],
		[
			'signed, with one in its arguments',
			signed({ ...envelope(), capability: 'shell.eval', args: ['{"cmd":"id","env":{}}'] }),
			[400, 'invalid_request'],
		],
		['signed without a nonce', signed({ ...exec('ls'), ts: Date.now() }), [400, 'invalid_request']],
		['signed 4 minutes ago', signed(envelope({ ts: Date.now() - 240_000 })), ok],
		['signed 6 minutes ago', signed(envelope({ ts: Date.now() - 360_000 })), [401, 'stale']],
		['signed in 6 minutes', signed(envelope({ ts: Date.now() + 360_000 })), [401, 'stale']],
	])('a request that is %s', async (_, body, expected) => {
		const { post, jobs } = await agent();
		expect(words(await post(body, {}))).toEqual(expected);
		expect(jobs.jobs.length).toBe(expected === ok ? 1 : 0);
	});

	it('a plain request with a time is refused as too old, too', async () => {
		const { post } = await agent();
		expect(words(await post(envelope({ ts: Date.now() - 360_000 })))).toEqual([401, 'stale']);
	});

	it('answers strangers in the same words, whatever was wrong', async () => {
		const { post, keys } = await agent();
		const answers = [
			await post(exec('ls'), {}),
			await post('{', {}),
			await post(exec('ls'), { Authorization: 'Bearer nobody' }),
			await post(signed(envelope(), stranger.privateKey), {}),
			await post(signed(envelope(), privateKey, 'nobody'), {}),
			await post(signed(envelope({ device_id: 'device-2' })), {}),
			await post({ ...exec('ls'), sig: 'x' }, {}),
		];
		expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
		expect(keys.refusals).toEqual([
			...['device: no proof', 'device: no proof', 'device: token', 'device: signature', 'device: signature'],
			...['device: other device', 'device: signature'],
		]);
	});

	it('hands the nonce on until the request is too old anyway, the id for ever', async () => {
		const { post, jobs } = await agent();
		const sent = envelope();
		await post(signed(sent), {});
		expect(jobs.jobs[0]?.submission).toMatchObject({
			...{ clientId: 'r-1', freshness: { nonce: sent.nonce, expiresAt: sent.ts + 600_000 } },
		});
	});

	it('takes an id once from each principal', async () => {
		const { post } = await agent();
		expect([
			words(await post(exec('ls'))),
			words(await post(exec('ls'))),
			words(await post(exec('id'))),
			words(await post(exec('ls'), { 'X-Auth-Token': 't-2' })),
		]).toEqual([ok, [409, 'nonce_reused'], [409, 'nonce_reused'], ok]);
	});

	it('takes anything from the network of the configuration, but no proof that does not hold', async () => {
		const { post, jobs } = await agent(undefined, { unsignedFrom: ['10.42.0.0/24', '127.0.0.0/8'] });
		expect([
			words(await post(exec('ls'), {})),
			words(await post(exec('ls'), { Authorization: 'Bearer nobody' })),
			words(await post(signed(envelope(), stranger.privateKey), {})),
		]).toEqual([ok, unknown, unknown]);
		expect(jobs.jobs[0]?.principal).toEqual({
			...{ name: 'mesh:127.0.0.1', roles: ['executor'], capabilities: ['*'], keyId: null, peer: '127.0.0.1' },
		});
	});

	it('takes nothing from other networks', async () => {
		const { post } = await agent(undefined, { unsignedFrom: ['10.42.0.0/24'] });
		expect(words(await post(exec('ls'), {}))).toEqual(unknown);
	});
});

describe('a request that people must approve', () => {
	it('is answered at once, and its result is fetched by its id', async () => {
		const { post, get, jobs } = await agent((job) => job.ask('apr-1'));
		const first = await post(exec('apt-get', 'update'));
		expect(of(first)).toEqual([
			202,
			{
				...{ ok: false, error: 'approval_required', message: expect.stringContaining('apr-1') },
				...{ request_id: 'r-1', approval_id: 'apr-1', audit_hash: null },
			},
		]);
		const waiting = await get('/capability/r-1');
		jobs.jobs[0]?.enter('queued').enter('running');
		const running = await get('/capability/r-1');
		jobs.jobs[0]?.print('stdout', 'done\n').exit(0);
		const over = await get('/capability/r-1');
		expect([words(waiting), words(running), words(over)]).toEqual([
			[202, 'approval_required'],
			[202, 'running'],
			[200, 'ok'],
		]);
		expect((over.json as { result: object }).result).toEqual({ ...run, stdout: 'done\n' });
	});

	it('is read in pieces when it reads a file', async () => {
		const { post, get, jobs } = await agent((job) => job.ask('apr-1'));
		await post({ request_id: 'r-1', capability: 'fs.read', args: ['/etc/x', '2', '4'] });
		jobs.jobs[0]?.enter('running').print('stdout', 'abcdefgh').exit(0);
		expect((await get('/capability/r-1?offset=2&limit=4')).json).toMatchObject({
			result: { stdout: 'cdef', offset: 2, next_offset: 6, eof: false },
		});
		expect((await get('/capability/r-1?offset=-1&limit=x')).json).toMatchObject({ result: { stdout: 'abcdefgh' } });
	});

	it('belongs to who sent it', async () => {
		const { post, get } = await agent();
		await post(exec('ls'));
		expect([
			words(await get('/capability/r-1')),
			words(await get('/capability/r-1', { 'X-Auth-Token': 't-2' })),
			words(await get('/capability/r-1', {})),
			words(await get('/capability/r-2')),
		]).toEqual([
			[200, 'ok'],
			[404, 'unknown_request'],
			[401, 'bad_signature'],
			[404, 'unknown_request'],
		]);
	});

	it('with an id of a chat is fetched by it, too', async () => {
		const { post, get } = await agent();
		const id = '$143273582443PhrSn:example.org/x%';
		await post({ ...exec('ls'), request_id: id });
		expect(words(await get(`/capability/${encodeURIComponent(id)}`))).toEqual([200, 'ok']);
	});

	const proof = (path: string, method = 'GET', at = Math.floor(Date.now() / 1000), key = privateKey) => ({
		Authorization: `Ed25519 bot-1:${at}:${sign(null, Buffer.from(`${method} ${path}\nbot-1\n${at}`), key).toString('base64url')}`,
	});

	it('may be fetched with a signature, where no token is there', async () => {
		const { post, get } = await agent();
		const payload = JSON.stringify({ ...exec('ls'), ts: Date.now(), nonce: 'n'.repeat(22) });
		await post(
			{ payload, key_id: 'bot-1', sig: sign(null, Buffer.from(payload), privateKey).toString('base64url') },
			{},
		);
		const path = '/capability/r-1';
		expect([
			words(await get(path, proof(path))),
			words(await get(path, proof('/capability/r-2'))),
			words(await get(path, proof(path, 'POST'))),
			words(await get(path, proof(path, 'GET', Math.floor(Date.now() / 1000) - 301))),
			words(await get(path, proof(path, 'GET', undefined, stranger.privateKey))),
		]).toEqual([[200, 'ok'], ...Array(4).fill([401, 'bad_signature'])]);
	});

	it('can be cancelled, and then was', async () => {
		const { post, get } = await agent((job) => job.ask('apr-1'));
		await post(exec('apt-get', 'update'));
		const foreign = await post({}, { 'X-Auth-Token': 't-2' }, '/capability/r-1/cancel');
		const cancelled = await post({}, bearer, '/capability/r-1/cancel');
		expect([words(foreign), words(cancelled), words(await get('/capability/r-1'))]).toEqual([
			[404, 'unknown_request'],
			[200, 'cancelled'],
			[200, 'cancelled'],
		]);
	});

	it('runs when it may while its sender waits no longer', async () => {
		const { post, get, jobs } = await agent((job) => job.enter('running'));
		jobs.shorten = () => 50;
		expect(words(await post(exec('sleep', '9')))).toEqual([202, 'running']);
		jobs.jobs[0]?.exit(0);
		await sleep(10);
		expect(words(await get('/capability/r-1'))).toEqual([200, 'ok']);
		expect(jobs.waits).toEqual([330_000]);
	});
});

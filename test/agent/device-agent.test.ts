/** device_agent against a real agent, played by plain clients that share no code with it. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';
import { type Answer, ask } from '../helpers/plain-client.ts';

const bot = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const folder = mkdtempSync(join(tmpdir(), 'secure-code-files-'));
const queue = 'local_files/approval_queue.jsonl';

function policy(): string {
	const read = parse(openPolicy());
	const { capabilities, profiles } = read;
	profiles.default.mounts.push({ path: folder });
	const listed = { profile: 'default', accepts: ['argv'], absolutePrograms: 'listed' };
	capabilities['shell.exec'] = { ...listed, programs: ['ls', 'cat', 'echo'] };
	capabilities['shell.exec.admin'] = { ...capabilities['shell.exec'], requiresApproval: true };
	capabilities['shell.eval'].timeoutMs = 2000;
	capabilities['shell.eval'].maxOutputBytes = 1_048_576;
	capabilities['fs.read'] = { profile: 'default', accepts: ['argv'], programs: ['cat'] };
	const paths = { read: ['/usr', '/etc', folder], hide: ['/etc/shadow*'] };
	// Written out: a policy has no YAML aliases.
	return stringify(JSON.parse(JSON.stringify({ ...read, paths, shipped: ['files', 'text', 'shell', 'system'] })));
}

let agent: TestAgent;
beforeAll(async () => {
	chmodSync(folder, 0o755);
	writeFileSync(join(folder, 'long'), 'é'.repeat(1000));
	agent = await TestAgent.create({
		policy: policy(),
		init: ['--faces', 'device', '--device-id', 'home-wsl'],
		config: (config) => Object.assign(config, { approvals: { mirrorFile: queue } }),
	});
	mkdirSync(join(agent.dir, 'local_files'), { mode: 0o700 });
	const keyFile = join(folder, 'bot.pem');
	writeFileSync(keyFile, bot.publicKey.export({ type: 'spki', format: 'pem' }));
	const add = ['agent', 'keys', 'add', 'device', '--dir', agent.dir, '--kind', 'ed25519', '--public-key', keyFile];
	secureCode([...add, '--id', 'bot-1', '--principal', 'bot']);
	await agent.serve();
});
afterAll(async () => {
	await agent.remove();
	rmSync(folder, { recursive: true });
});

const bearer = () => ({ Authorization: `Bearer ${agent.faces.device.token}` });
const post = (value: unknown, headers: Record<string, string> = bearer()): Promise<Answer> => {
	const body = typeof value === 'string' ? value : JSON.stringify(value);
	return ask(`${agent.faces.device.url}/capability`, { method: 'POST', headers, body });
};
const get = (path: string, headers: Record<string, string> = bearer()): Promise<Answer> =>
	ask(`${agent.faces.device.url}${path}`, { headers });

interface Told {
	readonly ok: boolean;
	readonly error?: string;
	readonly message?: string;
	readonly approval_id?: string;
	readonly audit_hash: string | null;
	readonly result?: Record<string, unknown>;
}
const told = ({ json }: Answer): Told => json as Told;
const words = (answer: Answer) => [answer.status, told(answer).error ?? 'ok'];
const request = (capability: string, ...args: string[]) => ({ request_id: `r-${randomUUID()}`, capability, args });
const evaluate = (cmd: string, more: object = {}) => request('shell.eval', JSON.stringify({ cmd, ...more }));
const signed = (value: object, key: KeyObject = bot.privateKey, key_id = 'bot-1') => {
	const payload = JSON.stringify({ ts: Date.now(), nonce: randomBytes(16).toString('base64url'), ...value });
	return { payload, key_id, sig: sign(null, Buffer.from(payload), key).toString('base64url') };
};
const ok = { stderr: '', exit_code: 0, truncated: false, duration_ms: expect.any(Number), encoding: 'utf8-lossy' };

describe('a capability of device_agent', () => {
	it('shell.exec runs its arguments as they are, without a shell', async () => {
		const sent = request('shell.exec', 'echo', '$(id)', '; ls');
		const answer = await post(sent);
		expect([answer.status, answer.json]).toEqual([
			200,
			{
				...{ ok: true, request_id: sent.request_id, audit_hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
				result: { ...ok, stdout: '$(id) ; ls\n' },
			},
		]);
	});

	it.each([
		[['{"cmd":"echo $0; pwd","cwd":"/usr"}'], { stdout: '/usr\n', shell: 'bash', cwd: '/usr' }],
		[['pwd', '/usr', 'sh'], { stdout: '/usr\n', shell: 'sh', cwd: '/usr' }],
		[['echo out; echo err >&2; exit 4'], { stdout: 'out\n', stderr: 'err\n', exit_code: 4, shell: 'bash', cwd: '' }],
		[['kill -KILL $$'], { exit_code: 137 }],
		[["printf '\\377'"], { stdout: '\ufffd', encoding: 'utf8-lossy' }],
	])('shell.eval takes %j', async (args, result) => {
		const answer = await post({ ...request('shell.eval'), args });
		expect(words(answer)).toEqual([200, 'ok']);
		const { stdout = '', ...rest } = result as { stdout?: string };
		expect(told(answer).result).toMatchObject(rest);
		expect(told(answer).result?.stdout).toContain(stdout);
	});

	it('shell.eval is ended at its time, with what it printed until then', async () => {
		const answer = await post(evaluate('echo before; sleep 30'));
		expect([words(answer), told(answer).result]).toMatchObject([
			[200, 'timeout'],
			{ stdout: 'before\n', exit_code: 124 },
		]);
	});

	it.each([0, 5])(
		'shell.eval goes on at its cap to its own end with %i, and says that output is missing',
		async (code) => {
			const { result } = told(await post(evaluate(`seq 1 300000; exit ${code}`)));
			const all = Array.from({ length: 300_000 }, (_, at) => `${at + 1}\n`).join('');
			expect(result).toMatchObject({ exit_code: code, truncated: true, stderr: '' });
			expect(result?.stdout === all.slice(0, 1_048_576)).toBe(true);
		},
	);

	it('fs.read reads a file, whole or in pieces', async () => {
		const read = async (...args: string[]) =>
			told(await post(request('fs.read', join(folder, 'long'), ...args))).result;
		expect([await read(), await read('10', '7'), await read('1990', '100')]).toMatchObject([
			{ stdout: 'é'.repeat(1000), offset: 0, next_offset: 2000, eof: true, truncated: false },
			{ stdout: 'ééé', offset: 10, next_offset: 16, eof: false, truncated: true, exit_code: 0 },
			{ stdout: 'é'.repeat(5), offset: 1990, next_offset: 2000, eof: true },
		]);
		const absent = told(await post(request('fs.read', join(folder, 'absent'), '0', '4'))).result;
		expect(absent).toMatchObject({ stdout: '', exit_code: 1, stderr: expect.stringContaining('No such file') });
	});

	it.each([
		['a program that is not allowed', request('shell.exec', 'id'), [403, 'binary_not_allowed']],
		[
			'a program by its path, which is not listed so',
			request('shell.exec', '/usr/bin/ls'),
			[403, 'binary_not_allowed'],
		],
		['a capability that the policy does not have', request('shell.exec.root', 'ls'), [403, 'denied']],
		['a path that is not open', request('fs.read', '/root/.bashrc'), [403, 'denied']],
		['a hidden path', request('fs.read', '/etc/shadow'), [403, 'denied']],
		['a path that leaves its folder', request('fs.read', '/usr/../root/x'), [403, 'denied']],
		['an unknown capability', request('fs.write', '/tmp/x'), [404, 'unknown_capability']],
		['no arguments', request('shell.exec'), [400, 'invalid_request']],
	])('%s is refused', async (_, sent, expected) => {
		const answer = await post(sent);
		expect(words(answer)).toEqual(expected);
		expect(answer.json).toMatchObject({ ok: false, request_id: sent.request_id, message: expect.any(String) });
	});

	it('of the machine itself is told in the manifest’s words', async () => {
		expect((await get('/health', {})).json).toEqual({ ok: true, device_id: 'home-wsl', version: expect.any(String) });
		const { capabilities } = (await get('/capabilities')).json as { capabilities: object[] };
		expect(capabilities).toContainEqual({
			...{ name: 'shell.exec.admin', binaries_allowed: ['ls', 'cat', 'echo'], requires_approval: true },
		});
		expect(words(await get('/capabilities', {}))).toEqual([401, 'bad_signature']);
	});
});

describe('who may send to device_agent', () => {
	it('holders of the token, in either header, and of a key', async () => {
		const { token } = agent.faces.device;
		expect([
			words(await post(request('shell.exec', 'ls', '/usr'))),
			words(await post(request('shell.exec', 'ls', '/usr'), { 'X-Auth-Token': token })),
			words(await post(signed(request('shell.exec', 'ls', '/usr')), {})),
			words(await post(signed({ ...request('shell.exec', 'ls', '/usr'), device_id: 'home-wsl' }), {})),
		]).toEqual(Array(4).fill([200, 'ok']));
	});

	it('and nobody else, in the same words for everybody', async () => {
		const body = request('shell.exec', 'ls');
		const answers = [
			await post(body, {}),
			await post(body, { Authorization: 'Bearer nobody' }),
			await post('{', {}),
			await post(signed(body, stranger.privateKey), {}),
			await post(signed(body, bot.privateKey, 'bot-2'), {}),
			await post(signed({ ...body, device_id: 'other' }), {}),
			await post({ ...signed(body), payload: JSON.stringify(body) }, {}),
			await post({ ...body, key_id: 'bot-1', sig: 'A'.repeat(86) }, {}),
		];
		expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
		expect(words(answers[0] as Answer)).toEqual([401, 'bad_signature']);
	});

	it('once: an id, a nonce, and no request that is too old', async () => {
		const sent = signed(request('shell.exec', 'ls', '/usr'));
		const nonce = JSON.parse(sent.payload).nonce;
		const plain = request('shell.exec', 'ls', '/usr');
		expect([
			words(await post(sent, {})),
			words(await post(sent, {})),
			words(await post(signed({ ...request('shell.exec', 'ls'), nonce }), {})),
			words(await post(signed({ ...request('shell.exec', 'ls'), ts: Date.now() - 301_000 }), {})),
			words(await post(plain)),
			words(await post(plain)),
		]).toEqual([
			...[
				[200, 'ok'],
				[409, 'nonce_reused'],
				[409, 'nonce_reused'],
				[401, 'stale'],
			],
			...[
				[200, 'ok'],
				[409, 'nonce_reused'],
			],
		]);
	});

	it('once, also after a restart', async () => {
		const sent = signed(request('shell.exec', 'ls', '/usr'));
		await post(sent, {});
		await agent.end();
		await agent.serve();
		expect(words(await post(sent, {}))).toEqual([409, 'nonce_reused']);
	});
});

describe('a request that people must approve', () => {
	const cli = (...args: string[]) => secureCode(['agent', 'approvals', ...args, '--dir', agent.dir, '--json']);
	const mirrored = (): Record<string, unknown>[] =>
		readFileSync(join(agent.dir, queue), 'utf8')
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line));

	async function over(id: string): Promise<Answer> {
		for (;;) {
			const answer = await get(`/capability/${id}`);
			if (answer.status !== 202) return answer;
			await sleep(50);
		}
	}

	it('is answered at once, lies in the queue, runs once it is approved, and is fetched by its id', async () => {
		const sent = request('shell.exec.admin', 'ls', '/usr/bin/env');
		const asked = await post(sent);
		expect([asked.status, asked.json]).toEqual([
			202,
			{
				...{ ok: false, error: 'approval_required', message: expect.any(String), request_id: sent.request_id },
				...{ approval_id: expect.stringMatching(/^apr-/), audit_hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
			},
		]);
		expect(mirrored().at(-1)).toEqual({
			...{ ts: expect.any(String), request_id: sent.request_id, cmd: 'ls /usr/bin/env', cwd: '' },
			...{ capability: 'shell.exec.admin', status: 'pending', approval_id: told(asked).approval_id },
		});
		expect(words(await get(`/capability/${sent.request_id}`))).toEqual([202, 'approval_required']);
		expect(words(await post(sent))).toEqual([409, 'nonce_reused']);
		cli('approve', told(asked).approval_id ?? '');
		expect(told(await over(sent.request_id)).result).toEqual({ ...ok, stdout: '/usr/bin/env\n' });
		expect(mirrored().at(-1)).toMatchObject({ request_id: sent.request_id, status: 'approved' });
	});

	it('never runs when it is denied', async () => {
		const sent = request('shell.exec.admin', 'ls');
		const asked = await post(sent);
		cli('deny', told(asked).approval_id ?? '', '--reason', 'not today');
		const answer = await over(sent.request_id);
		expect([words(answer), told(answer).message]).toEqual([[403, 'denied'], expect.stringContaining('not today')]);
	});

	it('is withdrawn by its sender, and belongs to nobody else', async () => {
		const sent = request('shell.exec.admin', 'ls');
		await post(sent);
		const path = `/capability/${sent.request_id}`;
		const at = Math.floor(Date.now() / 1000);
		const sig = sign(null, Buffer.from(`GET ${path}\nbot-1\n${at}`), bot.privateKey).toString('base64url');
		expect(words(await get(path, { Authorization: `Ed25519 bot-1:${at}:${sig}` }))).toEqual([404, 'unknown_request']);
		const url = `${agent.faces.device.url}${path}/cancel`;
		expect(words(await ask(url, { method: 'POST', headers: bearer() }))).toEqual([200, 'cancelled']);
		expect(words(await get(path))).toEqual([200, 'cancelled']);
	});
});

describe('the records of device_agent', () => {
	const rows = (query: string, ...values: string[]) => {
		const database = new DatabaseSync(join(agent.dir, 'state', 'agent.db'), { readOnly: true });
		try {
			return database.prepare(query).all(...values);
		} finally {
			database.close();
		}
	};

	it('hold the hash of the arguments, in the table of the original and in its chain', async () => {
		const sent = request('shell.exec', 'ls', '/usr');
		const { audit_hash } = told(await post(sent));
		const hash = createHash('sha256').update(JSON.stringify(sent.args)).digest('hex');
		const found = rows('SELECT * FROM audit_log WHERE request_id = ? ORDER BY id', sent.request_id);
		const last = found.at(-1) as Record<string, unknown>;
		expect(last).toMatchObject({
			request_id: sent.request_id,
			capability: 'shell.exec',
			args_hash: hash,
			exit_code: 0,
		});
		const { ts, request_id, capability, args_hash, exit_code, prev_hash } = last;
		const link = JSON.stringify({ ts, request_id, capability, args_hash, exit_code, prev_hash });
		expect(last.this_hash).toBe(createHash('sha256').update(link).digest('hex'));
		const exported = secureCode(['audit', 'export', '--dir', agent.dir]);
		expect(exported).toContain(String(audit_hash));
		expect(JSON.parse(secureCode(['audit', 'verify', '--dir', agent.dir, '--json']))).toMatchObject({
			status: 'intact',
		});
	});

	it('hold what was refused before it was a job', async () => {
		const sent = request('shell.exec', 'ls', '/usr');
		await post(sent);
		const unknown = request('fs.write', '/tmp/x');
		const refused = [await post(sent), await post(unknown)].map(told);
		const last = rows('SELECT request_id, capability, exit_code, this_hash FROM audit_log ORDER BY id DESC LIMIT 2');
		expect(last.reverse().map((row) => ({ ...row }))).toEqual([
			{
				...{ request_id: sent.request_id, capability: 'shell.exec' },
				exit_code: null,
				this_hash: refused[0]?.audit_hash,
			},
			{
				...{ request_id: unknown.request_id, capability: 'fs.write' },
				exit_code: null,
				this_hash: refused[1]?.audit_hash,
			},
		]);
		expect(JSON.parse(secureCode(['audit', 'verify', '--dir', agent.dir, '--json']))).toMatchObject({
			status: 'intact',
		});
	});

	it('hold the command of shell.eval as it was, and its output', async () => {
		const sent = evaluate('echo short; head -c 9000 /dev/zero | tr "\\0" x >&2', { cwd: '/usr' });
		await post(sent);
		const [row] = rows('SELECT * FROM audit_shell_eval ORDER BY rowid DESC LIMIT 1') as Record<string, string>[];
		expect(row).toMatchObject({ cmd: JSON.parse(sent.args[0] ?? '').cmd, cwd: '/usr' });
		const [kind, packed = ''] = row?.stderr_b64?.split(':') ?? [];
		expect([row?.stdout_b64, kind, gunzipSync(Buffer.from(packed, 'base64')).toString()]).toEqual([
			`plain:${Buffer.from('short\n').toString('base64')}`,
			'gz',
			'x'.repeat(9000),
		]);
	});
});

describe('hostile clients of device_agent', () => {
	it.each([
		['no JSON', '{"request_id":', 400],
		['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400],
		['a key twice', '{"request_id":"a","request_id":"b"}', 400],
		['a prototype', '{"__proto__":{"x":1}}', 400],
		['deep nesting', `${'{"args":'.repeat(5000)}1${'}'.repeat(5000)}`, 400],
		['half a character', JSON.stringify(request('shell.exec', 'ls', '\ud800')), 400],
		['a NUL', JSON.stringify(request('shell.exec', 'ls', 'a\0')), 400],
		['too much', 'x'.repeat(300_000), 413],
		['nothing', '', 400],
	])('a body that is %s', async (_, body, status) => {
		const url = `${agent.faces.device.url}/capability`;
		const answer = await ask(url, { method: 'POST', headers: bearer(), body });
		expect([answer.status, told(answer).ok]).toEqual([status, false]);
	});

	it('64 at once get their answers, and none of them is a failure of the agent', async () => {
		const answers = await Promise.all(
			Array.from({ length: 16 }, () => [
				...[post(request('shell.exec', 'ls', '/usr')), post('{'), post(request('shell.exec', 'ls'), {})],
				post(evaluate('exit 1')),
			]).flat(),
		);
		const statuses = answers.map(({ status }) => status).filter((status) => ![200, 400, 401, 429].includes(status));
		expect(statuses).toEqual([]);
	});

	it('slow and half-open ones hold up nobody', async () => {
		const { hostname, port } = new URL(agent.faces.device.url);
		const sockets = Array.from({ length: 40 }, (_, index) => {
			const socket = connect(Number(port), hostname).on('error', () => {});
			socket.write(`POST /capability HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n${index % 2 ? '\r\n{' : 'X-A: '}`);
			return socket;
		});
		expect((await get('/health')).status).toBe(200);
		for (const socket of sockets) socket.destroy();
	});
});

describe('a mesh', () => {
	it('needs no proof where the configuration says so', async () => {
		const mesh = await TestAgent.start({
			policy: policy(),
			init: ['--faces', 'device'],
			config: (config) => Object.assign(config, { deviceAgent: { unsignedFrom: ['127.0.0.2/32'] } }),
		});
		try {
			const url = `${mesh.faces.device.url}/capability`;
			const from = async (localAddress: string) =>
				words(
					await ask(url, { method: 'POST', localAddress, body: JSON.stringify(request('shell.exec', 'ls', '/usr')) }),
				);
			expect([await from('127.0.0.2'), await from('127.0.0.3')]).toEqual([
				[200, 'ok'],
				[401, 'bad_signature'],
			]);
		} finally {
			await mesh.remove();
		}
	});
});

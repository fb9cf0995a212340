/** The native protocol against a real agent, played by plain clients that share no code with it. */
import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import Ajv2020 from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandClient, HandKey, jobTyp, type Message, requestTyp } from '../helpers/native-client.ts';
import { askingPolicy, NativeDaemon, script } from '../helpers/native-daemon.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

let daemon: NativeDaemon;
let ann: HandClient;
beforeAll(async () => {
	daemon = await NativeDaemon.start(askingPolicy());
	ann = daemon.ann;
});
afterAll(() => daemon.agent.remove());

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(JSON.parse(readFileSync('docs/openapi.json', 'utf8')), 'document');

/** What the published document says about an answer. */
function faultsOf(name: string, value: unknown): unknown {
	const validate = ajv.getSchema(`document#/components/schemas/${name}`);
	if (!validate) throw new Error(`the document has no ${name}`);
	return validate(value) ? null : validate.errors;
}

const run = async (text: string, more: object = {}) =>
	(await ann.submit(script(text, more), {}, '/v2/jobs?wait=30000')).json;
const start = async (text: string, more: object = {}): Promise<string> =>
	(await ann.submit(script(text, more))).json.jobId;
const over = async (jobId: string) => (await ann.get(`/v2/jobs/${jobId}/wait?ms=30000`)).json;

async function all(client: HandClient, jobId: string, after = 0): Promise<Message['event'][]> {
	const events = [];
	for await (const { event } of client.events(jobId, after)) events.push(event);
	return events;
}

const textOf = (events: readonly Message['event'][], stream = 'stdout'): string =>
	Buffer.concat(
		events.filter((event) => event.stream === stream).map(({ base64 }) => Buffer.from(base64, 'base64')),
	).toString();

/** Processes of this host with a word in their command line. */
const processesWith = (word: string): string[] =>
	readdirSync('/proc').filter((name) => {
		try {
			return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0').includes(word);
		} catch {
			return false;
		}
	});

describe('with address, key and certificate alone', () => {
	it('a client learns which device it talks to, and what it may do there', async () => {
		const { url, ca } = daemon.agent.faces.native;
		const stranger = new HandClient({ url, ca, device: 'unknown yet' }, daemon.handKey);
		const health = await stranger.send('GET', '/v2/health', '', { authorization: undefined });
		expect([health.status, health.json.deviceId, faultsOf('Health', health.json)]).toEqual([200, 'web-1', null]);
		const capabilities = (await ann.get('/v2/capabilities')).json;
		expect([capabilities.you.roles, faultsOf('Capabilities', capabilities)]).toEqual([['executor'], null]);
		expect(capabilities.capabilities.map(({ name }: { name: string }) => name)).toContain('shell.run.asked');
	});

	it('the client of the page works as it stands', async () => {
		const folder = tempFolder();
		const [, sample = ''] =
			/### A whole client[\s\S]*?```js\n([\s\S]*?)```/.exec(readFileSync('docs/protocols.md', 'utf8')) ?? [];
		writeFileSync(join(folder, 'client.mjs'), sample);
		writeFileSync(join(folder, 'agent.json'), JSON.stringify({ faces: daemon.agent.faces }));
		const printed = await promisify(execFile)(process.execPath, ['client.mjs'], { cwd: folder });
		expect(printed).toEqual({ stdout: '202 succeeded Linux done\n', stderr: '' });
	});

	it('no other certificate is taken for that of the device', async () => {
		const { url } = daemon.agent.faces.native;
		const careless = new HandClient({ url, device: 'web-1' }, daemon.handKey);
		await expect(careless.get('/v2/health')).rejects.toThrow(/certificate/);
	});

	it('the page, the document and the figures are there', async () => {
		const bare = { authorization: undefined };
		const page = await ann.send('GET', '/', '', bare);
		expect([page.headers['content-type'], page.bytes.toString().includes('<!doctype html>')]).toEqual([
			...['text/html; charset=utf-8', true],
		]);
		expect((await ann.send('GET', '/v2/openapi.json', '', bare)).json).toEqual(
			JSON.parse(readFileSync('docs/openapi.json', 'utf8')),
		);
		expect((await ann.send('GET', '/metrics', '', bare)).bytes.toString()).toContain('rsagent_build_info');
	});
});

describe('a command', () => {
	it('runs in a jail and is answered with everything that is known of it', async () => {
		const job = await run('id -un; pwd; echo oops >&2; exit 3', { labels: { workflow: 'w-7' } });
		expect(faultsOf('Job', job)).toBe(null);
		expect([job.state, job.result.status, job.result.exitCode, job.result.stdout, job.result.stderr]).toEqual([
			...['ended', 'failed', 3, 'device\n/work\n', 'oops\n'],
		]);
		expect([job.isConfirmedDead, job.labels, job.principal, job.deviceId, job.auditHash]).toEqual([
			...[true, { workflow: 'w-7' }, 'native-1', 'web-1', expect.stringMatching(/^[0-9a-f]{64}$/)],
		]);
		expect((await ann.get(`/v2/jobs/${job.jobId}`)).json).toEqual(job);
	});

	it('as words that no shell reads, with input, environment and limits', async () => {
		const job = {
			...{ capability: 'shell.run', command: { mode: 'argv', argv: ['/bin/cat', '-'] } },
			...{ stdin: 'é $HOME `id`\n', timeoutMs: 5000, outputBytes: 4096 },
		};
		const { json } = await ann.submit(job, {}, '/v2/jobs?wait=30000');
		expect([json.result.status, json.result.stdout]).toEqual(['succeeded', 'é $HOME `id`\n']);
	});

	it('that takes too long is ended at its limit', async () => {
		const { result, isConfirmedDead } = await run('echo begun; sleep 60', { timeoutMs: 1000 });
		expect([result.status, result.stdout, result.problem.code, isConfirmedDead]).toEqual([
			...['timed_out', 'begun\n', 'LIMIT_TIME', true],
		]);
	});

	it('that the policy denies is a job that says why, and explaining says the same without a job', async () => {
		const denied = script('uptime', { capability: 'shell.run.strict' });
		const { status, json } = await ann.submit(denied);
		expect([status, json.state, json.result.status, json.result.problem.code, json.startedAt]).toEqual([
			...[202, 'ended', 'denied', 'POLICY_DENIED', null],
		]);
		const explained = (await ann.post('/v2/explain', { job: denied })).json;
		expect([explained, faultsOf('PolicyDecision', explained)]).toEqual([json.decision, null]);
	});

	it('for a capability that the policy does not know is denied', async () => {
		const { status, json } = await ann.submit(script('uptime', { capability: 'shell.fly' }));
		expect([status, json.result.status]).toEqual([202, 'denied']);
	});
});

describe('the output of a job', () => {
	const lines = 'for i in $(seq 1 20000); do echo "line $i é"; done; echo end >&2';
	let at: string;
	beforeAll(async () => {
		at = `/v2/jobs/${(await run(lines)).jobId}/output`;
	});

	it('is read page by page, and every byte is there', async () => {
		let text = '';
		for (let offset = 0, eof = false; !eof; ) {
			const { json } = await ann.get(`${at}/stdout?offset=${offset}&limit=100003`);
			expect(faultsOf('OutputPage', json)).toBe(null);
			text += json.text;
			offset = json.nextOffset;
			eof = json.eof;
		}
		expect(text).toBe(Array.from({ length: 20_000 }, (_, index) => `line ${index + 1} é\n`).join(''));
	});

	it('is read from its end, and searched', async () => {
		const tail = (await ann.get(`${at}/stdout/tail?lines=2`)).json;
		expect(tail.text).toBe('line 19999 é\nline 20000 é\n');
		const hits = (await ann.get(`${at}/stdout/grep?pattern=${encodeURIComponent('line 1999\\d')}&limit=3`)).json;
		expect([hits.hits.map(({ line }: { line: number }) => line), hits.isCut, faultsOf('OutputHits', hits)]).toEqual([
			...[[1999, 19_990, 19_991].slice(1).concat(19_992), true, null],
		]);
		expect((await ann.get(`${at}/stderr`)).json.text).toBe('end\n');
	});

	it('of any bytes comes through', async () => {
		const { jobId } = await run("printf '\\377\\000\\376'");
		const page = (await ann.get(`/v2/jobs/${jobId}/output/stdout`)).json;
		expect([page.encoding, page.text]).toEqual(['base64', Buffer.from([255, 0, 254]).toString('base64')]);
		expect((await ann.get(`/v2/jobs/${jobId}/output/stdout?raw=1`)).bytes).toEqual(Buffer.from([255, 0, 254]));
	});

	it('can be deleted, and the job stays', async () => {
		const { jobId } = await run('echo private');
		const { json } = await ann.send('DELETE', `/v2/jobs/${jobId}/output`);
		expect([json.output.isKept, json.state]).toEqual([false, 'ended']);
		expect((await ann.get(`/v2/jobs/${jobId}/output/stdout`)).json).toMatchObject({ text: '', eof: true });
	});
});

describe('watching', () => {
	it('gives two watchers over two wires the same story while it happens', async () => {
		const jobId = await start('echo one; sleep 0.5; echo two >&2; sleep 0.5; echo three');
		const arrived: [string, number][] = [];
		const reading = (async () => {
			const events = [];
			for await (const { event } of ann.events(jobId)) {
				events.push(event);
				arrived.push([event.type, Date.now()]);
			}
			return events;
		})();
		const [events, messages, late] = await Promise.all([reading, daemon.vic.messages(jobId), ann.messages(jobId)]);
		expect([messages, late]).toEqual([1, 2].map(() => ({ events, code: 1000, reason: '' })));
		expect([textOf(events), textOf(events, 'stderr')]).toEqual(['one\nthree\n', 'two\n']);
		expect(events.map((event) => faultsOf('JobEvent', event))).toEqual(events.map(() => null));
		const first = arrived.find(([type]) => type === 'output')?.[1] ?? 0;
		const end = arrived.at(-1)?.[1] ?? 0;
		expect(end - first).toBeGreaterThan(700);
	});

	it('goes on from every number over both wires', async () => {
		const jobId = await start('for i in 1 2 3 4; do echo $i; sleep 0.1; done');
		const events = await all(ann, jobId);
		for (let after = 0; after <= events.length; after++) {
			expect(await all(ann, jobId, after)).toEqual(events.slice(after));
			expect((await ann.messages(jobId, `?after=${after}`)).events).toEqual(events.slice(after));
		}
	});

	it('is not held up by a reader that takes nothing, nor is the job', async () => {
		const jobId = await start('head -c 20000000 /dev/zero | tr "\\0" x');
		const slow = await ann.openEvents(jobId);
		const ws = ann.socket(jobId);
		await once(ws, 'open');
		const [events, job] = await Promise.all([all(daemon.vic, jobId), over(jobId)]);
		expect([textOf(events).length, job.result.status]).toEqual([20_000_000, 'succeeded']);
		slow.destroy();
		ws.close();
	});
});

describe('cancelling', () => {
	it('ends a job with everything that it started, whatever that does to stay', async () => {
		const seconds = `${90_000 + Math.floor(Math.random() * 9_000)}`;
		const jobId = await start(
			`trap '' TERM; setsid sleep ${seconds} & (sleep ${seconds} &) ; echo up; sleep ${seconds}`,
		);
		const watching = all(ann, jobId);
		for (let tries = 0; processesWith(seconds).length < 3 && tries < 200; tries++) await sleep(50);
		const begun = Date.now();
		const { status, json } = await ann.post(`/v2/jobs/${jobId}/cancel`);
		expect([status, json.state, json.result.status, json.isConfirmedDead]).toEqual([200, 'ended', 'cancelled', true]);
		expect([processesWith(seconds), Date.now() - begun < 3000]).toEqual([[], true]);
		expect((await watching).at(-1)).toMatchObject({ type: 'end', job: { result: { status: 'cancelled' } } });
	});

	it('is not for who may only look', async () => {
		const jobId = await start('sleep 30');
		expect((await daemon.vic.post(`/v2/jobs/${jobId}/cancel`)).status).toBe(403);
		expect((await ann.post(`/v2/jobs/${jobId}/cancel`)).json.state).toBe('ended');
	});
});

describe('approving', () => {
	it('shows the exact command to another person, who lets it run once', async () => {
		const jobId = await start("echo 'a  b'", { capability: 'shell.run.asked' });
		const waiting = (await ann.get(`/v2/jobs/${jobId}/wait`)).json;
		expect(waiting.state).toBe('awaiting_approval');
		const { approvals } = (await daemon.bob.get('/v2/approvals?state=pending')).json;
		expect(approvals.map((approval: unknown) => faultsOf('Approval', approval))).toEqual([null]);
		expect([approvals[0].approvalId, approvals[0].shown]).toEqual([
			...[waiting.approvalId, expect.stringContaining("'echo' 'a  b'")],
		]);
		const at = `/v2/approvals/${waiting.approvalId}`;
		expect((await ann.post(at, { answer: 'approve' })).json.error.code).toBe('APPROVAL_FORBIDDEN');
		expect((await daemon.vic.post(at, { answer: 'approve' })).status).toBe(404);
		expect((await daemon.bob.post(at, { answer: 'approve' })).json.state).toBe('approved');
		const { result } = await over(jobId);
		expect([result.status, (await daemon.bob.post(at, { answer: 'approve' })).json.error.code]).toEqual([
			...['succeeded', 'APPROVAL_OVER'],
		]);
	});

	it('takes words for what is dangerous, and a reason for a no', async () => {
		const { approvalId, jobId } = (await ann.submit(script('echo no', { capability: 'shell.run.typed' }))).json;
		const at = `/v2/approvals/${approvalId}`;
		expect((await daemon.bob.post(at, { answer: 'approve' })).json.error.code).toBe('APPROVAL_FORBIDDEN');
		expect((await daemon.bob.post(at, { answer: 'deny' })).status).toBe(400);
		expect((await daemon.bob.post(at, { answer: 'deny', reason: 'too loud' })).status).toBe(200);
		const { result } = await over(jobId);
		expect([result.status, result.problem.code, result.stdout]).toEqual(['denied', 'APPROVAL_DENIED', '']);
	});
});

describe('a proof', () => {
	const now = (): number => Math.floor(Date.now() / 1000);
	const spki = (): Buffer => {
		const pem = daemon.agent.read('keys/native-1.pub.pem');
		return Buffer.from(pem.trim());
	};

	it.each([
		['forged', (claims: object) => HandKey.make('native-1').jws(jobTyp, { ...claims, job: script('id') })],
		[
			'without an algorithm',
			(claims: object) => daemon.handKey.jws(jobTyp, { ...claims, job: script('id') }, { alg: 'none' }),
		],
		[
			'with HS256 and the public key',
			(claims: object) =>
				daemon.handKey.jws(jobTyp, { ...claims, job: script('id') }, { alg: 'HS256' }, (input) =>
					createHmac('sha256', spki()).update(input).digest(),
				),
		],
		[
			'for another device',
			(claims: object) => daemon.handKey.jws(jobTyp, { ...claims, aud: 'web-2', job: script('id') }),
		],
		[
			'that has expired',
			(claims: object) =>
				daemon.handKey.jws(jobTyp, { ...claims, iat: now() - 70, exp: now() - 10, job: script('id') }),
		],
		['of a request', (claims: object) => daemon.handKey.jws(requestTyp, { ...claims, job: script('id') })],
	])('of a job %s proves nothing', async (_, make) => {
		const { status, json } = await ann.submitBytes(make(ann.claims()));
		expect([status, faultsOf('Error', json)]).toEqual([401, null]);
	});

	it.each([
		['forged', () => new HandClient(daemon.place, HandKey.make('native-1')).bearer('GET', '/v2/jobs')],
		['for another device', () => ann.bearer('GET', '/v2/jobs', '', { aud: 'web-2' })],
		['of another address', () => ann.bearer('GET', '/v2/jobs/')],
		['that has expired', () => ann.bearer('GET', '/v2/jobs', '', { iat: now() - 61, exp: now() - 1 })],
		['that wants more than a minute', () => ann.bearer('GET', '/v2/jobs', '', { exp: now() + 600 })],
		['of a job', () => `Bearer ${ann.signed(script('id'))}`],
	])('of a request %s proves nothing', async (_, authorization) => {
		const { status, json } = await ann.send('GET', '/v2/jobs', '', { authorization: authorization() });
		expect([status, faultsOf('Error', json)]).toEqual([401, null]);
	});

	it('that failed is counted and recorded, without the proof', async () => {
		const { bytes } = await ann.send('GET', '/metrics', '', { authorization: undefined });
		expect(bytes.toString()).toMatch(/rsagent_auth_failures_total\{facade="native",reason="bad signature"\} [1-9]/);
	});
});

/** Bytes as a careless or malicious client sends them over TLS, and what comes back. */
async function raw(...parts: readonly string[]): Promise<string> {
	const { url, ca } = daemon.agent.faces.native;
	const { hostname, port } = new URL(url);
	const socket = connectTls({ host: hostname, port: Number(port), ca });
	socket.on('error', () => {});
	let answer = '';
	socket.setEncoding('latin1').on('data', (text: string) => {
		answer += text;
	});
	for (const part of parts) socket.write(part, 'latin1');
	await Promise.race([once(socket, 'close'), sleep(500)]);
	socket.destroy();
	return answer;
}

describe('whatever strangers send', () => {
	const junk = (): string => randomBytes(200).toString('latin1');
	const attempts: (() => Promise<string>)[] = [
		() => raw(junk()),
		() => raw('GET /v2/health HTTP/1.1\r\n\r\n'),
		() => raw('GET /v2/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ', `${'a'.repeat(20_000)}\r\n\r\n`),
		() => raw(`GET /${'x'.repeat(8_000)} HTTP/1.1\r\nHost: a\r\n\r\n`),
		() => raw('POST /v2/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n', junk()),
		() => raw('POST /v2/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n', `ffffff\r\n${junk()}`),
		() => raw('POST /v2/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
		() =>
			raw(`GET /v2/jobs/a/events HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n${junk()}`),
		() => raw('GET /v2/%00%ff%2e%2e/jobs HTTP/1.1\r\nHost: a\r\n\r\n'),
		() => raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
	];

	it('is refused by whom it is for, sixteen at a time, and honest clients are served meanwhile', async () => {
		const answers: string[] = [];
		const strangers = Array.from({ length: 16 }, async (_, first) => {
			for (let turn = 0; turn < attempts.length; turn++)
				answers.push((await attempts[(first + turn) % attempts.length]?.()) ?? '');
		});
		const honest = async () => (await run('echo still here')).result.stdout;
		expect(await Promise.all([honest(), honest(), honest()])).toEqual(['still here\n', 'still here\n', 'still here\n']);
		await Promise.all(strangers);
		const statuses = new Set(answers.map((answer) => /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]));
		expect([...statuses].filter((status) => status !== undefined && !/^(200|4\d\d)$/.test(status))).toEqual([]);
	});
});

describe('on the socket of the folder', () => {
	it('jobs are handed in, seen and ended without a key', async () => {
		const { status, json } = await daemon.local('POST', '/v2/jobs?wait=30000', { job: script('echo local') });
		expect([status, json.result.stdout, json.principal]).toEqual([202, 'local\n', expect.stringMatching(/^local:/)]);
		const { jobs } = (await daemon.local('GET', '/v2/jobs?limit=200')).json;
		expect(new Set(jobs.map(({ principal }: { principal: string }) => principal))).toEqual(
			new Set([json.principal, 'native-1']),
		);
	});
});

describe('the audit', () => {
	it('is whole after all of this, and told to whoever may look', async () => {
		const { json } = await daemon.vic.get('/v2/audit/status');
		expect([json.status, json.rows > 50, json.details, faultsOf('AuditStatus', json)]).toEqual([
			...['intact', true, null, null],
		]);
	});

	it('and nothing went wrong inside', () => {
		expect(daemon.agent.log.filter(({ level }) => level === 'error')).toEqual([]);
	});
});

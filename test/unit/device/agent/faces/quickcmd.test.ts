import { createHash, createHmac } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../../../src/contract/agent-config.ts';
import { type ErrorCode, KnownError } from '../../../../../src/contract/error.ts';
import type { FaceParts, LiveKey } from '../../../../../src/device/agent/face.ts';
import { quickCmdFace } from '../../../../../src/device/agent/faces/quickcmd.ts';
import { type Served, serveFace, TestKeys, tokenKey } from '../../../../helpers/face.ts';
import { type MemoryJob, MemoryJobs } from '../../../../helpers/memory-jobs.ts';
import { ask } from '../../../../helpers/plain-client.ts';
import {
	postTo,
	quickCmdBody,
	quickCmdPayload,
	quickCmdSecret,
	submitTo,
} from '../../../../helpers/quickcmd-client.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	await Promise.all(closing.splice(0).map((close) => close()));
});

const otherSecret = 'a-secret-of-controller-2-6543210';
const hmacKey = (id: string, secret: string, name: string, capabilities = ['*']): LiveKey => ({
	...{ id, kind: 'hmac', material: Buffer.from(secret) },
	principal: { name, roles: ['executor'], capabilities, keyId: id },
});

interface Agent extends Served {
	readonly jobs: MemoryJobs;
	readonly keys: TestKeys;
}

async function agent(
	act: (job: MemoryJob) => unknown = (job) => job.enter('running').exit(0),
	settings: Partial<AgentConfig['quickcmd']> = {},
	more: Partial<FaceParts> = {},
): Promise<Agent> {
	const jobs = new MemoryJobs(act);
	const keys = new TestKeys([
		hmacKey('k1', quickCmdSecret, 'controller-1'),
		hmacKey('k2', otherSecret, 'controller-2', ['shell.*']),
		tokenKey('reader-token', 'reader', ['viewer']),
	]);
	const quickcmd = {
		...{ allowedControllers: ['controller-1', 'controller-2', 'https://ui.example'], reads: 'same-peer' as const },
		...{ requireBinding: false, maxAgeSeconds: 300, maxTtlSeconds: 3600, ...settings },
	};
	const served = await serveFace(quickCmdFace, jobs, keys, { quickcmd }, more);
	closing.push(served.close);
	return { ...served, jobs, keys };
}

const plain = 'text/plain; charset=utf-8';
const get = (url: string, path: string, headers = {}) => ask(`${url}${path}`, { headers });

describe('POST /api/v1/jobs', () => {
	it('takes a signed job in the bytes of the original', async () => {
		const { url, jobs } = await agent(() => {});
		const payload = quickCmdPayload({ job_id: 'job-1', prompt: 'list files', command: 'ls -la' });
		const { status, headers, text } = await submitTo(url, payload);
		expect([status, headers['content-type'], text]).toEqual([
			...[202, 'application/json', '{"job_id":"job-1","status":"pending"}\n'],
		]);
		const { principal, submission } = jobs.jobs[0] as MemoryJob;
		expect(principal).toEqual({
			...{ name: 'controller-1', roles: ['executor'], capabilities: ['*'], keyId: 'k1', peer: '127.0.0.1' },
		});
		expect(submission).toEqual({
			...{ face: 'quickcmd', clientId: 'job-1', compat: { prompt: 'list files', snapshot: '' } },
			draft: {
				...{ capability: 'shell.run.quickcmd', command: { mode: 'script', script: 'ls -la', shell: 'auto' } },
				...{ env: {}, labels: { promptDigest: createHash('sha256').update('list files').digest('hex') } },
				idempotencyKey: `job-1:${createHash('sha256').update(JSON.stringify(payload)).digest('hex')}`,
			},
		});
	});

	it.each([
		['{', 400, '{"details":"the body is not JSON","error":"Invalid JSON payload"}\n'],
		['', 400, '{"details":"the body is not JSON","error":"Invalid JSON payload"}\n'],
		['{}', 401, '{"details":"INVALID_SIGNATURE: Invalid job signature","error":"Invalid signature"}\n'],
	])('answers %j with %i', async (body, status, text) => {
		const { url } = await agent();
		const answer = await postTo(url, '/api/v1/jobs', body);
		expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([status, 'application/json', text]);
	});

	it.each([
		['with the secret of nobody', {}, 'a-secret-of-nobody-at-all-000001', 401, 'Invalid signature'],
		['that expired', { ttl: 1 }, quickCmdSecret, 401, 'Job expired or too old'],
		['of a controller that is not allowed', { controller_id: 'x' }, quickCmdSecret, 403, 'Controller not allowed'],
		['with a bad id', { job_id: '../x' }, quickCmdSecret, 400, 'Invalid job'],
		['with no command', { command: '' }, quickCmdSecret, 400, 'Invalid job'],
		[
			'with scopes that the key lacks',
			{ controller_id: 'controller-2', required_scopes: ['git.read'] },
			...([otherSecret, 403, 'Insufficient scopes'] as const),
		],
		[
			'with scopes that nobody granted',
			{ required_scopes: ['root:all'] },
			...([quickCmdSecret, 403, 'Insufficient scopes'] as const),
		],
		[
			'for another device',
			{ plugin_metadata: { rs: { device_id: 'device-2', nonce: 'n'.repeat(22) } } },
			quickCmdSecret,
			403,
			'Device not bound',
		],
	])('refuses a job %s, and nothing is handed in', async (_, change, secret, status, error) => {
		const { url, jobs } = await agent();
		const answer = await submitTo(url, quickCmdPayload(change), secret);
		expect([answer.status, (answer.json as { error: string }).error, jobs.jobs]).toEqual([status, error, []]);
	});

	it('records who failed to prove who it is, and not who proved it and may not', async () => {
		const { url, keys } = await agent();
		await submitTo(url, quickCmdPayload(), 'a-secret-of-nobody-at-all-000001');
		await submitTo(url, quickCmdPayload({ ttl: 1 }));
		await submitTo(url, quickCmdPayload({ controller_id: 'x' }));
		await submitTo(url, quickCmdPayload({ job_id: '' }));
		expect(keys.refusals).toEqual(['quickcmd: signature', 'quickcmd: expired', 'quickcmd: controller']);
	});

	it('answers the same bytes with the status of now, and runs the job once', async () => {
		const { url, jobs } = await agent(() => {});
		const body = quickCmdBody(quickCmdPayload({ job_id: 'job-1' }));
		const answers = [await postTo(url, '/api/v1/jobs', body)];
		jobs.jobs[0]?.enter('running');
		answers.push(await postTo(url, '/api/v1/jobs', body));
		jobs.jobs[0]?.exit(1);
		answers.push(await postTo(url, '/api/v1/jobs', body));
		expect([jobs.jobs.length, ...answers.map(({ status, text }) => `${status} ${text}`)]).toEqual([
			1,
			'202 {"job_id":"job-1","status":"pending"}\n',
			'202 {"job_id":"job-1","status":"running"}\n',
			'202 {"job_id":"job-1","status":"completed"}\n',
		]);
	});

	it('refuses the same id for another payload', async () => {
		const { url, jobs } = await agent();
		await submitTo(url, quickCmdPayload({ job_id: 'job-1', command: 'ls' }));
		const { status, json } = await submitTo(url, quickCmdPayload({ job_id: 'job-1', command: 'rm x' }));
		expect([status, json, jobs.jobs.length]).toEqual([
			409,
			{ details: expect.stringMatching(/^JOB_REPLAYED: /), error: 'Job already submitted' },
			1,
		]);
	});

	it('lets two controllers use the same id', async () => {
		const { url, jobs } = await agent();
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		const second = quickCmdPayload({ job_id: 'job-1', controller_id: 'controller-2' });
		expect([(await submitTo(url, second, otherSecret)).status, jobs.jobs.length]).toEqual([202, 2]);
	});

	it.each([
		[{ plugin_metadata: { image: 'alpine:latest' } }, 'alpine:latest'],
		[{ candidate_metadata: { image: 'ubuntu:latest' } }, 'ubuntu:latest'],
		[{ candidate_metadata: { image: 'a' }, plugin_metadata: { image: 'b' } }, 'b'],
		[{ candidate_metadata: { image: 7 }, plugin_metadata: { image: '' } }, undefined],
		[{ candidate_metadata: null, plugin_metadata: null }, undefined],
	])('asks the policy for the image that %j names: %s', async (change, image) => {
		const { url, jobs } = await agent();
		await submitTo(url, quickCmdPayload(change));
		expect(jobs.jobs[0]?.submission.draft.image).toBe(image);
	});

	it('accepts what the policy refuses, and tells it as failed', async () => {
		const { url } = await agent((job) => job.deny('it is forbidden'));
		const accepted = await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		const { json } = await get(url, '/api/v1/jobs/job-1');
		expect([accepted.status, json]).toEqual([
			202,
			{
				...{ job_id: 'job-1', status: 'failed' },
				result: {
					...{ job_id: 'job-1', status: 'failed', sandbox_id: '', exit_code: 126, stdout: '', stderr: '' },
					...{ start_time: expect.stringMatching(/^20/), end_time: '0001-01-01T00:00:00Z', duration_ms: 0 },
					error: 'The command was not run: it is forbidden (rule test/rule).',
				},
			},
		]);
	});

	it.each([
		['QUEUE_FULL', 503],
		['AGENT_STOPPING', 503],
		['RATE_LIMITED', 429],
		['AUTH_FORBIDDEN', 403],
	] as [ErrorCode, number][])('answers %s with %i', async (code, expected) => {
		const served = await agent();
		served.jobs.submit = async () => {
			throw new KnownError(code, { details: 'd', seconds: 5, waiting: 100 });
		};
		const { status, json } = await submitTo(served.url, quickCmdPayload());
		expect([status, json]).toEqual([expected, { details: expect.any(String), error: expect.any(String) }]);
	});

	it('answers a failure of its own with an id and no word of what it was', async () => {
		const served = await agent();
		served.jobs.submit = async () => {
			throw new Error('/secret/path');
		};
		const { status, text } = await submitTo(served.url, quickCmdPayload());
		expect([status, text.includes('secret'), served.logged]).toEqual([
			500,
			false,
			[{ id: expect.any(String), error: expect.stringContaining('/secret/path'), message: 'a face failed' }],
		]);
	});

	it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', undefined])(
		'reads a body that calls itself %s',
		async (type) => {
			const { url } = await agent();
			const headers = type === undefined ? {} : { 'Content-Type': type };
			expect((await postTo(url, '/api/v1/jobs', quickCmdBody(quickCmdPayload()), { headers })).status).toBe(202);
		},
	);
});

describe('GET /api/v1/jobs/{id}', () => {
	it('tells the result of a job that is over', async () => {
		const { url, jobs } = await agent((job) =>
			job.enter('running').print('stdout', '<o>\n').print('stderr', 'é').exit(3),
		);
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		const { status, headers, text } = await get(url, '/api/v1/jobs/job-1');
		const times = /"start_time":"20[^"]+Z","end_time":"20[^"]+Z"/;
		expect([status, headers['content-type'], text.replace(times, 'TIMES')]).toEqual([
			200,
			'application/json',
			'{"job_id":"job-1","result":{"job_id":"job-1","status":"completed",' +
				`"sandbox_id":"${jobs.jobs[0]?.jobId}","exit_code":3,"stdout":"\\u003co\\u003e\\n","stderr":"é",TIMES,` +
				'"duration_ms":0},"status":"completed"}\n',
		]);
	});

	it.each([
		['pending', '', (job: MemoryJob) => job.enter('queued')],
		['pending', '"message":"approval required: apr-1",', (job: MemoryJob) => job.ask('apr-1')],
		['running', '', (job: MemoryJob) => job.enter('running').print('stdout', 'x')],
	])('tells no result while a job is %s, and %j', async (status, message, act) => {
		const { url } = await agent(act);
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		expect((await get(url, '/api/v1/jobs/job-1')).text).toBe(
			`{"job_id":"job-1",${message}"result":null,"status":"${status}"}\n`,
		);
	});

	it('tells the end of an output that is too long for an answer', async () => {
		const line = `${'é'.repeat(50)}\n`;
		const { url } = await agent((job) => job.enter('running').print('stdout', line.repeat(50_000)).exit(0));
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		const { json } = await get(url, '/api/v1/jobs/job-1');
		const { result } = json as { result: { stdout: string; truncated: boolean } };
		expect([result.truncated, result.stdout.endsWith(line.repeat(3)), result.stdout.includes('\ufffd')]).toEqual([
			...[true, true, false],
		]);
		expect(Buffer.byteLength(result.stdout)).toBeGreaterThan(4 * 1024 * 1024 - 4);
	});

	it.each(['job-2', '..', 'a%2fb', '%00', 'x'.repeat(300)])(
		'answers for %s in plain text that there is none',
		async (id) => {
			const { url } = await agent();
			await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
			const { status, headers, text } = await get(url, `/api/v1/jobs/${id}`);
			expect([status, headers['content-type']]).toEqual([404, plain]);
			expect(['Job not found\n', '404 page not found\n']).toContain(text);
		},
	);

	const peers =
		(peer: string, ago = 0) =>
		async () => {
			const served = await agent();
			await submitTo(served.url, quickCmdPayload({ job_id: 'job-1' }));
			served.jobs.peerOf = () => peer;
			const [job] = served.jobs.jobs;
			if (job) Object.assign(job, { acceptedAt: Date.now() - ago });
			return served.url;
		};

	it.each([
		['the peer that handed it in', peers('127.0.0.1'), 200],
		['another peer', peers('10.0.0.9'), 404],
		['the same peer 23 hours later', peers('127.0.0.1', 23 * 3_600_000), 200],
		['the same peer 25 hours later', peers('127.0.0.1', 25 * 3_600_000), 404],
	])('answers %s', async (_, start, status) => {
		expect((await get(await start(), '/api/v1/jobs/job-1')).status).toBe(status);
	});

	const proof = (id: string, secret: string, path = '/api/v1/jobs/job-1', at = Math.floor(Date.now() / 1000)) => {
		const signature = createHmac('sha256', secret).update(`GET ${path}\n${id}\n${at}`).digest('hex');
		return { Authorization: `HMAC-SHA256 ${id}:${at}:${signature}` };
	};

	it.each([
		['no proof', {}, 401],
		['a token', { Authorization: 'Bearer reader-token' }, 200],
		['a wrong token', { Authorization: 'Bearer other-token' }, 401],
		['the secret of the controller', proof('controller-1', quickCmdSecret), 200],
		['the secret of another controller', proof('controller-2', otherSecret), 404],
		['the name of another controller', proof('controller-2', quickCmdSecret), 401],
		['a proof for another path', proof('controller-1', quickCmdSecret, '/api/v1/jobs/job-2'), 401],
		['an old proof', proof('controller-1', quickCmdSecret, undefined, Math.floor(Date.now() / 1000) - 301), 401],
		[
			'a proof of tomorrow',
			proof('controller-1', quickCmdSecret, undefined, Math.floor(Date.now() / 1000) + 86_400),
			401,
		],
		['nonsense', { Authorization: 'Basic abc' }, 401],
	])('answers in the strict mode to %s with the right status', async (_, headers, status) => {
		const { url } = await agent(undefined, { reads: 'auth' });
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		expect((await get(url, '/api/v1/jobs/job-1', headers)).status).toBe(status);
	});

	it('lets a proof read from elsewhere in the ordinary mode, and refuses a wrong one even to the same peer', async () => {
		const { url, jobs, keys } = await agent();
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		const wrong = await get(url, '/api/v1/jobs/job-1', { Authorization: 'Bearer other-token' });
		jobs.peerOf = () => '10.0.0.9';
		const elsewhere = await get(url, '/api/v1/jobs/job-1', proof('controller-1', quickCmdSecret));
		expect([wrong.status, elsewhere.status, keys.refusals]).toEqual([401, 200, ['quickcmd: read']]);
	});
});

describe('POST /api/v1/jobs/{id}/cancel', () => {
	const cancel = (url: string, id: string, change = {}, secret?: string) => {
		const payload = quickCmdPayload({
			...{ job_id: id, prompt: 'cancel', command: '', candidate_metadata: null, plugin_metadata: null },
			...{ required_scopes: null, ...change },
		});
		return postTo(url, `/api/v1/jobs/${id}/cancel`, quickCmdBody(payload, secret));
	};

	it('ends a job, which then failed as cancelled', async () => {
		const { url } = await agent((job) => job.enter('running'));
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		const { status, text } = await cancel(url, 'job-1');
		expect([status, text]).toEqual([200, '{"job_id":"job-1","status":"failed"}\n']);
		expect((await get(url, '/api/v1/jobs/job-1')).json).toMatchObject({
			...{ status: 'failed', result: { exit_code: 143, error: 'cancelled' } },
		});
	});

	it('needs no more than the id of the job and a signature', async () => {
		const { url, jobs } = await agent((job) => job.enter('running'));
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		const { status } = await cancel(url, 'job-1', { prompt: '' });
		expect([status, jobs.jobs[0]?.result?.status]).toEqual([200, 'cancelled']);
	});

	it.each(['', '{}', '{"payload":{"job_id":"job-1","command":""}}'])('is signed: %j is not', async (body) => {
		const { url, jobs, keys } = await agent((job) => job.enter('running'));
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		const { status, json } = await postTo(url, '/api/v1/jobs/job-1/cancel', body);
		expect([status, json, jobs.jobs[0]?.state, keys.refusals]).toEqual([
			...[401, { error: 'Invalid signature', details: 'INVALID_SIGNATURE: Invalid job signature' }],
			...['running', ['quickcmd: signature']],
		]);
	});

	it('leaves a job that is over as it is', async () => {
		const { url } = await agent();
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		expect((await cancel(url, 'job-1')).text).toBe('{"job_id":"job-1","status":"completed"}\n');
	});

	it.each([
		['without a signature', {}, 'a-secret-of-nobody-at-all-000001', 401],
		['that expired', { ttl: 1 }, quickCmdSecret, 401],
		['for another job', { job_id: 'job-2' }, quickCmdSecret, 400],
		['that is a submit', { command: 'ls', prompt: 'p' }, quickCmdSecret, 400],
		['of another controller', { controller_id: 'controller-2' }, otherSecret, 404],
	])('refuses a cancel %s', async (_, change, secret, expected) => {
		const { url, jobs } = await agent((job) => job.enter('running'));
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		expect([(await cancel(url, 'job-1', change, secret)).status, jobs.jobs[0]?.state]).toEqual([expected, 'running']);
	});

	it('does not find a job that is not there', async () => {
		const { url } = await agent();
		const { status, text } = await cancel(url, 'job-9');
		expect([status, text]).toEqual([404, 'Job not found\n']);
	});

	it('is no way to submit, nor is a submit a way to cancel', async () => {
		const { url, jobs } = await agent();
		const payload = quickCmdPayload({ prompt: 'cancel', command: '' });
		expect([(await submitTo(url, payload)).status, jobs.jobs]).toEqual([400, []]);
	});
});

describe('the other routes of QuickCMD', () => {
	it.each(['GET', 'POST', 'PUT', 'DELETE'])('/health says by %s that it is healthy', async (method) => {
		const { url } = await agent();
		const { status, headers, text } = await ask(`${url}/health`, { method });
		expect([status, headers['content-type'], text.replace(/\d+/, 'N')]).toEqual([
			...[200, 'application/json', '{"status":"healthy","timestamp":N}\n'],
		]);
		expect(Math.abs(JSON.parse(text).timestamp - Date.now() / 1000)).toBeLessThan(5);
	});

	it('/metrics tells four figures', async () => {
		const counts = () => ({ total: 42, running: 2, completed: 39, failed: 1 });
		const { url } = await agent(undefined, {}, { counts });
		const { status, headers, text } = await get(url, '/metrics');
		expect([status, headers['content-type'], [...text.matchAll(/^\w+ \d+$/gm)].map(String)]).toEqual([
			200,
			'text/plain; version=0.0.4; charset=utf-8',
			[
				...['quickcmd_agent_jobs_total 42', 'quickcmd_agent_jobs_running 2'],
				...['quickcmd_agent_jobs_completed 39', 'quickcmd_agent_jobs_failed 1'],
			],
		]);
	});

	it('/metrics needs a proof in the strict mode, /health does not', async () => {
		const { url } = await agent(undefined, { reads: 'auth' });
		expect([
			(await get(url, '/metrics')).status,
			(await get(url, '/metrics', { Authorization: 'Bearer reader-token' })).status,
			(await get(url, '/health')).status,
		]).toEqual([401, 200, 200]);
	});

	it('a stream without an upgrade is a bad request where there is such a job', async () => {
		const { url } = await agent();
		await submitTo(url, quickCmdPayload({ job_id: 'job-1' }));
		const { status, headers, text } = await get(url, '/api/v1/stream/job-1');
		expect([status, headers['content-type'], text]).toEqual([400, plain, 'Bad Request\n']);
		const strict = await agent(undefined, { reads: 'auth' });
		expect((await get(strict.url, '/api/v1/stream/job-1')).status).toBe(401);
	});

	it.each([
		['GET', '/api/v1/jobs', 405, 'Method not allowed\n'],
		['PUT', '/api/v1/jobs', 405, 'Method not allowed\n'],
		['DELETE', '/api/v1/jobs/job-1', 405, 'Method not allowed\n'],
		['GET', '/api/v1/jobs/job-1/cancel', 405, 'Method not allowed\n'],
		['GET', '/api/v1/stream/job-1', 404, 'Job not found\n'],
		['GET', '/', 404, '404 page not found\n'],
		['GET', '/api/v1/', 404, '404 page not found\n'],
	])('%s %s answers %i in plain text', async (method, path, status, text) => {
		const { url } = await agent();
		const answer = await ask(`${url}${path}`, { method });
		expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([status, plain, text]);
	});
});

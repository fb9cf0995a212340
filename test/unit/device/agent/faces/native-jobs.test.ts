import Ajv2020 from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { nativeDocument } from '../../../../../src/device/wire/native-openapi.ts';
import { type Act, decided, goodEnd, untilStopped } from '../../../../helpers/desk.ts';
import { nativeAgent, uptime } from '../../../../helpers/native-face.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(JSON.parse(JSON.stringify(nativeDocument())), 'document');

/** What the published document says about an answer, as a validator of JSON Schema sees it. */
function faultsOf(name: string, value: unknown): unknown {
	const validate = ajv.getSchema(`document#/components/schemas/${name}`);
	if (!validate) throw new Error(`the document has no ${name}`);
	return validate(value) ? null : validate.errors;
}

const hello: Act = async (_job, io) => {
	io.onOutput('stdout', Buffer.from('hello\n'));
	return goodEnd;
};

const later =
	(ms: number): Act =>
	(_job, io) =>
		new Promise((resolve) => {
			setTimeout(() => resolve(goodEnd), ms);
			io.signal.addEventListener('abort', () => resolve({ ...goodEnd, exit: null, stopped: io.signal.reason }));
		});

describe('a job that is handed in', () => {
	it('is on record at once, and can be looked at until it is over', async () => {
		const { ann, desk } = await nativeAgent({ act: hello });
		const { status, json, headers } = await ann.submit({ ...uptime, labels: { workflow: 'w-1' } });
		expect([status, headers.location, json.principal, json.face, json.labels]).toEqual([
			...[202, `/v2/jobs/${json.jobId}`, 'ann', 'native'],
			{ workflow: 'w-1' },
		]);
		const over = (await ann.get(`/v2/jobs/${json.jobId}/wait?ms=5000`)).json;
		expect([over.state, over.result.status, over.result.stdout, desk.ran.length]).toEqual([
			...['ended', 'succeeded', 'hello\n', 1],
		]);
		expect((await ann.get(`/v2/jobs/${json.jobId}`)).json).toEqual(over);
		expect([faultsOf('Job', json), faultsOf('Job', over)]).toEqual([null, null]);
	});

	it('is answered when it is over, where that is asked for', async () => {
		const { ann } = await nativeAgent({ act: hello });
		const { status, json } = await ann.submit(uptime, {}, '/v2/jobs?wait=5000');
		expect([status, json.state, json.result.stdout]).toEqual([202, 'ended', 'hello\n']);
	});

	it('may be sent in the flattened form, whatever it calls itself', async () => {
		const { ann } = await nativeAgent();
		const [header, payload, signature] = ann.signed(uptime).split('.');
		const body = JSON.stringify({ protected: header, payload, signature });
		expect((await ann.submitBytes(body, '/v2/jobs', 'application/json')).status).toBe(202);
		expect((await ann.submitBytes(`${ann.signed(uptime)}\n`, '/v2/jobs', 'text/plain')).status).toBe(202);
	});

	it('and denied by the policy is a job that says why', async () => {
		const { ann } = await nativeAgent({ decide: () => decided('deny') });
		const { status, json } = await ann.submit(uptime);
		expect([status, json.state, json.result.status, json.result.problem.code]).toEqual([
			...[202, 'ended', 'denied', 'POLICY_DENIED'],
		]);
	});

	it('by a key without the role is refused', async () => {
		const agent = await nativeAgent();
		const body = JSON.stringify({ job: uptime });
		const { status, json } = await agent.vic.send('POST', '/v2/explain', body);
		expect([status, json.error.code]).toEqual([403, 'AUTH_FORBIDDEN']);
	});

	it('too fast is told how long to wait', async () => {
		const { ann } = await nativeAgent({ rates: { admit: () => ({ details: 'too many', seconds: 7 }) } });
		const { status, headers, json } = await ann.submit(uptime);
		expect([status, headers['retry-after'], json.error.code]).toEqual([429, '7', 'RATE_LIMITED']);
	});
});

describe('the same job once more', () => {
	it('in the same bytes is the job that is there', async () => {
		const { ann, desk } = await nativeAgent({ act: hello });
		const body = ann.signed(uptime);
		const first = await ann.submitBytes(body, '/v2/jobs?wait=5000');
		const again = await ann.submitBytes(body);
		expect([first.status, again.status, again.json, desk.ran.length]).toEqual([202, 200, first.json, 1]);
	});

	it('in the same bytes at the same time runs once', async () => {
		const { ann, desk } = await nativeAgent({ act: hello });
		const body = ann.signed(uptime);
		const answers = await Promise.all(Array.from({ length: 8 }, () => ann.submitBytes(body, '/v2/jobs?wait=5000')));
		expect(answers.map(({ status }) => status).sort()).toEqual([...Array(7).fill(200), 202]);
		expect([new Set(answers.map(({ json }) => json.jobId)).size, desk.ran.length]).toEqual([1, 1]);
	});

	it('under the same id with other bytes is refused', async () => {
		const { ann, desk } = await nativeAgent({ act: hello });
		const { jti, ...rest } = ann.claims();
		const first = await ann.submit(uptime, { ...rest, jti: jti ?? '' });
		const other = await ann.submit({ ...uptime, stdin: 'x' }, { ...rest, jti: jti ?? '' });
		expect([first.status, other.status, other.json.error.code, desk.ran.length]).toEqual([
			...[202, 409, 'REQUEST_REPLAYED', 1],
		]);
	});

	it('under the same idempotency key, signed anew, is the job that is there', async () => {
		const { ann, desk } = await nativeAgent({ act: hello });
		const job = { ...uptime, idempotencyKey: 'execution-7' };
		const first = await ann.submit(job, {}, '/v2/jobs?wait=5000');
		const again = await ann.submit(job);
		expect([first.status, again.status, again.json, desk.ran.length]).toEqual([202, 200, first.json, 1]);
	});

	it('under the same idempotency key at the same time runs once', async () => {
		const { ann, desk } = await nativeAgent({ act: hello });
		const job = { ...uptime, idempotencyKey: 'execution-7' };
		const answers = await Promise.all(Array.from({ length: 6 }, () => ann.submit(job, {}, '/v2/jobs?wait=5000')));
		expect(answers.map(({ status }) => status).filter((status) => status === 202)).toHaveLength(1);
		expect([new Set(answers.map(({ json }) => json.jobId)).size, desk.ran.length]).toEqual([1, 1]);
	});

	it('under the idempotency key of another job is a mistake', async () => {
		const { ann, desk } = await nativeAgent({ act: hello });
		const key = { idempotencyKey: 'execution-7' };
		await ann.submit({ ...uptime, ...key });
		const other = await ann.submit({ ...uptime, command: { mode: 'argv', argv: ['reboot'] }, ...key });
		expect([other.status, other.json.error.code, desk.ran.length]).toEqual([409, 'REQUEST_REPLAYED', 1]);
	});

	it('of another principal under the same idempotency key is another job', async () => {
		const { ann, eve, desk } = await nativeAgent({ act: hello });
		const job = { ...uptime, idempotencyKey: 'execution-7' };
		const statuses = [await ann.submit(job), await eve.submit(job, {}, '/v2/jobs?wait=5000')].map(
			({ status }) => status,
		);
		expect([statuses, desk.ran.length]).toEqual([[202, 202], 2]);
	});
});

describe('jobs', () => {
	it('are for the key that handed them in, and for those who may see all', async () => {
		const { ann, eve, vic, bob } = await nativeAgent({ act: hello });
		const { jobId } = (await ann.submit(uptime, {}, '/v2/jobs?wait=5000')).json;
		const paths = [
			...['', '/wait?ms=0', '/events', '/output/stdout', '/output/stdout/tail', '/output/stdout/grep?pattern=h'],
		];
		const codes = async (client: typeof ann) =>
			Promise.all(paths.map(async (path) => (await client.get(`/v2/jobs/${jobId}${path}`)).status));
		expect(await codes(eve)).toEqual(paths.map(() => 404));
		for (const reader of [ann, vic, bob]) expect(await codes(reader)).toEqual(paths.map(() => 200));
		expect((await eve.get('/v2/jobs')).json).toEqual({ jobs: [], next: null });
	});

	it('are listed page by page, the newest first, without their texts', async () => {
		const { ann, vic } = await nativeAgent({ act: hello });
		const ids: string[] = [];
		for (let count = 0; count < 5; count++)
			ids.unshift((await ann.submit(uptime, {}, '/v2/jobs?wait=5000')).json.jobId);
		const pages: string[][] = [];
		for (let before = ''; ; ) {
			const { json } = await vic.get(`/v2/jobs?limit=2${before}`);
			expect(faultsOf('JobList', json)).toBe(null);
			expect(json.jobs.map(({ result }: { result: { stdout: string } }) => result.stdout)).toEqual(
				json.jobs.map(() => ''),
			);
			pages.push(json.jobs.map(({ jobId }: { jobId: string }) => jobId));
			if (json.next === null) break;
			before = `&before=${json.next}`;
		}
		expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
	});

	it('are found by their state', async () => {
		const { ann } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const found = await Promise.all(
			['running', 'ended'].map(async (state) => (await ann.get(`/v2/jobs?state=${state}`)).json.jobs.length),
		);
		expect(found).toEqual([1, 0]);
		await ann.post(`/v2/jobs/${jobId}/cancel`);
	});

	it.each(['no-such-job', '../etc', '%2e%2e', 'a b', 'x'.repeat(65), '\u0000'])(
		'that are none (%j) are not found',
		async (id) => {
			const { ann } = await nativeAgent();
			const { status, json } = await ann.get(`/v2/jobs/${encodeURIComponent(id)}`);
			expect([status, json.error.code]).toEqual([404, 'JOB_NOT_FOUND']);
		},
	);
});

describe('waiting', () => {
	it('ends with the job', async () => {
		const { ann } = await nativeAgent({ act: later(100) });
		const { jobId } = (await ann.submit(uptime)).json;
		expect((await ann.get(`/v2/jobs/${jobId}/wait`)).json.state).toBe('ended');
	});

	it('ends with its time', async () => {
		const { ann } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		expect((await ann.get(`/v2/jobs/${jobId}/wait?ms=50`)).json.state).toBe('running');
	});

	it('ends at once for a job that waits for approval', async () => {
		const { ann } = await nativeAgent({ decide: () => decided('ask') });
		const { jobId } = (await ann.submit(uptime)).json;
		const { json } = await ann.get(`/v2/jobs/${jobId}/wait?ms=60000`);
		expect([json.state, json.approvalId]).toEqual(['awaiting_approval', expect.stringMatching(/^apr-/)]);
	});

	it('ends when the agent stops', async () => {
		const { ann, stop } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const waiting = ann.get(`/v2/jobs/${jobId}/wait?ms=60000`);
		await new Promise((resolve) => setTimeout(resolve, 300));
		const stopped = stop();
		expect((await waiting).status).toBe(200);
		await stopped;
	});
});

describe('cancelling', () => {
	it('answers when the job is gone', async () => {
		const { ann } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const { status, json } = await ann.post(`/v2/jobs/${jobId}/cancel`);
		expect([status, json.state, json.result.status, json.isConfirmedDead]).toEqual([200, 'ended', 'cancelled', true]);
	});

	it('of a job that is over changes nothing', async () => {
		const { ann } = await nativeAgent({ act: hello });
		const { json } = await ann.submit(uptime, {}, '/v2/jobs?wait=5000');
		expect((await ann.post(`/v2/jobs/${json.jobId}/cancel`)).json).toEqual(json);
	});

	it('is not for others, nor for those who may only look', async () => {
		const { ann, eve, vic, bob } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const codes = [];
		for (const client of [eve, vic, bob]) codes.push((await client.post(`/v2/jobs/${jobId}/cancel`)).json.error.code);
		expect(codes).toEqual(['JOB_NOT_FOUND', 'AUTH_FORBIDDEN', 'AUTH_FORBIDDEN']);
		expect((await ann.get(`/v2/jobs/${jobId}`)).json.state).toBe('running');
	});
});

describe('explaining', () => {
	it('says what the policy would say, and runs and records nothing', async () => {
		const { ann, desk } = await nativeAgent({ decide: () => decided('ask') });
		const { status, json } = await ann.post('/v2/explain', { job: uptime });
		expect([status, json, faultsOf('PolicyDecision', json)]).toEqual([200, decided('ask'), null]);
		expect([desk.ran, desk.store.jobs({ limit: 10 })]).toEqual([[], []]);
	});

	it.each([
		['that is no JSON', '{', 'is not JSON'],
		['that is no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'is not UTF-8'],
		['with an unknown field', JSON.stringify({ job: uptime, more: 1 }), 'more'],
		[
			'with half a character',
			'{"job":{"capability":"shell.run","command":{"mode":"script","script":"\\ud800"}}}',
			'half a',
		],
	])('a body %s is refused', async (_, body, words) => {
		const { ann } = await nativeAgent();
		const { status, json } = await ann.send('POST', '/v2/explain', body);
		expect([status, json.error.code]).toEqual([400, 'REQUEST_INVALID']);
		expect(json.error.message).toContain(words);
	});
});

describe('about the agent', () => {
	it('health tells device and clock', async () => {
		const { ann } = await nativeAgent();
		const { json } = await ann.get('/v2/health');
		expect(json).toEqual({ status: 'ok', deviceId: 'device-1', version: '0.0.0', time: expect.any(Number) });
		expect([Math.abs(json.time - Date.now()) < 5_000, faultsOf('Health', json)]).toEqual([true, null]);
	});

	it('capabilities tell who the key is, what it may ask for, and which limits hold', async () => {
		const capabilities = () => [{ name: 'shell.run', requiresApproval: false }];
		const { ann } = await nativeAgent({ parts: { capabilities } });
		const { json } = await ann.get('/v2/capabilities');
		expect([json.you, json.faces, json.capabilities, json.limits.bodyBytes, faultsOf('Capabilities', json)]).toEqual([
			{ name: 'ann', roles: ['executor'], capabilities: ['*'] },
			...[['native'], [{ name: 'shell.run', requiresApproval: false, programs: ['cat', 'ls'] }], 262_144, null],
		]);
	});

	it('the document is the one that is published', async () => {
		const { ann } = await nativeAgent();
		expect((await ann.get('/v2/openapi.json')).json).toEqual(JSON.parse(JSON.stringify(nativeDocument())));
	});

	it('the status of the audit is told', async () => {
		const status = { status: 'intact', rows: 3, seal: 'a', checkedRows: 3, checkedAt: 1, details: null } as const;
		const { vic } = await nativeAgent({ parts: { auditStatus: async () => status } });
		const { json } = await vic.get('/v2/audit/status');
		expect([json, faultsOf('AuditStatus', json)]).toEqual([status, null]);
	});
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../../src/contract/device-job.ts';
import { problemFor } from '../../../../src/contract/error.ts';
import type { Principal } from '../../../../src/contract/principal.ts';
import { cutMark } from '../../../../src/core/text.ts';
import {
	type Act,
	type Desk,
	type DeskOptions,
	decided,
	goodEnd,
	openDesk,
	person,
	submission,
	untilStopped,
} from '../../../helpers/desk.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

let dir: string;
let desk: Desk;
const begin = (options: DeskOptions = {}): Desk => {
	desk = openDesk(dir, options);
	return desk;
};
/** What a crash leaves: the store is closed under the feet of the desk. */
const restart = async (options: DeskOptions = {}): Promise<Desk> => {
	desk.store.close();
	begin(options);
	await desk.jobs.resume();
	return desk;
};

beforeEach(() => {
	dir = tempFolder();
});
afterEach(() => desk.store.close());

const ann = person('ann');
const bob = person('bob', { roles: ['approver'] });
const over = (jobId: string) => desk.jobs.settle(jobId, 5_000);
const run = async (options: DeskOptions = {}, principal: Principal = ann) => {
	begin(options);
	const { jobId } = await desk.jobs.submit(principal, submission());
	return over(jobId);
};
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => 'done',
		(error: { code?: string }) => error.code,
	);

const saying =
	(text: string, more: object = {}): Act =>
	async (_job, io) => {
		io.onOutput('stdout', Buffer.from(text));
		return { ...goodEnd, ...more };
	};

describe('a job that the policy allows', () => {
	it('runs exactly what was planned and is on record from its acceptance to its end', async () => {
		const job = await run({ act: saying('hello\n') });
		expect(desk.ran.map(({ plan }) => plan)).toEqual([{ mode: 'argv', argv: ['/usr/bin/true'] }]);
		expect([job.state, job.result?.status, job.result?.exitCode, job.result?.stdout, job.isConfirmedDead]).toEqual([
			'ended',
			'succeeded',
			0,
			'hello\n',
			true,
		]);
		expect(desk.changes.map(({ state }) => state)).toEqual(['queued', 'running', 'ended']);
	});

	it('keeps its whole output in the store and head and tail in its result', async () => {
		const text = `begin ${'x'.repeat(100_000)} end`;
		const job = await run({ act: saying(text) });
		const { bytes, eof } = await desk.jobs.read(job.jobId, 'stdout', 0, 200_000);
		expect([bytes.toString() === text, eof, job.result?.truncated.stdout]).toEqual([true, true, true]);
		expect(job.result?.stdout).toMatch(/^begin x+\n\[… \d+ bytes cut …\]\nx+ end$/);
	});

	it('is held back while the disk is slower, and loses nothing', async () => {
		const bytes = 20_000_000;
		const act: Act = async (_job, io) => {
			for (let left = bytes; left > 0; left -= 50_000) await io.onOutput('stdout', Buffer.alloc(50_000, 'x'));
			return goodEnd;
		};
		const { output } = await run({ act });
		expect(output.stdout).toEqual({ totalBytes: bytes, storedBytes: bytes, isComplete: true });
	});

	it('goes on when it has printed what is kept of it, and its result says how much is missing', async () => {
		const act: Act = async (_job, io) => {
			for (const part of ['abc', 'défg', 'hij']) io.onOutput('stdout', Buffer.from(part));
			io.onOutput('stderr', Buffer.from('late'));
			return { ...goodEnd, exit: { code: 3, signal: null } };
		};
		const job = await run({ act, decide: () => ({ ...decided('allow'), limits: { outputBytes: 5 } }) });
		const { bytes } = await desk.jobs.read(job.jobId, 'stdout', 0, 100);
		expect([bytes.toString(), job.output.stdout, job.output.stderr]).toEqual([
			'abcd',
			{ totalBytes: 11, storedBytes: 4, isComplete: true },
			{ totalBytes: 4, storedBytes: 0, isComplete: true },
		]);
		expect(job.result).toMatchObject({
			...{ status: 'failed', exitCode: 3, problem: null },
			...{ stdout: `abcd${cutMark(7)}`, stderr: cutMark(4), truncated: { stdout: true, stderr: true } },
		});
	});

	it('tells its story in the order of time, and its end when it ended', async () => {
		let time = 0;
		const act: Act = async (_job, io) => {
			for (const part of ['one\n', 'two\n', 'three\n']) io.onOutput('stdout', Buffer.from(part));
			return goodEnd;
		};
		const { jobId, endedAt } = await run({ act, now: () => ++time });
		const times: number[] = [];
		for await (const { at } of desk.jobs.watch(jobId, 0, AbortSignal.timeout(5_000))) times.push(at);
		expect(times).toEqual([...times].sort((a, b) => a - b));
		expect(times.slice(-2)).toEqual([endedAt, endedAt]);
	});

	it.each([
		['an exit code', { exit: { code: 3, signal: null } }, 'failed', null],
		['its time limit', { exit: null, stopped: 'timeout' }, 'timed_out', 'LIMIT_TIME'],
		['its silence', { exit: null, stopped: 'idle' }, 'timed_out', 'LIMIT_IDLE'],
		['too much output', { exit: null, stopped: 'output' }, 'output_exceeded', 'LIMIT_OUTPUT'],
		['a signal', { exit: { code: null, signal: 'SIGSEGV' } }, 'killed', 'PROGRAM_SIGNALLED'],
		['a fault of the sandbox', { exit: null, fault: 'no ground' }, 'broken', 'SANDBOX_BROKEN'],
	])('says that %s ended it', async (_what, outcome, status, code) => {
		const { result } = await run({ act: async () => ({ ...goodEnd, ...(outcome as object) }) });
		expect([result?.status, result?.problem?.code ?? null]).toEqual([status, code]);
	});
});

describe('a job whose runner fails in a way that nobody foresaw', () => {
	it('ends as broken, on record, and says nothing of the inside', async () => {
		const job = await run({
			act: async () => {
				throw new Error('ENOSPC: no space left on device, mkdtemp /tmp/secret');
			},
		});
		expect([job.state, job.result?.status, job.result?.problem?.code]).toEqual(['ended', 'broken', 'INTERNAL']);
		expect(JSON.stringify(job)).not.toContain('secret');
	});
});

describe('a job that is refused', () => {
	it('by the policy is recorded with its reasons, and nothing runs', async () => {
		const job = await run({ decide: () => decided('deny') });
		expect([job.state, job.result?.status, job.result?.problem, job.startedAt]).toEqual([
			'ended',
			'denied',
			problemFor('POLICY_DENIED', { why: 'the test says so', rule: 'test/rule' }),
			null,
		]);
		expect(desk.ran).toEqual([]);
	});

	it.each([
		['without the role of an executor', person('eve', { roles: ['viewer'] })],
		['without the capability', person('eve', { capabilities: ['fs.read'] })],
		['with no capability at all', person('eve', { capabilities: [] })],
	])('for a key %s is not even a job', async (_what, eve) => {
		begin();
		expect(await codeOf(desk.jobs.submit(eve, submission()))).toBe('AUTH_FORBIDDEN');
		expect(desk.store.jobs({ limit: 10 })).toEqual([]);
	});

	it('when its nonce came before, also after a restart', async () => {
		begin();
		const fresh = submission({}, { freshness: { nonce: 'n-1', expiresAt: Date.now() + 60_000 } });
		await desk.jobs.submit(ann, fresh);
		const again = await codeOf(desk.jobs.submit(ann, fresh));
		await restart();
		expect([again, await codeOf(desk.jobs.submit(ann, fresh))]).toEqual(['REQUEST_REPLAYED', 'REQUEST_REPLAYED']);
	});

	it('once when the same id comes twice at the same moment, and the other hears that it came before', async () => {
		begin({ decide: () => decided('deny'), queueLength: 2 });
		const one = () => codeOf(desk.jobs.submit(ann, submission({}, { clientId: 'same' })));
		const codes = [...(await Promise.all([one(), one()])), ...(await Promise.all([one(), one()]))];
		expect(codes.sort()).toEqual(['REQUEST_REPLAYED', 'REQUEST_REPLAYED', 'REQUEST_REPLAYED', 'done']);
		expect(await codeOf(desk.jobs.submit(ann, submission()))).toBe('done');
	});

	it('when its key sends too much', async () => {
		begin({ rates: { admit: () => ({ details: 'too many', seconds: 7 }) } });
		expect(await codeOf(desk.jobs.submit(ann, submission()))).toBe('RATE_LIMITED');
	});

	it('when too many wait for their turn, and may come again when fewer do', async () => {
		begin({ act: untilStopped, slots: 1, queueLength: 1 });
		const third = submission({ idempotencyKey: 'third' });
		const codes = await Promise.all(
			[submission(), submission(), third].map((one) => codeOf(desk.jobs.submit(ann, one))),
		);
		expect(codes).toEqual(['done', 'done', 'QUEUE_FULL']);
		expect(desk.store.jobs({ limit: 10 })).toHaveLength(2);
		for (const { jobId } of desk.store.jobs({ limit: 10 })) await desk.jobs.cancel(ann, jobId);
		expect(await codeOf(desk.jobs.submit(ann, third))).toBe('done');
		await desk.jobs.stop(0);
	});
});

describe('a job that needs approval', () => {
	const asking = { decide: () => decided('ask') };
	const asked = async (options: DeskOptions = {}, given = submission()) => {
		begin({ ...asking, ...options });
		const job = await desk.jobs.submit(ann, given);
		return { jobId: job.jobId, approvalId: job.approvalId ?? '', state: job.state };
	};

	it('waits, runs once somebody else says yes, and uses the approval up', async () => {
		const { jobId, approvalId, state } = await asked();
		await desk.approvals.answer(bob, approvalId, { answer: 'approve' });
		await new Promise((resolve) => setTimeout(resolve, 50));
		const job = await over(jobId);
		expect([state, job.result?.status, desk.approvals.get(bob, approvalId)?.state, desk.ran.length]).toEqual([
			'awaiting_approval',
			'succeeded',
			'consumed',
			1,
		]);
	});

	it('is denied with the reason of who denied it', async () => {
		const { jobId, approvalId } = await asked();
		await desk.approvals.answer(bob, approvalId, { answer: 'deny', reason: 'not on a Friday' });
		await expect
			.poll(() => desk.store.job(jobId)?.result?.problem)
			.toEqual(problemFor('APPROVAL_DENIED', { who: 'bob', why: 'not on a Friday' }));
		expect(desk.ran).toEqual([]);
	});

	it('expires when nobody answers', async () => {
		const { jobId, approvalId } = await asked({ config: { approvals: { expiryMs: 1_000 } } });
		await expect.poll(() => desk.store.job(jobId)?.state, { timeout: 5_000 }).toBe('ended');
		expect([desk.store.job(jobId)?.result?.problem?.code, desk.approvals.get(bob, approvalId)?.state]).toEqual([
			'APPROVAL_EXPIRED',
			'expired',
		]);
		expect(await codeOf(desk.approvals.answer(bob, approvalId, { answer: 'approve' }))).toBe('APPROVAL_OVER');
	});

	it.each<[string, Principal, object, string]>([
		['who asked for it, even as admin', person('ann', { roles: ['admin'] }), {}, 'APPROVAL_FORBIDDEN'],
		['who is no approver', person('carl'), {}, 'JOB_NOT_FOUND'],
		['who may only look', person('carl', { roles: ['viewer'] }), {}, 'JOB_NOT_FOUND'],
	])('cannot be approved by one %s', async (_what, principal, _more, code) => {
		const { approvalId } = await asked();
		expect(await codeOf(desk.approvals.answer(principal, approvalId, { answer: 'approve' }))).toBe(code);
		expect(desk.approvals.get(bob, approvalId)?.state).toBe('pending');
		await desk.jobs.stop(0);
	});

	it('that is dangerous must be approved in typed words', async () => {
		const { approvalId } = await asked({ decide: () => decided('ask', { isHighRisk: true }) });
		const answers = ['', 'yes', `approve ${approvalId}`, `APPROVE ${approvalId}`].map((typed) => ({
			answer: 'approve' as const,
			typed,
		}));
		const codes = [];
		for (const answer of answers) codes.push(await codeOf(desk.approvals.answer(bob, approvalId, answer)));
		expect(codes).toEqual(['APPROVAL_FORBIDDEN', 'APPROVAL_FORBIDDEN', 'APPROVAL_FORBIDDEN', 'done']);
	});

	it('that two must approve is not approved by one person twice', async () => {
		const { jobId, approvalId } = await asked({ config: { approvals: { needed: 2 } } });
		const once = (await desk.approvals.answer(bob, approvalId, { answer: 'approve' })).state;
		const twice = await codeOf(desk.approvals.answer(bob, approvalId, { answer: 'approve' }));
		const carl = person('carl', { roles: ['approver'] });
		const other = (await desk.approvals.answer(carl, approvalId, { answer: 'approve' })).state;
		await expect.poll(() => desk.store.job(jobId)?.state).toBe('ended');
		expect([once, twice, other, desk.ran.length]).toEqual(['pending', 'APPROVAL_FORBIDDEN', 'approved', 1]);
	});

	it('that two must approve counts both when they answer at the same moment, and one person once', async () => {
		const { jobId, approvalId } = await asked({ config: { approvals: { needed: 2 } } });
		const yes = (who: Principal) => codeOf(desk.approvals.answer(who, approvalId, { answer: 'approve' }));
		const carl = person('carl', { roles: ['approver'] });
		const twice = await Promise.all([yes(bob), yes(bob)]);
		const thrice = await Promise.all([yes(bob), yes(carl)]);
		await expect.poll(() => desk.store.job(jobId)?.state).toBe('ended');
		expect([twice.sort(), thrice.sort(), desk.store.approval(approvalId)?.approvedBy]).toEqual([
			['APPROVAL_FORBIDDEN', 'done'],
			['APPROVAL_FORBIDDEN', 'done'],
			['bob', 'carl'],
		]);
	});

	it('that two must approve keeps two answers of the same moment', async () => {
		const { approvalId } = await asked({ config: { approvals: { needed: 2 } } });
		const carl = person('carl', { roles: ['approver'] });
		const both = [bob, carl].map((who) => desk.approvals.answer(who, approvalId, { answer: 'approve' }));
		const states = (await Promise.all(both)).map(({ state }) => state);
		expect([states, desk.store.approval(approvalId)?.approvedBy]).toEqual([
			['pending', 'approved'],
			['bob', 'carl'],
		]);
	});

	it('that is answered in the moment in which its job is cancelled ends cancelled', async () => {
		const { jobId, approvalId } = await asked();
		const answered = desk.approvals.answer(bob, approvalId, { answer: 'approve' });
		const job = await desk.jobs.cancel(ann, jobId);
		expect([(await answered).state, job.result?.status, desk.ran]).toEqual(['approved', 'cancelled', []]);
	});

	it('takes one of two answers that come at the same moment', async () => {
		const { approvalId } = await asked();
		const carl = person('carl', { roles: ['approver'] });
		const codes = await Promise.all([
			codeOf(desk.approvals.answer(bob, approvalId, { answer: 'approve' })),
			codeOf(desk.approvals.answer(carl, approvalId, { answer: 'deny', reason: 'no' })),
		]);
		expect(codes.sort()).toEqual(['APPROVAL_OVER', 'done']);
	});

	it('is withdrawn with its job', async () => {
		const { jobId, approvalId } = await asked();
		const job = await desk.jobs.cancel(ann, jobId);
		expect([job.result?.status, desk.approvals.get(bob, approvalId)?.state, desk.ran]).toEqual([
			'cancelled',
			'cancelled',
			[],
		]);
	});

	it('is turned away when too many of the same key wait already', async () => {
		begin({ ...asking, config: { approvals: { pendingPerPrincipal: 2 } } });
		const jobs = [];
		for (let count = 0; count < 3; count++) jobs.push(await desk.jobs.submit(ann, submission()));
		expect(jobs.map(({ state, result }) => [state, result?.problem?.code])).toEqual([
			['awaiting_approval', undefined],
			['awaiting_approval', undefined],
			['ended', 'APPROVALS_FULL'],
		]);
	});

	it('waits on after a restart, and an approval from then lets it run', async () => {
		const { jobId, approvalId } = await asked();
		await restart(asking);
		await desk.approvals.answer(bob, approvalId, { answer: 'approve' });
		await expect.poll(() => desk.store.job(jobId)?.result?.status).toBe('succeeded');
		expect(desk.ran.length).toBe(1);
	});

	it('is not run on an approval that was given under another policy', async () => {
		const { jobId, approvalId } = await asked();
		await restart({ decide: () => decided('ask', { policyHash: 'b'.repeat(64) }) });
		await desk.approvals.answer(bob, approvalId, { answer: 'approve' });
		await expect.poll(() => desk.store.job(jobId)?.result?.problem?.code).toBe('APPROVAL_EXPIRED');
		expect(desk.ran).toEqual([]);
	});

	it('is mirrored line by line for tools that read the queue of device_agent', async () => {
		const mirror = join(dir, 'approval_queue.jsonl');
		const command = { mode: 'script', script: 'true | "$x"', shell: 'auto' } as const;
		const { approvalId } = await asked({ mirror }, submission({ command }, { clientId: 'r-1' }));
		await desk.approvals.answer(bob, approvalId, { answer: 'approve' });
		const lines = readFileSync(mirror, 'utf8').trim().split('\n');
		const parsed = lines.map((line) => ({ ...JSON.parse(line), ts: '' }));
		const line = {
			ts: '',
			request_id: 'r-1',
			approval_id: approvalId,
			cmd: 'true | "$x"',
			cwd: '',
			capability: 'shell.run',
		};
		expect(parsed).toEqual([
			{ ...line, status: 'pending' },
			{ ...line, status: 'approved' },
		]);
	});
});

describe('the same key of idempotency', () => {
	const keyed = () => submission({ idempotencyKey: 'k-1' });

	it('is the same job, also when both come at once, and runs once', async () => {
		begin();
		const jobs = await Promise.all([desk.jobs.submit(ann, keyed()), desk.jobs.submit(ann, keyed())]);
		const later = await desk.jobs.submit(ann, keyed());
		await over(later.jobId);
		expect([new Set([...jobs, later].map(({ jobId }) => jobId)).size, desk.ran.length]).toEqual([1, 1]);
	});

	it('is the same job after a restart', async () => {
		begin();
		const { jobId } = await desk.jobs.submit(ann, keyed());
		await over(jobId);
		await restart();
		expect([(await desk.jobs.submit(ann, keyed())).jobId, desk.ran]).toEqual([jobId, []]);
	});

	it('of another principal is another job', async () => {
		begin();
		const one = await desk.jobs.submit(ann, keyed());
		const other = await desk.jobs.submit(person('carl'), keyed());
		expect(one.jobId).not.toBe(other.jobId);
	});
});

describe('a cancelled job', () => {
	it('that runs is ended, and the answer comes when nothing is left of it', async () => {
		begin({ act: untilStopped });
		const { jobId } = await desk.jobs.submit(ann, submission());
		await expect.poll(() => desk.store.job(jobId)?.state).toBe('running');
		const job = await desk.jobs.cancel(ann, jobId);
		expect([job.state, job.result?.status, job.isConfirmedDead]).toEqual(['ended', 'cancelled', true]);
	});

	it('that waits for its turn never runs', async () => {
		begin({ act: untilStopped, slots: 1 });
		const first = await desk.jobs.submit(ann, submission());
		const second = await desk.jobs.submit(ann, submission());
		const job = await desk.jobs.cancel(ann, second.jobId);
		expect([job.result?.status, desk.ran.map(({ jobId }) => jobId)]).toEqual(['cancelled', [first.jobId]]);
		await desk.jobs.stop(0);
	});

	it('that is over stays as it ended', async () => {
		const { jobId } = await run();
		expect((await desk.jobs.cancel(ann, jobId)).result?.status).toBe('succeeded');
	});

	it('cannot be another one’s', async () => {
		const { jobId } = await run();
		expect(await codeOf(desk.jobs.cancel(person('carl'), jobId))).toBe('JOB_NOT_FOUND');
		expect(await codeOf(desk.jobs.cancel(person('vic', { roles: ['viewer'] }), jobId))).toBe('JOB_NOT_FOUND');
	});

	it('cannot be another one’s, or its output deleted, by a key that runs jobs and may look at others', async () => {
		const { jobId } = await run({ act: saying('text') });
		const both = person('both', { roles: ['executor', 'viewer'] });
		const codes = [await codeOf(desk.jobs.cancel(both, jobId)), desk.jobs.forget(both, jobId)];
		const admin = person('root', { roles: ['admin'] });
		expect([...codes, desk.jobs.forget(admin, jobId)]).toEqual(['JOB_NOT_FOUND', false, true]);
	});
});

describe('what a job printed', () => {
	it('is deleted by its owner, and by nobody who may only look', async () => {
		const { jobId } = await run({ act: saying('text') });
		const looked = desk.jobs.forget(person('vic', { roles: ['viewer'] }), jobId);
		const kept = (await desk.jobs.read(jobId, 'stdout', 0, 10)).bytes.toString();
		expect([looked, kept, desk.jobs.forget(ann, jobId)]).toEqual([false, 'text', true]);
	});
});

describe('who may see a job', () => {
	it.each<[string, Principal, boolean]>([
		['its owner', ann, true],
		['another executor', person('carl'), false],
		['a viewer', person('vic', { roles: ['viewer'] }), true],
		['an approver', bob, true],
		['one without a role', person('nil', { roles: [] }), false],
	])('%s', async (_who, principal, sees) => {
		const { jobId } = await run();
		const isListed = desk.jobs.list(principal, { limit: 10 }).some((job) => job.jobId === jobId);
		expect([desk.jobs.get(principal, jobId) !== undefined, isListed]).toEqual([sees, sees]);
	});
});

describe('a restart', () => {
	it('reports a job that was running as lost and never runs it again', async () => {
		begin({ act: () => new Promise(() => {}) });
		const { jobId } = await desk.jobs.submit(ann, submission());
		await expect.poll(() => desk.store.job(jobId)?.state).toBe('running');
		await restart();
		const events: JobEvent['type'][] = [];
		for await (const { type } of desk.jobs.watch(jobId, 0, AbortSignal.timeout(5_000))) events.push(type);
		expect([desk.store.job(jobId)?.state, desk.ran, events]).toEqual(['lost', [], ['state', 'state', 'state', 'end']]);
	});

	it('runs a job that had not begun, once', async () => {
		begin({ act: () => new Promise(() => {}), slots: 1 });
		await desk.jobs.submit(ann, submission());
		const { jobId } = await desk.jobs.submit(ann, submission());
		await restart();
		await expect.poll(() => desk.store.job(jobId)?.result?.status).toBe('succeeded');
		expect(desk.ran.map((job) => job.jobId)).toEqual([jobId]);
	});

	it('ends a job that had not begun when it is cancelled at once', async () => {
		begin({ decide: () => decided('ask') });
		const { jobId } = await desk.jobs.submit(ann, submission());
		await restart({ decide: () => decided('ask') });
		const job = await desk.jobs.cancel(ann, jobId);
		expect([job.state, job.result?.status]).toEqual(['ended', 'cancelled']);
	});

	it('lets the policy of now decide about what waited', async () => {
		begin({ act: () => new Promise(() => {}), slots: 1 });
		await desk.jobs.submit(ann, submission());
		const { jobId } = await desk.jobs.submit(ann, submission());
		await restart({ decide: () => decided('deny') });
		await expect.poll(() => desk.store.job(jobId)?.result?.problem?.code).toBe('POLICY_DENIED');
		expect(desk.ran).toEqual([]);
	});
});

describe('a desk that stops', () => {
	it('takes no more jobs, lets what runs end within its time, and leaves what waits for the next start', async () => {
		begin({ act: () => new Promise((resolve) => setTimeout(() => resolve(goodEnd), 100)), slots: 1 });
		const first = await desk.jobs.submit(ann, submission());
		const second = await desk.jobs.submit(ann, submission());
		await expect.poll(() => desk.store.job(first.jobId)?.state).toBe('running');
		const stopped = desk.jobs.stop(5_000);
		expect(await codeOf(desk.jobs.submit(ann, submission()))).toBe('AGENT_STOPPING');
		await stopped;
		const states = [first, second].map(({ jobId }) => desk.store.job(jobId)?.state);
		expect([states, desk.ran.length]).toEqual([['ended', 'queued'], 1]);
	});

	it('cancels what still runs when its time is over', async () => {
		begin({ act: untilStopped });
		const { jobId } = await desk.jobs.submit(ann, submission());
		await expect.poll(() => desk.store.job(jobId)?.state).toBe('running');
		await desk.jobs.stop(20);
		expect(desk.store.job(jobId)?.result?.status).toBe('cancelled');
	});
});

describe('an audit that cannot be written', () => {
	it('lets nothing run', async () => {
		begin();
		const other = new DatabaseSync(join(dir, 'state', 'agent.db'));
		other.exec('BEGIN IMMEDIATE');
		expect(await codeOf(desk.jobs.submit(ann, submission()))).toBe('AUDIT_BROKEN');
		other.close();
		expect([desk.ran, desk.store.jobs({ limit: 10 })]).toEqual([[], []]);
	});
});

describe('an idempotency key', () => {
	const key = { idempotencyKey: 'k' };
	const codeFor = async (more: object) => codeOf(desk.jobs.submit(ann, submission({ ...key, ...more } as never)));

	it.each([
		['other words', { command: { mode: 'argv', argv: ['false'] } }],
		['another folder', { cwd: '/srv' }],
		['other variables', { env: { A: '2' } }],
		['another time', { timeoutMs: 6000 }],
		['no time', { timeoutMs: undefined }],
		['other input', { stdin: 'b' }],
		['less memory', { memoryBytes: 32 * 1024 * 1024 }],
		['no network', { network: 'none' }],
		['fewer paths', { paths: ['/usr'] }],
		['another image', { image: 'alpine' }],
	])('does not stand for a job with %s', async (_what, more) => {
		begin();
		const base = { env: { A: '1' }, timeoutMs: 5000, stdin: 'a' };
		const { jobId } = await desk.jobs.submit(ann, submission({ ...key, ...base }));
		expect(await codeFor({ ...base, ...more })).toBe('REQUEST_REPLAYED');
		const again = submission({ ...key, ...base, labels: { execution: 'another' } as never });
		expect((await desk.jobs.submit(ann, again)).jobId).toBe(jobId);
	});

	it('stands for the first of two other jobs that come at the same moment', async () => {
		begin();
		const ways = await Promise.allSettled([
			desk.jobs.submit(ann, submission({ ...key, stdin: 'a' })),
			desk.jobs.submit(ann, submission({ ...key, stdin: 'b' })),
		]);
		expect(ways.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
	});
});

describe('a nonce', () => {
	const fresh = (nonce: string) => submission({}, { freshness: { nonce, expiresAt: Date.now() + 60_000 } });

	it('is not used up by a request that comes too often, and good for one that comes later', async () => {
		let isFull = true;
		begin({ rates: { admit: () => (isFull ? { details: 'too many', seconds: 1 } : undefined) } });
		expect(await codeOf(desk.jobs.submit(ann, fresh('n')))).toBe('RATE_LIMITED');
		isFull = false;
		expect(await codeOf(desk.jobs.submit(ann, fresh('n')))).toBe('done');
		expect(await codeOf(desk.jobs.submit(ann, fresh('n')))).toBe('REQUEST_REPLAYED');
	});

	it('that was used costs its owner nothing of what may come', async () => {
		let counted = 0;
		begin({
			rates: {
				admit: () => {
					counted++;
					return undefined;
				},
			},
		});
		await desk.jobs.submit(ann, fresh('n'));
		await codeOf(desk.jobs.submit(ann, fresh('n')));
		expect(counted).toBe(1);
	});
});

describe('many who watch a job that is over', () => {
	it('all hear all of it, from where they ask on, and leave nothing behind', async () => {
		const { jobId } = await run({ act: saying('hello\n') });
		const heard = async (after: number): Promise<number[]> => {
			const events: number[] = [];
			for await (const event of desk.jobs.watch(jobId, after, AbortSignal.timeout(5_000))) events.push(event.seq);
			return events;
		};
		const [all = [], rest] = await Promise.all([heard(0), heard(2), heard(0)]);
		expect(rest).toEqual(all.slice(2));
		expect(await heard(0)).toEqual(all);
	});
});

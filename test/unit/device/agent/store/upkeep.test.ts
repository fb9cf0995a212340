/** What the store does by itself: nonces that end, output that gets old or too much, and order after a crash. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Approval } from '../../../../../src/contract/approval.ts';
import { verifyAudit } from '../../../../../src/core/audit/verify.ts';
import type { Store } from '../../../../../src/device/agent/ports.ts';
import type { StoreOptions } from '../../../../../src/device/agent/store/open.ts';
import { query } from '../../../../helpers/audit.ts';
import {
	accepted,
	addJob,
	agentConfig,
	agentFolder,
	jobRow,
	openTestStore,
	runJob,
} from '../../../../helpers/store.ts';

const hour = 3_600_000;

/** A store whose clock stands still until it is moved. */
function clocked(dir: string, options: Partial<StoreOptions> = {}) {
	const clock = { now: Date.parse('2026-05-24T10:00:00.000Z') };
	return { clock, store: openTestStore(dir, { now: () => clock.now, ...options }) };
}

const removals = (dir: string) =>
	query(dir, "SELECT detail FROM audit JOIN audit_detail USING (seq) WHERE event = 'output.remove' ORDER BY seq").map(
		(row) => JSON.parse(row.detail as string),
	);

const isStored = (dir: string, jobId: string) => existsSync(join(dir, 'state', 'output', jobId));

const keptOf = (store: Store, ...jobIds: string[]) => jobIds.map((jobId) => store.job(jobId)?.output.isKept);

describe('a nonce', () => {
	it('is new once in its scope, until it expires', () => {
		const { store, clock } = clocked(agentFolder());
		expect(store.firstTime('a', 'n', clock.now + 1000)).toBe(true);
		expect(store.firstTime('a', 'n', clock.now + 1000)).toBe(false);
		expect(store.firstTime('b', 'n', clock.now + 1000)).toBe(true);
		clock.now += 1001;
		expect(store.firstTime('a', 'n', clock.now + 1000)).toBe(true);
	});

	it('is known after a restart, and removed when it has expired', async () => {
		const dir = agentFolder();
		const { store, clock } = clocked(dir);
		for (let n = 0; n < 100; n++) store.firstTime('a', `n-${n}`, clock.now + (n < 50 ? 1000 : hour));
		await store.change(() => {});
		store.close();
		const second = clocked(dir);
		second.clock.now += 2000;
		expect(second.store.firstTime('a', 'n-99', clock.now + hour)).toBe(false);
		await second.store.recover();
		expect(query(dir, 'SELECT count(*) AS count FROM nonces')).toEqual([{ count: 50 }]);
	});

	it('takes any text and any time', async () => {
		const { store } = clocked(agentFolder());
		expect(store.firstTime('a\0b', '\ud800', Number.POSITIVE_INFINITY)).toBe(true);
		expect(store.firstTime('a\0b', '\ud800', 0.5)).toBe(false);
		await store.change(() => {});
		expect(store.firstTime('a\0b', '\ud800', 1)).toBe(false);
	});
});

describe('stored output', () => {
	const retention = { idleMs: hour, hardMs: 24 * hour };

	it('goes when nobody has read it for long, and stays while somebody does', async () => {
		vi.useFakeTimers({ toFake: ['setInterval'] });
		const dir = agentFolder();
		const { store, clock } = clocked(dir, { config: agentConfig({ retention }) });
		for (const jobId of ['idle', 'read']) await runJob(store, await addJob(store, { jobId }), `of ${jobId}`);
		clock.now += hour - 1000;
		await store.output('read').read('stdout', 0, 10);
		vi.advanceTimersByTime(60_000);
		await store.change(() => {});
		expect(keptOf(store, 'idle', 'read')).toEqual([true, true]);
		clock.now += 2000;
		vi.advanceTimersByTime(60_000);
		await expect.poll(() => isStored(dir, 'idle')).toBe(false);
		expect(keptOf(store, 'idle', 'read')).toEqual([false, true]);
		expect(removals(dir)).toEqual([{ reason: 'age', bytes: 7, jobs: ['idle'] }]);
		vi.useRealTimers();
	});

	it('goes in the end, read or not', async () => {
		const dir = agentFolder();
		const { store, clock } = clocked(dir, { config: agentConfig({ retention }) });
		await runJob(store, await addJob(store), 'text');
		clock.now += 24 * hour + 1000;
		await store.output('job-1').read('stdout', 0, 10);
		await store.recover();
		await expect.poll(() => isStored(dir, 'job-1')).toBe(false);
		expect(store.job('job-1')).toMatchObject({ state: 'ended', output: { isKept: false, stdout: { totalBytes: 4 } } });
	});

	it('of one principal gives way from the oldest on when it is too much', async () => {
		const dir = agentFolder();
		const limits = { ...agentConfig().limits, storeBytes: 25 };
		const { store } = clocked(dir, { config: agentConfig({ limits }) });
		for (const jobId of ['a', 'b', 'c', 'd']) await runJob(store, await addJob(store, { jobId }), '0123456789');
		const other = jobRow({ jobId: 'e', principal: { ...jobRow().principal, name: 'bob' } });
		await store.change((tx) => tx.addJob(other, 'queued'), accepted('e'));
		await runJob(store, other, '0123456789');
		await expect.poll(() => isStored(dir, 'b')).toBe(false);
		expect(store.status().outputBytes).toBe(30);
		expect(keptOf(store, 'a', 'b', 'c', 'd', 'e')).toEqual([false, false, true, true, true]);
		expect(removals(dir).map(({ reason, jobs }) => [reason, ...jobs])).toEqual([
			['quota', 'a'],
			['quota', 'b'],
		]);
		expect(await verifyAudit({ dir })).toMatchObject({ status: 'intact' });
	});
});

const approval = (changes: Partial<Approval> = {}): Approval => ({
	...{ approvalId: 'apr-1', jobId: 'job-1', digest: 'd', requester: 'alice', capability: 'shell.exec', cwd: null },
	...{ plan: { mode: 'argv', argv: ['ls'] }, shown: 'ls', reasons: [], isHighRisk: false, state: 'pending' },
	...{ approvedBy: [], needed: 1, answeredBy: null, reason: null, requestedAt: 1, expiresAt: 2, answeredAt: null },
	...changes,
});

describe('requests for approval', () => {
	it('are kept with their changes, and found by id, job and state', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		await store.change((tx) => {
			tx.addApproval(approval());
			tx.addApproval(approval({ approvalId: 'apr-2', jobId: 'job-2' }));
			tx.setApproval('apr-1', { state: 'approved', approvedBy: ['bob'], answeredAt: 5 });
		});
		store.close();
		const again = openTestStore(dir);
		const first = approval({ state: 'approved', approvedBy: ['bob'], answeredAt: 5 });
		const second = approval({ approvalId: 'apr-2', jobId: 'job-2' });
		expect(again.approval('apr-1')).toEqual(first);
		expect(again.approvalOfJob('job-2')).toEqual(second);
		expect(again.approvals({ limit: 10 })).toEqual([second, first]);
		expect(again.approvals({ state: 'approved', limit: 10 })).toEqual([first]);
		expect([again.approval('x'), again.approvalOfJob('x')]).toEqual([undefined, undefined]);
	});
});

describe('after a crash', () => {
	it('what was accepted is given out, oldest first; what is over its time has expired, with a line of the audit', async () => {
		const dir = agentFolder();
		const first = openTestStore(dir);
		const asked = [
			approval({ approvalId: 'late', jobId: 'job-1', expiresAt: 1000 }),
			approval({ approvalId: 'open', jobId: 'job-2', expiresAt: Date.now() + hour }),
			approval({ approvalId: 'unused', jobId: 'job-3', state: 'approved', expiresAt: 1000 }),
			approval({ approvalId: 'over', jobId: 'job-4', state: 'denied', expiresAt: 1000 }),
		];
		for (const [index, state] of (
			['awaiting_approval', 'awaiting_approval', 'queued', 'ended', 'running'] as const
		).entries())
			await first.change((tx) => tx.addJob(jobRow({ jobId: `job-${index + 1}` }), state), accepted(`job-${index + 1}`));
		await first.change((tx) => {
			for (const one of asked) tx.addApproval(one);
		});
		first.close();
		const store = openTestStore(dir);
		expect((await store.recover()).map(({ jobId }) => jobId)).toEqual(['job-1', 'job-2', 'job-3']);
		expect(store.job('job-5')).toMatchObject({ state: 'lost', result: null, endedAt: expect.any(Number) });
		expect(asked.map(({ approvalId }) => store.approval(approvalId)?.state)).toEqual([
			'expired',
			'pending',
			'expired',
			'denied',
		]);
		expect(
			query(
				dir,
				"SELECT event, jobId, approvalId FROM audit WHERE event IN ('job.lost', 'approval.expire') ORDER BY jobId",
			),
		).toEqual([
			{ event: 'approval.expire', jobId: 'job-1', approvalId: 'late' },
			{ event: 'approval.expire', jobId: 'job-3', approvalId: 'unused' },
			{ event: 'job.lost', jobId: 'job-5', approvalId: null },
		]);
	});

	it('folders of output that no job has are removed', async () => {
		const dir = agentFolder();
		const { mkdirSync } = await import('node:fs');
		const store = openTestStore(dir);
		await runJob(store, await addJob(store), 'text');
		for (const name of ['stranger', '.hidden']) mkdirSync(join(dir, 'state', 'output', name));
		await store.recover();
		expect(['job-1', 'stranger', '.hidden'].map((name) => isStored(dir, name))).toEqual([true, false, false]);
	});

	it('before the first row, an audit has a signed beginning, and an empty head is none', async () => {
		const { readFileSync, writeFileSync } = await import('node:fs');
		const dir = agentFolder();
		openTestStore(dir).close();
		const file = join(dir, 'state', 'audit-head.json');
		expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ seq: 0, seal: '0'.repeat(64) });
		expect(await verifyAudit({ dir })).toMatchObject({ status: 'intact', rows: 0, seal: null });
		const again = openTestStore(dir);
		expect(again.status()).toMatchObject({ rows: 0, mismatch: null });
		again.close();
		writeFileSync(file, '');
		const third = openTestStore(dir);
		expect(third.status().mismatch).toBeNull();
		await addJob(third);
		third.close();
		writeFileSync(file, '');
		expect(openTestStore(dir).status().mismatch).toBe('the signed head of the audit is missing');
	});

	it('a checkpoint that did not get out of the database is brought out, and a torn one dropped', async () => {
		const { appendFileSync, readFileSync, truncateSync } = await import('node:fs');
		const dir = agentFolder();
		const audit = { ...agentConfig().audit, checkpointRows: 2 };
		const first = openTestStore(dir, { config: agentConfig({ audit }) });
		for (const jobId of ['a', 'b', 'c', 'd']) await addJob(first, { jobId });
		first.close();
		const file = join(dir, 'state', 'audit-checkpoints.jsonl');
		const whole = readFileSync(file, 'utf8');
		truncateSync(file, whole.indexOf('\n') + 1);
		appendFileSync(file, '{"purpose":"torn');
		const second = openTestStore(dir);
		expect(readFileSync(file, 'utf8')).toBe(whole);
		expect(second.status().mismatch).toBeNull();
		expect(await verifyAudit({ dir })).toMatchObject({ status: 'intact' });
	});
});

describe('checkpoints', () => {
	it('come after so many rows, after a time, and at the end, and are told to whoever keeps them elsewhere', async () => {
		vi.useFakeTimers({ toFake: ['setInterval'] });
		const told: number[] = [];
		const audit = { ...agentConfig().audit, checkpointRows: 3, checkpointMs: 5000 };
		const store = openTestStore(agentFolder(), {
			config: agentConfig({ audit }),
			onCheckpoint: ({ seq }) => void told.push(seq),
		});
		for (const jobId of ['a', 'b', 'c', 'd']) await addJob(store, { jobId });
		expect(told).toEqual([3]);
		vi.advanceTimersByTime(5000);
		expect(told).toEqual([3, 5]);
		vi.advanceTimersByTime(50_000);
		expect(told).toEqual([3, 5]);
		await addJob(store, { jobId: 'e' });
		store.close();
		expect(told).toEqual([3, 5, 7]);
		vi.useRealTimers();
	});
});

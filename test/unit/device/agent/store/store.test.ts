/** The store of the agent, on a real database: what is written together is there together, and a restart finds it. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KnownError } from '../../../../../src/contract/error.ts';
import { accepted, addJob, agentFolder, jobRow, openTestStore, runJob, succeeded } from '../../../../helpers/store.ts';

describe('the store', () => {
	it('gives back a job as it was put in', async () => {
		const store = openTestStore();
		const row = jobRow({ clientId: 'c-1', idempotencyKey: 'k-1', compat: { prompt: 'list files' } });
		const seal = await store.change((tx) => tx.addJob(row, 'queued'), accepted('job-1'));
		expect(store.jobRow('job-1')).toEqual(row);
		const view = {
			...{ jobId: 'job-1', deviceId: 'device-1', face: 'native', clientId: 'c-1', principal: 'alice' },
			capability: 'shell.exec',
			...{ command: row.draft.command, cwd: null, state: 'queued', approvalId: null, decision: null, result: null },
			isConfirmedDead: null,
			output: {
				stdout: { totalBytes: 0, storedBytes: 0, isComplete: false },
				stderr: { totalBytes: 0, storedBytes: 0, isComplete: false },
				isKept: true,
			},
			...{ labels: {}, acceptedAt: row.acceptedAt, startedAt: null, endedAt: null, auditHash: seal },
		};
		expect(store.job('job-1')).toEqual(view);
		expect(store.jobByClientId('alice', 'native', 'c-1')).toEqual(view);
		expect(store.jobByIdempotencyKey('alice', 'k-1')).toEqual(view);
		expect(store.jobByClientId('bob', 'native', 'c-1')).toBeUndefined();
		expect(store.latestJobByClientId('native', 'c-1')).toEqual(view);
		expect(store.latestJobByClientId('ogent', 'c-1')).toBeUndefined();
		expect(store.jobs({ principal: 'alice', state: 'queued', limit: 10 })).toEqual([view]);
	});

	it('keeps what ran, with its output, over a restart', async () => {
		const dir = agentFolder();
		const first = openTestStore(dir);
		await runJob(first, await addJob(first), 'a\nb\n', 'oops');
		const before = first.job('job-1');
		expect(before).toMatchObject({
			state: 'ended',
			result: succeeded,
			output: { stdout: { totalBytes: 4, storedBytes: 4, isComplete: true }, stderr: { totalBytes: 4 } },
		});
		first.close();
		const second = openTestStore(dir);
		expect(second.job('job-1')).toEqual(before);
		expect(await second.output('job-1').read('stdout', 0, 100)).toEqual({
			...{ bytes: Buffer.from('a\nb\n'), offset: 0, nextOffset: 4, eof: true, totalBytes: 4, storedBytes: 4 },
		});
	});

	it('writes nothing of a change that throws, and everything of those beside it', async () => {
		const store = openTestStore();
		const changes = ['job-1', 'job-2', 'job-3'].map((jobId) =>
			store.change((tx) => {
				tx.addJob(jobRow({ jobId }), 'queued');
				if (jobId === 'job-2') throw new KnownError('APPROVAL_OVER', { state: 'denied' });
			}, accepted(jobId)),
		);
		const results = await Promise.allSettled(changes);
		expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
		expect(results[1]).toMatchObject({ reason: { code: 'APPROVAL_OVER' } });
		expect(store.jobs({ limit: 10 }).map(({ jobId }) => jobId)).toEqual(['job-3', 'job-1']);
		expect(store.status()).toMatchObject({ rows: 2, isWritable: true, mismatch: null });
	});

	it('takes an idempotency key and the id of a client once', async () => {
		const store = openTestStore();
		await addJob(store, { clientId: 'c', idempotencyKey: 'k' });
		await expect(addJob(store, { jobId: 'job-2', clientId: 'c' })).rejects.toMatchObject({ code: 'REQUEST_REPLAYED' });
		await expect(addJob(store, { jobId: 'job-3', idempotencyKey: 'k' })).rejects.toMatchObject({
			code: 'REQUEST_REPLAYED',
		});
		await addJob(store, { jobId: 'job-4', clientId: 'c', face: 'ogent' });
		expect(store.jobs({ limit: 10 })).toHaveLength(2);
	});

	it('lets nobody else read its files', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		await runJob(store, await addJob(store), 'a');
		const mode = (path: string) => (statSync(join(dir, 'state', path)).mode & 0o777).toString(8);
		const files = ['agent.db', 'audit-head.json', 'audit-checkpoints.jsonl', 'output/job-1/stdout'];
		expect(files.map(mode)).toEqual(files.map(() => '600'));
		expect(['', 'output', 'output/job-1'].map(mode)).toEqual(['700', '700', '700']);
	});

	it('refuses a folder in which another agent works', () => {
		const dir = agentFolder();
		openTestStore(dir);
		expect(() => openTestStore(dir)).toThrow('another agent serves this folder already');
	});
});

/** Every kind of tampering with an audit is found, and named by the row where it begins. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { appendFileSync, cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { genesis, sealedFields, sealOf } from '../../../../src/core/audit/chain.ts';
import { createSigner, signCheckpoint } from '../../../../src/core/audit/checkpoint.ts';
import { databaseFile } from '../../../../src/core/audit/places.ts';
import { type Verification, verifyAudit } from '../../../../src/core/audit/verify.ts';
import { copyOf, query, sharedAudit, tamper, writtenAudit } from '../../../helpers/audit.ts';
import { addJob, agentFolder, deviceKey, openTestStore, runJob } from '../../../helpers/store.ts';

const broken = async (dir: string): Promise<Pick<Verification, 'status'> & { seq?: number; what?: string }> => {
	const { status, firstBad } = await verifyAudit({ dir });
	return { status, ...(firstBad && { seq: firstBad.seq, what: firstBad.what }) };
};
const bad = (seq: number, what: string) => ({ status: 'broken', seq, what });

const shared = sharedAudit();

describe('an audit that nobody touched', () => {
	it('is intact, with as many rows and checkpoints as were written', async () => {
		const [counts] = query(shared(), "SELECT count(*) AS rows, sum(event = 'checkpoint') AS checkpoints FROM audit");
		const [last] = query(shared(), 'SELECT seal FROM audit ORDER BY seq DESC LIMIT 1');
		expect(await verifyAudit({ dir: shared() })).toEqual({
			status: 'intact',
			...counts,
			...last,
			firstBad: null,
			problem: null,
		});
		expect(counts).toEqual({ rows: 38, checkpoints: 7 });
	});

	it('is intact when its checkpoints were kept elsewhere, too', async () => {
		const kept = join(shared(), 'state', 'audit-checkpoints.jsonl');
		expect(await verifyAudit({ dir: shared(), checkpointFiles: [kept] })).toMatchObject({ status: 'intact' });
	});
});

describe('one row that was changed', () => {
	it.each(sealedFields.filter((name) => name !== 'seq'))('is found in its column %s', async (name) => {
		const copy = copyOf(shared());
		const isNumber = ['exitCode', 'stdoutBytes', 'stderrBytes'].includes(name);
		const text = ['prev', 'detailHash'].includes(name) ? 'f'.repeat(64) : 'other';
		tamper(copy, `UPDATE audit SET ${name} = ? WHERE seq = 12`, isNumber ? 77 : text);
		expect(await broken(copy)).toEqual(bad(12, 'changed'));
	});

	it('is found by its seal, and when a value became none', async () => {
		const first = copyOf(shared());
		tamper(first, "UPDATE audit SET seal = 'g' || substr(seal, 2) WHERE seq = 1");
		expect(await broken(first)).toEqual(bad(1, 'changed'));
		const second = copyOf(shared());
		tamper(second, 'UPDATE audit SET jobId = NULL WHERE seq = 11');
		expect(await broken(second)).toEqual(bad(11, 'changed'));
	});

	it('is found when it was sealed anew, by the row after it', async () => {
		const copy = copyOf(shared());
		const [row] = query(copy, 'SELECT * FROM audit WHERE seq = 13');
		tamper(
			copy,
			'UPDATE audit SET principal = ?, seal = ? WHERE seq = 13',
			'mallory',
			sealOf({ ...row, principal: 'mallory' } as never),
		);
		expect(await broken(copy)).toEqual(bad(14, 'changed'));
	});

	it('is found when all rows after it were sealed anew, by a checkpoint', async () => {
		const copy = copyOf(shared());
		let prev = genesis;
		for (const row of query(copy, 'SELECT * FROM audit ORDER BY seq')) {
			const changed = { ...row, prev, ...(row.seq === 2 && { principal: 'mallory' }) } as never;
			prev = sealOf(changed);
			tamper(
				copy,
				'UPDATE audit SET principal = ?, prev = ?, seal = ? WHERE seq = ?',
				(changed as { principal: string }).principal,
				(changed as { prev: string }).prev,
				prev,
				row.seq as number,
			);
		}
		expect(await broken(copy)).toMatchObject({ status: 'broken', what: 'checkpoint' });
	});
});

describe('rows that are gone or elsewhere', () => {
	const last = 38;

	it.each([1, 2, 17, last - 1])('a deleted row %i is found', async (seq) => {
		const copy = copyOf(shared());
		tamper(copy, `DELETE FROM audit WHERE seq = ${seq}; DELETE FROM audit_detail WHERE seq = ${seq}`);
		expect(await broken(copy)).toEqual(bad(seq, 'missing'));
	});

	it('rows that were renumbered after a deletion are found', async () => {
		const copy = copyOf(shared());
		tamper(
			copy,
			'DELETE FROM audit WHERE seq = 8; UPDATE audit SET seq = -seq WHERE seq > 8; UPDATE audit SET seq = -seq - 1 WHERE seq < 0',
		);
		expect(await broken(copy)).toEqual(bad(8, 'missing'));
	});

	it('two rows that were swapped are found, and where they come from', async () => {
		const copy = copyOf(shared());
		tamper(
			copy,
			'UPDATE audit SET seq = -1 WHERE seq = 9; UPDATE audit SET seq = 9 WHERE seq = 14; UPDATE audit SET seq = 14 WHERE seq = -1',
		);
		expect((await verifyAudit({ dir: copy })).firstBad).toEqual({
			...{ seq: 9, what: 'swapped', message: 'row 9 was swapped: it is what was written as row 14' },
		});
	});

	it('a row before the first is found', async () => {
		const copy = copyOf(shared());
		tamper(copy, "INSERT INTO audit (seq, at, event, prev, seal) VALUES (-5, 'a', 'b', 'c', 'd')");
		expect(await broken(copy)).toEqual(bad(-5, 'added'));
	});

	it.each([1, 2, 6, last])('%i rows cut from the end are found', async (count) => {
		const copy = copyOf(shared());
		tamper(
			copy,
			`DELETE FROM audit WHERE seq > ${last - count}; DELETE FROM audit_detail WHERE seq > ${last - count};
			DELETE FROM device_log WHERE seq > ${last - count}; DELETE FROM audit_shell_eval WHERE audit_id > (SELECT coalesce(max(id), 0) FROM device_log)`,
		);
		expect(await broken(copy)).toEqual(bad(last - count + 1, 'cut'));
	});

	it('an older copy of the database is found', async () => {
		const copy = copyOf(shared());
		const store = openTestStore(copy);
		await runJob(store, await addJob(store, { jobId: 'later' }), 'later');
		store.close();
		expect(await broken(copy)).toEqual({ status: 'intact' });
		cpSync(databaseFile(shared()), databaseFile(copy));
		expect(await broken(copy)).toEqual(bad(last + 1, 'cut'));
	});

	it('an older copy is found even after the agent has gone on with it', async () => {
		const copy = copyOf(shared());
		const store = openTestStore(copy);
		await runJob(store, await addJob(store, { jobId: 'later' }), 'later');
		store.close();
		cpSync(databaseFile(shared()), databaseFile(copy));
		const second = openTestStore(copy);
		expect(second.status().mismatch).toBe('the audit had 42 lines and ends differently now');
		for (const jobId of ['a', 'b', 'c']) await runJob(second, await addJob(second, { jobId }), 'a');
		second.close();
		expect(await broken(copy)).toMatchObject({ status: 'broken', what: 'changed' });
	});
});

describe('what lies beside the rows', () => {
	/** Of the first script. */
	const seq = 8;

	it.each([
		['a changed detail', "UPDATE audit_detail SET detail = replace(detail, ':', ': ') WHERE seq = 1", 1, 'detail'],
		['a deleted detail', 'DELETE FROM audit_detail WHERE seq = 1', 1, 'detail'],
		['a detail of another type', "UPDATE audit_detail SET detail = x'00ff' WHERE seq = 1", 1, 'changed'],
		['a detail that was given to a row', "INSERT INTO audit_detail VALUES (2, '{}')", 2, 'detail'],
		['a changed line of audit_log', `UPDATE device_log SET args_hash = 'f' WHERE seq = ${seq}`, seq, 'device-log'],
		['a changed hash of audit_log', `UPDATE device_log SET this_hash = 'f' WHERE seq = ${seq}`, seq, 'device-log'],
		['a renumbered line of audit_log', `UPDATE device_log SET id = 9 WHERE seq = ${seq}`, seq, 'device-log'],
		['a deleted line of audit_log', `DELETE FROM device_log WHERE seq = ${seq}`, seq, 'device-log'],
		['a changed command of a script', "UPDATE audit_shell_eval SET cmd = 'true' WHERE audit_id = 1", seq, 'shell-eval'],
		[
			'a changed output of a script',
			"UPDATE audit_shell_eval SET stdout_b64 = 'plain:' WHERE audit_id = 1",
			seq,
			'shell-eval',
		],
		['a deleted script', 'DELETE FROM audit_shell_eval WHERE audit_id = 1', seq, 'shell-eval'],
		['an added script', "INSERT INTO audit_shell_eval VALUES (-1, '', '', '', '', '')", 38, 'shell-eval'],
		[
			'an added line of audit_log',
			"INSERT INTO device_log VALUES (3, -1, '', '', '', '', 0, '', '')",
			38,
			'device-log',
		],
	])('%s is found', async (_name, sql, row, what) => {
		const copy = copyOf(shared());
		const isRefused = sql.includes("x'00ff'");
		if (isRefused) return expect(() => tamper(copy, sql)).toThrow('cannot store BLOB value in TEXT column');
		tamper(copy, sql);
		expect(await broken(copy)).toEqual(bad(row, what));
	});
});

describe('checkpoints', () => {
	const state = (copy: string, name: string) => join(copy, 'state', name);

	it('one that another key signed is found, in the file and in the audit', async () => {
		const { privateKey } = generateKeyPairSync('ed25519');
		const copy = copyOf(shared());
		const [row] = query(copy, 'SELECT seq, seal FROM audit WHERE seq = 9');
		const forged = signCheckpoint(createSigner('device-1', privateKey), row as never, '2026-05-24T10:00:00.000Z');
		appendFileSync(state(copy, 'audit-checkpoints.jsonl'), `${JSON.stringify(forged)}\n`);
		expect(await broken(copy)).toEqual(bad(9, 'checkpoint'));
	});

	it('one that was signed for another seal is found', async () => {
		const copy = copyOf(shared());
		const signed = signCheckpoint(createSigner('device-1', deviceKey), { seq: 9, seal: 'f'.repeat(64) }, 'now');
		appendFileSync(state(copy, 'audit-checkpoints.jsonl'), `${JSON.stringify(signed)}\n`);
		expect(await broken(copy)).toEqual(bad(9, 'changed'));
	});

	it('a file without one of them, cut, emptied or deleted is found', async () => {
		const removals: ((file: string) => void)[] = [
			(file) => writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(1).join('\n')),
			(file) => writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(0, -3).join('\n')),
			(file) => truncateSync(file, statSync(file).size - 20),
			(file) => truncateSync(file, 0),
			(file) => rmSync(file),
		];
		for (const remove of removals) {
			const copy = copyOf(shared());
			remove(state(copy, 'audit-checkpoints.jsonl'));
			expect(await broken(copy)).toMatchObject({ status: 'broken', what: 'checkpoint' });
		}
	});

	it('a head that is gone, garbled or of another device is found', async () => {
		const [first, second, third] = [copyOf(shared()), copyOf(shared()), copyOf(shared())];
		rmSync(state(first, 'audit-head.json'));
		expect(await broken(first)).toEqual(bad(38, 'cut'));
		writeFileSync(state(second, 'audit-head.json'), 'garbage');
		expect(await broken(second)).toEqual(bad(0, 'checkpoint'));
		const head = JSON.parse(readFileSync(state(third, 'audit-head.json'), 'utf8'));
		writeFileSync(state(third, 'audit-head.json'), JSON.stringify({ ...head, device: 'other' }));
		expect(await broken(third)).toEqual(bad(38, 'checkpoint'));
	});

	it('those that were kept elsewhere find a folder that was put back as a whole', async () => {
		const copy = copyOf(shared());
		const store = openTestStore(copy);
		await runJob(store, await addJob(store, { jobId: 'later' }), 'later');
		store.close();
		const kept = state(copy, 'audit-checkpoints.jsonl');
		expect(await verifyAudit({ dir: shared(), checkpointFiles: [kept] })).toMatchObject({
			status: 'broken',
			firstBad: { seq: 39, what: 'cut' },
		});
	});
});

describe('an audit that cannot be read', () => {
	it('is told from one that is broken', async () => {
		const dir = agentFolder();
		expect(await verifyAudit({ dir })).toMatchObject({ status: 'unreadable' });
		const other = await writtenAudit();
		writeFileSync(databaseFile(other), 'this is no database, but long enough to be looked at as one'.repeat(100));
		expect(await verifyAudit({ dir: other })).toMatchObject({ status: 'unreadable', firstBad: null });
		const third = await writtenAudit();
		rmSync(join(third, 'keys'), { recursive: true });
		expect((await verifyAudit({ dir: third })).problem).toContain('does not hold the public key of the device');
	});

	it('is broken when a table was replaced by something that looks like it', async () => {
		const dir = await writtenAudit();
		tamper(dir, 'ALTER TABLE audit RENAME TO hidden; CREATE VIEW audit AS SELECT * FROM hidden');
		expect(await broken(dir)).toEqual(bad(0, 'schema'));
	});
});

describe('stored output', () => {
	const written = async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		const row = await addJob(store);
		const output = store.output(row.jobId);
		output.append('stdout', Buffer.from('what was '));
		output.append('stdout', Buffer.from('printed\n'));
		await output.finish();
		const detail = { output: output.sums() };
		await store.change((tx) => tx.setJob(row.jobId, { state: 'ended', endedAt: 2 }), {
			...{ event: 'job.end', jobId: row.jobId, detail },
		} as never);
		store.close();
		return { dir, detail, file: join(dir, 'state', 'output', row.jobId, 'stdout') };
	};

	it('is what its row says, by length and SHA-256', async () => {
		const { dir, detail } = await written();
		expect(detail.output).toEqual({
			stdout: { sha256: createHash('sha256').update('what was printed\n').digest('hex'), bytes: 17 },
		});
		expect(await verifyAudit({ dir, checksOutput: true })).toMatchObject({ status: 'intact' });
	});

	it.each([
		['changed', (file: string) => writeFileSync(file, 'what was PRINTED\n')],
		['cut', (file: string) => truncateSync(file, 3)],
		['longer', (file: string) => appendFileSync(file, 'more')],
	])('is found when it was %s', async (_how, change) => {
		const { dir, file } = await written();
		change(file);
		expect((await verifyAudit({ dir, checksOutput: true })).firstBad).toMatchObject({
			what: 'output',
			message: expect.stringMatching(/^stdout of job job-1 is not what row \d+ says was stored$/),
		});
		expect(await verifyAudit({ dir })).toMatchObject({ status: 'intact' });
	});

	it('may have been removed, as old output is', async () => {
		const { dir, file } = await written();
		rmSync(file);
		expect(await verifyAudit({ dir, checksOutput: true })).toMatchObject({ status: 'intact' });
	});
});

/** secure-code audit as it is shipped, on a real audit. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { databaseFile } from '../../src/core/audit/places.ts';
import { copyOf, query, sharedAudit, tamper } from '../helpers/audit.ts';
import { addJob, openTestStore } from '../helpers/store.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const main = 'dist/cli/main.js';
const shared = sharedAudit();

function audit(...args: string[]): { code: number | null; out: string; err: string } {
	const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'audit', ...args], { encoding: 'utf8' });
	return { code: status, out: stdout, err: stderr };
}

describe('audit verify', () => {
	it('says that an audit is intact, for people and for programs', () => {
		const [last] = query(shared(), 'SELECT seal FROM audit ORDER BY seq DESC LIMIT 1');
		const text = `Intact: 38 rows and 7 signed checkpoints.\nThe last seal is ${last?.seal}.\n`;
		expect(audit('verify', '--dir', shared())).toEqual({ code: 0, out: text, err: '' });
		const { code, out } = audit('verify', '--dir', shared(), '--json');
		const found = { status: 'intact', rows: 38, checkpoints: 7, seal: last?.seal, firstBad: null, problem: null };
		expect([code, JSON.parse(out)]).toEqual([0, found]);
	});

	it('names the first bad row and ends with 1', () => {
		const copy = copyOf(shared());
		tamper(copy, "UPDATE audit SET principal = 'mallory' WHERE seq IN (10, 20)");
		const text = 'BROKEN (changed): row 10 was changed.\nBefore it, 9 rows and 1 signed checkpoints are good.\n';
		expect(audit('verify', '--dir', copy)).toEqual({ code: 1, out: text, err: '' });
		const { code, out } = audit('verify', '--dir', copy, '--json');
		expect([code, JSON.parse(out).firstBad]).toEqual([1, { seq: 10, what: 'changed', message: 'row 10 was changed' }]);
	});

	it('ends with 2 where there is nothing to read, and says why', () => {
		const copy = copyOf(shared());
		writeFileSync(databaseFile(copy), 'x'.repeat(5000));
		for (const dir of [tempFolder(), '/does/not/exist', copy]) {
			const { code, out, err } = audit('verify', '--dir', dir);
			expect([code, err]).toEqual([2, '']);
			expect(out).toMatch(/^The audit cannot be read: .+\.\n$/);
			expect(audit('export', '--dir', dir)).toMatchObject({ code: 2, out: '' });
		}
	});

	it('takes checkpoints and a key that were kept elsewhere', () => {
		const kept = join(shared(), 'state', 'audit-checkpoints.jsonl');
		const key = join(shared(), 'keys', 'device.pub');
		expect(audit('verify', '--dir', shared(), '--checkpoints', kept, '--key', key).code).toBe(0);
		expect(audit('verify', '--dir', shared(), '--checkpoints', '/does/not/exist').code).toBe(2);
		expect(audit('verify', '--dir', shared(), '--key', kept).code).toBe(2);
	});

	it.each([
		[['verify', 'x'], 'audit verify takes no "x"'],
		[['export', '--format', 'xml'], '--format xml: must be jsonl or csv'],
		[['tail', '-n', '-1'], "Option '-n"],
		[['tail', '-n', 'ten'], '--lines ten: must be a number from 0 to 1000000'],
		[['burn'], 'There is no command "audit burn".'],
	])('%j is a misuse', (args, words) => {
		const { code, err } = audit(...args);
		expect(code).toBe(64);
		expect(err).toContain(words);
	});
});

describe('the ten lines of Python in docs/audit.md', () => {
	const [, python = ''] = /```python\n([\s\S]*?)```/.exec(readFileSync('docs/audit.md', 'utf8')) ?? [];
	const hasPython = spawnSync('python3', ['-c', 'import sqlite3']).status === 0;
	const run = (dir: string) => spawnSync('python3', ['-c', python, dir], { encoding: 'utf8' });

	it('come to the same result', ({ skip }) => {
		if (!hasPython && !process.env.CI) return skip('there is no python3 with sqlite3');
		const [last] = query(shared(), 'SELECT seal FROM audit ORDER BY seq DESC LIMIT 1');
		expect(run(shared())).toMatchObject({ status: 0, stdout: `38 rows, last seal ${last?.seal}\n` });
		const copy = copyOf(shared());
		tamper(copy, "UPDATE audit SET principal = 'mallory' WHERE seq = 10");
		expect(run(copy)).toMatchObject({ status: 1, stderr: 'row 10 is broken\n' });
	});
});

describe('audit export', () => {
	it('writes every row with its detail as JSON', () => {
		const { code, out, err } = audit('export', '--dir', shared());
		const rows = query(shared(), 'SELECT audit.*, detail FROM audit LEFT JOIN audit_detail USING (seq) ORDER BY seq');
		const lines = out
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line));
		expect([code, err]).toEqual([0, '']);
		expect(lines).toEqual(
			rows.map((row) => ({ ...row, detail: row.detail === null ? null : JSON.parse(row.detail as string) })),
		);
	});

	it('writes CSV that reads back as it was', () => {
		const { out } = audit('export', '--dir', shared(), '--format', 'csv');
		const [heading = '', first = ''] = out.split('\n');
		expect(heading.split(',')).toEqual([
			...Object.keys(query(shared(), 'SELECT * FROM audit LIMIT 1')[0] ?? {}),
			'detail',
		]);
		expect(first).toMatch(/^1,20\d\d-.*Z,agent\.start,,,,.*,"{""version"":""1""}"$/);
		expect(out.trimEnd().split('\n')).toHaveLength(39);
	});

	it('stops at a row that is not what was written', () => {
		const copy = copyOf(shared());
		tamper(
			copy,
			`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'audit'`,
		);
		tamper(copy, "UPDATE audit SET face = x'00' WHERE seq = 3");
		const { code, out, err } = audit('export', '--dir', copy);
		expect([code, out.trimEnd().split('\n').length]).toEqual([2, 2]);
		expect(err).toContain('row 3 is not what was written');
	});
});

describe('audit tail', () => {
	it('shows the last rows, one line each, with nothing that could move a cursor', () => {
		const copy = copyOf(shared());
		tamper(copy, "UPDATE audit SET principal = char(27) || '[2J é' WHERE seq = 37");
		const { code, out } = audit('tail', '--dir', copy, '-n', '2');
		const lines = out.trimEnd().split('\n');
		expect([code, lines.length]).toEqual([0, 2]);
		expect(lines[0]).toMatch(
			/^37 20.*Z job\.end jobId=eval-4 principal="\\u001b\[2J \\u00e9" status=succeeded exitCode=0$/,
		);
		expect(lines[1]).toMatch(/^38 20.*Z checkpoint$/);
		expect(audit('tail', '--dir', copy, '-n', '0').out).toBe('');
		expect(audit('tail', '--dir', copy, '-n', '1000', '--json').out.trimEnd().split('\n')).toHaveLength(38);
	});

	it('goes on with rows as they come, until it is told to stop', async () => {
		const copy = copyOf(shared());
		const store = openTestStore(copy);
		const tail = spawn(process.execPath, [main, 'audit', 'tail', '--dir', copy, '-n', '1', '--follow']);
		onTestFinished(() => void tail.kill('SIGKILL'));
		const lines = createInterface({ input: tail.stdout });
		await once(lines, 'line');
		void addJob(store, { jobId: 'later' });
		const [line] = await once(lines, 'line');
		expect(line).toMatch(/^39 20.*Z job\.accepted jobId=later principal=alice$/);
		tail.kill('SIGINT');
		expect(await once(tail, 'exit')).toEqual([0, null]);
	});
});

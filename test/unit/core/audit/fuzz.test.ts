/** Whatever byte of an audit is changed, it is found; whatever a database file holds, there is an answer and no crash. */
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sealedFields } from '../../../../src/core/audit/chain.ts';
import { databaseFile } from '../../../../src/core/audit/places.ts';
import { AuditReader } from '../../../../src/core/audit/reader.ts';
import { auditTables } from '../../../../src/core/audit/schema.ts';
import { verifyAudit } from '../../../../src/core/audit/verify.ts';
import { copyOf, query, sharedAudit, tamper } from '../../../helpers/audit.ts';

const shared = sharedAudit();
const runs = 25;
const integers = ['seq', 'exitCode', 'stdoutBytes', 'stderrBytes', 'exit_code'];

/** Of one table: a row, a column and a place in it. */
const place = fc.record({ row: fc.nat(), column: fc.nat(), byte: fc.nat(), bit: fc.nat(7) });

/** Flips one bit of a value as it lies in the database. */
function flip(value: unknown, { byte, bit }: { byte: number; bit: number }): string | number | Uint8Array | null {
	if (typeof value === 'number') return value ^ (1 << bit);
	const bytes = Buffer.from(String(value));
	if (bytes.length === 0) return 'x';
	bytes[byte % bytes.length] = (bytes[byte % bytes.length] as number) ^ (1 << bit);
	return bytes;
}

const tables = [
	{ table: 'audit', key: 'seq', columns: [...sealedFields, 'seal'] },
	{ table: 'audit_detail', key: 'seq', columns: ['detail'] },
	{
		table: 'device_log',
		key: 'seq',
		columns: ['id', 'ts', 'request_id', 'capability', 'args_hash', 'exit_code', 'prev_hash', 'this_hash'],
	},
	{ table: 'audit_shell_eval', key: 'audit_id', columns: ['cmd', 'cwd', 'shell', 'stdout_b64', 'stderr_b64'] },
];

describe('one flipped bit', () => {
	it.each(tables)('in a row of $table is found', async ({ table, key, columns }) => {
		const rows = query(shared(), `SELECT * FROM ${table}`);
		await fc.assert(
			fc.asyncProperty(place, async (at) => {
				const row = rows[at.row % rows.length] ?? {};
				const column = columns[at.column % columns.length] as string;
				const value = row[column] ?? null;
				const copy = copyOf(shared());
				const changed = value === null ? (integers.includes(column) ? 1 : 'x') : flip(value, at);
				// CAST keeps the bytes as they are, also where they are no UTF-8.
				const isText = changed instanceof Uint8Array;
				tamper(
					copy,
					`UPDATE OR REPLACE ${table} SET ${column} = ${isText ? 'CAST(? AS TEXT)' : '?'} WHERE ${key} = ?`,
					changed,
					row[key] as number,
				);
				expect(await verifyAudit({ dir: copy })).toMatchObject({ status: 'broken' });
			}),
			{ numRuns: runs },
		);
	});

	it('of the file breaks the audit, makes it unreadable, or lies where no row of the audit is', async () => {
		const file = readFileSync(databaseFile(shared()));
		const before = contentsOf(shared());
		await fc.assert(
			fc.asyncProperty(fc.nat(file.length - 1), fc.nat(7), async (byte, bit) => {
				const copy = copyOf(shared());
				const bytes = Buffer.from(file);
				bytes[byte] = (bytes[byte] as number) ^ (1 << bit);
				writeFileSync(databaseFile(copy), bytes);
				const { status } = await verifyAudit({ dir: copy });
				if (status === 'intact') expect(contentsOf(copy)).toEqual(before);
			}),
			{ numRuns: 3 * runs },
		);
	});
});

/** All that verification promises to hold. */
function contentsOf(dir: string): unknown {
	return Object.keys(auditTables).map((table) => query(dir, `SELECT * FROM ${table} ORDER BY 1`));
}

describe('a file of any bytes', () => {
	it('gets an answer', async () => {
		await fc.assert(
			fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.boolean(), async (bytes, hasHead) => {
				const copy = copyOf(shared());
				const head = hasHead ? readFileSync(databaseFile(copy)).subarray(0, 100) : Buffer.alloc(0);
				writeFileSync(databaseFile(copy), Buffer.concat([head, bytes]));
				const { status } = await verifyAudit({ dir: copy });
				expect(['broken', 'unreadable']).toContain(status);
			}),
			{ numRuns: runs },
		);
	});
});

describe('values that nobody wrote', () => {
	const looseTypes = `PRAGMA writable_schema = ON;
		UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'audit'`;

	it.each([
		['a blob', "UPDATE audit SET jobId = x'00ff'"],
		['a huge blob', 'UPDATE audit SET jobId = zeroblob(50000000)'],
		['a huge number', 'UPDATE audit SET exitCode = 9223372036854775807'],
		['a fraction', 'UPDATE audit SET exitCode = 0.5'],
		[
			'nothing where something must be',
			'PRAGMA ignore_check_constraints = ON; UPDATE audit SET jobId = NULL, exitCode = NULL',
		],
	])('%s is found and not read', async (_name, sql) => {
		const copy = copyOf(shared());
		tamper(copy, looseTypes);
		tamper(copy, `${sql} WHERE seq = 4`);
		expect(await verifyAudit({ dir: copy })).toMatchObject({ status: 'broken', firstBad: { what: 'schema' } });
		const reader = new AuditReader(databaseFile(copy));
		const rows = [...reader.linesAfter(0)];
		reader.close();
		if (!sql.includes('NULL')) expect(rows.at(-1)).toEqual({ unsound: 4 });
	});

	it('a text that goes on behind a NUL is found', async () => {
		const copy = copyOf(shared());
		tamper(copy, "UPDATE audit SET jobId = jobId || char(0) || 'more' WHERE seq = 4");
		expect(await verifyAudit({ dir: copy })).toMatchObject({ status: 'broken', firstBad: { seq: 4, what: 'changed' } });
	});

	it('a row with the largest number is found', async () => {
		const copy = copyOf(shared());
		tamper(copy, "INSERT INTO audit (seq, at, event, prev, seal) VALUES (9223372036854775807, 'a', 'b', 'c', 'd')");
		expect(await verifyAudit({ dir: copy })).toMatchObject({ status: 'broken' });
	});
});

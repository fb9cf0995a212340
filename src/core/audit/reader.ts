/** Reads the audit out of a database that nobody trusts: wrong types, endless values and broken pages become findings, never crashes. */
import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { AuditRecord } from '../../contract/audit.ts';
import { type DeviceLogLine, genesis, type ShellEval } from './chain.ts';
import { auditTables } from './schema.ts';
import {
	columns,
	exactText,
	isInteger,
	isSound,
	isText,
	longestColumn,
	longestDetail,
	longestEval,
	readsExactly,
	textBytes,
} from './sound.ts';
import { openDatabase, sqliteCode } from './sqlite.ts';

/** Rows of one short read, so that a long look never keeps the writer's log from being folded in. */
const rowsAtOnce = 250;
export interface AuditRow {
	readonly record: AuditRecord;
	/** False when a text is no UTF-8, so that what was read is not what lies there. */
	readonly isExact: boolean;
}

/** The database is damaged where this was read. */
export class Damaged extends Error {}

/** What SQLite says of a file that it understands and of one that it does not. */
const isDamage = (error: unknown): boolean => [1, 11, 26].includes(sqliteCode(error) ?? 0);

/** A copy that cannot be written beside, such as one on a read-only disk, is opened as one that nobody writes. */
function openToRead(path: string): DatabaseSync {
	const db = openDatabase(path, { readOnly: true });
	try {
		db.prepare('SELECT count(*) FROM sqlite_schema').get();
		return db;
	} catch (error) {
		db.close();
		if (sqliteCode(error) !== 14 || existsSync(`${path}-wal`)) throw error;
		return openDatabase(new URL(`${pathToFileURL(path)}?immutable=1`), { readOnly: true });
	}
}

export class AuditReader {
	readonly #db: DatabaseSync;
	/** By their texts. */
	readonly #statements = new Map<string, StatementSync>();

	/** Throws when the file cannot be opened as a database. */
	constructor(path: string) {
		this.#db = openToRead(path);
		this.#db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA busy_timeout = 5000');
		this.#db.prepare('SELECT count(*) FROM sqlite_schema').get();
	}

	close(): void {
		this.#db.close();
	}

	/** Names of the tables that are not there, or not as they were made. */
	strangeTables(): string[] {
		const found = this.#guarded(() => this.#db.prepare('SELECT type, name, sql FROM sqlite_schema').all());
		return Object.entries(auditTables)
			.filter(([name, sql]) => {
				const matches = found.filter((row) => String(row.name).toLowerCase() === name);
				return matches.length !== 1 || matches[0]?.type !== 'table' || matches[0]?.sql !== sql;
			})
			.map(([name]) => name);
	}

	#guarded<T>(read: () => T): T {
		try {
			return read();
		} catch (error) {
			if (isDamage(error)) throw new Damaged((error as Error).message, { cause: error });
			throw error;
		}
	}

	#prepare(sql: string): StatementSync {
		const known = this.#statements.get(sql);
		if (known) return known;
		const statement = this.#db.prepare(sql);
		this.#statements.set(sql, statement);
		return statement;
	}

	#get(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
		return this.#guarded(() => this.#prepare(sql).get(...values));
	}

	/** The number of a line before the first. */
	lineBelow = (seq: number): number | undefined =>
		this.#get(`SELECT CAST(seq AS REAL) AS seq FROM audit WHERE seq < ? ORDER BY seq LIMIT 1`, seq)?.seq as
			| number
			| undefined;

	/** The lines after a number, in order, until one that is not sound, whose number comes last. */
	*linesAfter(seq: number): Generator<AuditRow | { readonly unsound: number }> {
		for (let last = seq; ; ) {
			const end = this.#endOfSound(last);
			let count = 0;
			for (const row of this.#lines(last, end)) {
				yield row;
				last = row.record.seq;
				count++;
			}
			if (count === rowsAtOnce) continue;
			if (end !== undefined) yield { unsound: end };
			return;
		}
	}

	/** The first line after a number, within one read, that does not hold what it should. */
	#endOfSound(seq: number): number | undefined {
		const sql = `SELECT CAST(seq AS REAL) AS seq FROM (SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ${rowsAtOnce})
			WHERE NOT (${columns.map(isSound).join(' AND ')}) ORDER BY seq LIMIT 1`;
		return this.#get(sql, seq)?.seq as number | undefined;
	}

	#lines(seq: number, end: number | undefined): AuditRow[] {
		const sql = `SELECT ${columns.join(', ')}, ${textBytes} AS textBytes FROM audit WHERE seq > ? AND seq < ? ORDER BY seq LIMIT ${rowsAtOnce}`;
		const rows = this.#guarded(() =>
			this.#prepare(sql).all(seq, Math.min(end ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
		);
		return rows.map(({ textBytes: bytes, ...record }) => ({
			record: record as unknown as AuditRecord,
			isExact: readsExactly(record, bytes as number, (name) => this.#bytesOf(record.seq as number, name)),
		}));
	}

	#bytesOf(seq: number, name: string): Uint8Array {
		return this.#get(`SELECT CAST(${name} AS BLOB) AS bytes FROM audit WHERE seq = ?`, seq)?.bytes as Uint8Array;
	}

	/** Undefined when there is no detail; null when it is no text that was written by us. */
	detailOf(seq: number): string | undefined | null {
		const sql = `SELECT CASE WHEN ${isText('detail', longestDetail)} THEN CAST(detail AS BLOB) END AS bytes FROM audit_detail WHERE seq = ?`;
		const row = this.#get(sql, seq);
		return row && exactText(row.bytes);
	}

	/** The row of device_agent's chain that a line vouches for; undefined when there is none, or none that we wrote. */
	deviceLineOf(seq: number): { id: number; hash: string; line: DeviceLogLine } | undefined {
		const names = ['ts', 'request_id', 'capability', 'args_hash', 'prev_hash', 'this_hash'];
		const found = this.#texts(
			'device_log',
			names,
			`seq = ? AND ${isInteger('id')} AND (exit_code IS NULL OR ${isInteger('exit_code')})`,
			seq,
			['id', 'exit_code'],
		);
		if (!found) return undefined;
		const { id, this_hash: hash, ...line } = found;
		return { id: id as number, hash: hash as string, line: line as unknown as DeviceLogLine };
	}

	shellEvalOf(id: number): ShellEval | undefined {
		const names = ['cmd', 'cwd', 'shell', 'stdout_b64', 'stderr_b64'];
		return this.#texts('audit_shell_eval', names, 'audit_id = ?', id, []) as ShellEval | undefined;
	}

	/** A row whose texts are read as bytes, so that nothing in them can pass for something else. */
	#texts(
		table: string,
		names: string[],
		where: string,
		key: number,
		more: string[],
	): Record<string, unknown> | undefined {
		const sound = names.map((name) => isText(name, longestEval)).join(' AND ');
		const read = [...more, ...names.map((name) => `CAST(${name} AS BLOB) AS ${name}`)].join(', ');
		const row = this.#get(`SELECT ${read} FROM ${table} WHERE ${where} AND ${sound}`, key);
		if (!row) return undefined;
		const texts = names.map((name) => [name, exactText(row[name])] as const);
		return texts.some(([, text]) => text === null) ? undefined : { ...row, ...Object.fromEntries(texts) };
	}

	/** How many rows of the tables beside the audit belong to lines up to a number. */
	countBeside(seq: number): { details: number; deviceLines: number; shellEvals: number } {
		const count = (sql: string) => this.#get(`SELECT count(*) AS count FROM ${sql}`, seq)?.count as number;
		return {
			details: count('audit_detail WHERE seq <= ?'),
			deviceLines: count('device_log WHERE seq <= ?'),
			shellEvals: count(
				'audit_shell_eval WHERE audit_id <= (SELECT coalesce(max(id), 0) FROM device_log WHERE seq <= ?)',
			),
		};
	}

	/** Of line 0, which is none: what the first line follows. */
	sealOf(seq: number): string | undefined {
		if (seq === 0) return genesis;
		const seal = this.#get(`SELECT seal FROM audit WHERE seq = ? AND ${isText('seal', longestColumn)}`, seq)?.seal;
		return seal as string | undefined;
	}

	/** The line that has a seal; looks through all of them. */
	seqOf = (seal: string): number | undefined =>
		this.#get(`SELECT seq FROM audit WHERE seal = ? AND ${isInteger('seq')}`, seal)?.seq as number | undefined;

	/** The number after which so many lines come; 0 for all of them. */
	beforeLast = (count: number): number =>
		Math.max(
			(this.#get('SELECT CAST(seq AS REAL) AS seq FROM audit ORDER BY seq DESC LIMIT 1 OFFSET ?', count)
				?.seq as number) ?? 0,
			0,
		);

	/** The next line that is a checkpoint. */
	nextCheckpoint = (afterSeq: number, upTo: number): number | undefined =>
		this.#get(
			`SELECT seq FROM audit WHERE event = 'checkpoint' AND seq > ? AND seq <= ? ORDER BY seq LIMIT 1`,
			afterSeq,
			upTo,
		)?.seq as number | undefined;

	/** The first line that has a detail and says that it has none. */
	lineWithStrangeDetail = (upTo: number): number | undefined =>
		this.#get(
			`SELECT audit.seq AS seq FROM audit_detail JOIN audit ON audit.seq = audit_detail.seq
				WHERE detailHash IS NULL AND audit.seq <= ? ORDER BY audit.seq LIMIT 1`,
			upTo,
		)?.seq as number | undefined;
}

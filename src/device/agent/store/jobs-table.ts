/** Jobs in the database: what was asked for, what was decided, how far it came. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type FaceName, isOver, type JobState } from '../../../contract/device-job.ts';
import type { JobRow, StoreChange } from '../ports.ts';
import type { Sizes, StoredJob } from './stored-job.ts';

/** Principals whose jobs are counted at a time. */
const mostCounts = 1000;

type JobChange = Parameters<StoreChange['setJob']>[1];

/** SQLite takes a number below zero for no limit at all. */
export const countOf = (limit: number): number => Math.max(0, Math.trunc(limit) || 0);

/** Word for word the condition of an index, which is used where it is said. */
const notOver = "state IN ('awaiting_approval', 'queued', 'running')";

const json = (value: unknown): string | null => (value === null || value === undefined ? null : JSON.stringify(value));

/** How a field of a change becomes a column. */
const columnFor: { readonly [K in keyof JobChange]-?: [string, (value: JobChange[K]) => string | number | null] } = {
	state: ['state', (value) => value ?? null],
	decision: ['decision_json', json],
	result: ['result_json', json],
	approvalId: ['approval_id', (value) => value ?? null],
	isConfirmedDead: ['is_confirmed_dead', (value) => (value == null ? null : Number(value))],
	startedAt: ['started_at', (value) => value ?? null],
	endedAt: ['ended_at', (value) => value ?? null],
};

export class JobsTable {
	readonly #db: DatabaseSync;
	readonly #statements = new Map<string, StatementSync>();
	/** By principal. A job that was undone stays counted, which only makes the limit stricter. */
	readonly #counts = new Map<string, { readonly since: number; count: number }>();

	constructor(db: DatabaseSync) {
		this.#db = db;
	}

	/** Prepared once for each text. */
	#sql(text: string): StatementSync {
		const known = this.#statements.get(text);
		if (known) return known;
		const statement = this.#db.prepare(text);
		this.#statements.set(text, statement);
		return statement;
	}

	#all = (text: string, ...values: (string | number)[]): StoredJob[] =>
		this.#sql(text).all(...values) as unknown as StoredJob[];

	#one = (where: string, ...values: (string | number)[]): StoredJob | undefined =>
		this.#sql(`SELECT * FROM jobs WHERE ${where}`).get(...values) as unknown as StoredJob | undefined;

	/** @returns the number of the row */
	add(row: JobRow, state: JobState): number {
		const { lastInsertRowid } = this.#sql(
			`INSERT INTO jobs (job_id, face, client_id, idempotency_key, principal, principal_json, draft_json, compat_json,
				decision_json, state, accepted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		).run(
			...[row.jobId, row.face, row.clientId, row.idempotencyKey, row.principal.name, JSON.stringify(row.principal)],
			...[JSON.stringify(row.draft), json(row.compat), json(row.decision), state, row.acceptedAt],
		);
		const counted = this.#counts.get(row.principal.name);
		if (counted && row.acceptedAt >= counted.since) counted.count++;
		return Number(lastInsertRowid);
	}

	set(jobId: string, change: JobChange): void {
		const fields = (Object.keys(columnFor) as (keyof JobChange)[]).filter((field) => change[field] !== undefined);
		if (fields.length === 0) return;
		const columns = fields.map((field) => columnFor[field] as [string, (value: unknown) => string | number | null]);
		const values = columns.map(([, write], index) => write(change[fields[index] as keyof JobChange]));
		const { changes } = this.#sql(
			`UPDATE jobs SET ${columns.map(([column]) => `${column} = ?`).join(', ')} WHERE job_id = ?`,
		).run(...values, jobId);
		if (changes !== 1) throw new Error(`there is no job ${jobId}`);
	}

	setSizes(jobId: string, { stdout, stderr, hasFiles }: Sizes, usedAt: number): void {
		this.#sql(
			`UPDATE jobs SET stdout_total = ?, stdout_stored = ?, stderr_total = ?, stderr_stored = ?, has_output = ?, used_at = ?
				WHERE job_id = ?`,
		).run(stdout.total, stdout.stored, stderr.total, stderr.stored, Number(hasFiles), usedAt, jobId);
	}

	/** The output is gone; what was printed is still known by its size. */
	forgetOutput(jobId: string): void {
		this.#sql(
			`UPDATE jobs SET stdout_stored = 0, stderr_stored = 0, has_output = 0, is_kept = 0,
				result_json = json_set(result_json, '$.stdout', '', '$.truncated.stdout', json(iif(stdout_total > 0, 'true', 'false')),
					'$.stderr', '', '$.truncated.stderr', json(iif(stderr_total > 0, 'true', 'false'))),
				draft_json = json_remove(draft_json, '$.stdin') WHERE job_id = ?`,
		).run(jobId);
	}

	setUsed(jobId: string, at: number): void {
		this.#sql('UPDATE jobs SET used_at = max(used_at, ?) WHERE job_id = ?').run(at, jobId);
	}

	setAuditHash(jobId: string, hash: string): void {
		this.#sql('UPDATE jobs SET audit_hash = ? WHERE job_id = ?').run(hash, jobId);
	}

	byId = (jobId: string): StoredJob | undefined => this.#one('job_id = ?', jobId);

	byClientId = (principal: string, face: FaceName, clientId: string): StoredJob | undefined =>
		this.#one('principal = ? AND face = ? AND client_id = ?', principal, face, clientId);

	/** The latest of anybody. */
	latestByClientId = (face: FaceName, clientId: string): StoredJob | undefined =>
		this.#one('face = ? AND client_id = ? ORDER BY n DESC LIMIT 1', face, clientId);

	byKey = (principal: string, key: string): StoredJob | undefined =>
		this.#one('principal = ? AND idempotency_key = ?', principal, key);

	/** The newest first. @param before id of a job; only older ones are listed */
	list(filter: { principal?: string; state?: JobState; limit: number; before?: string }): StoredJob[] {
		const wanted: [string, string | number | undefined][] = [
			['principal = ?', filter.principal],
			['state = ?', filter.state],
			['n < (SELECT n FROM jobs WHERE job_id = ?)', filter.before],
		];
		const given = wanted.filter((one): one is [string, string | number] => one[1] !== undefined);
		const isOpen = filter.state !== undefined && !isOver(filter.state);
		const tests = [...given.map(([text]) => text), ...(isOpen ? [notOver] : [])];
		const where = tests.length === 0 ? '' : `WHERE ${tests.join(' AND ')}`;
		return this.#all(
			`SELECT * FROM jobs ${where} ORDER BY n DESC LIMIT ?`,
			...given.map(([, value]) => value),
			countOf(filter.limit),
		);
	}

	/** The oldest first. */
	notOver = (): StoredJob[] => this.#all(`SELECT * FROM jobs WHERE ${notOver} ORDER BY n`);

	/** How many jobs of a principal came since then. Asked for every new job, so it is counted on instead of anew. */
	since(principal: string, since: number): number {
		const known = this.#counts.get(principal);
		if (known?.since === since) return known.count;
		const count = this.#sql('SELECT count(*) AS count FROM jobs WHERE principal = ? AND accepted_at >= ?').get(
			principal,
			since,
		)?.count as number;
		if (this.#counts.size >= mostCounts) this.#counts.clear();
		this.#counts.set(principal, { since, count });
		return count;
	}

	/** Jobs that are over and whose output nobody used, or that ended, before these times. */
	stale = (idleSince: number, endedBefore: number, limit: number): StoredJob[] =>
		this.#all(
			`SELECT * FROM jobs INDEXED BY jobs_with_output
				WHERE has_output = 1 AND ended_at IS NOT NULL AND (used_at <= ? OR ended_at <= ?) LIMIT ?`,
			...[idleSince, endedBefore, limit],
		);

	/** What each principal keeps, where it is more than allowed. */
	overQuota = (bytes: number): { principal: string; bytes: number }[] =>
		this.#sql(
			`SELECT principal, sum(stdout_stored + stderr_stored) AS bytes FROM jobs WHERE has_output = 1
				GROUP BY principal HAVING sum(stdout_stored + stderr_stored) > ?`,
		).all(bytes) as unknown as { principal: string; bytes: number }[];

	storedBytes = (): number =>
		this.#sql('SELECT coalesce(sum(stdout_stored + stderr_stored), 0) AS bytes FROM jobs WHERE has_output = 1').get()
			?.bytes as number;

	/** The oldest output of a principal first; only of jobs that are over. */
	outputsOf = (principal: string, limit: number): StoredJob[] =>
		this.#all(
			'SELECT * FROM jobs WHERE has_output = 1 AND principal = ? AND ended_at IS NOT NULL ORDER BY n LIMIT ?',
			...[principal, limit],
		);
}

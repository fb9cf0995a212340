/** Changes that come in one turn of the event loop share one transaction, so that hundreds of them need few writes of the disk. */
import type { DatabaseSync } from 'node:sqlite';
import { KnownError } from '../../../contract/error.ts';
import { isConstraint, sqliteCode } from '../../../core/audit/sqlite.ts';

/** In one transaction: more would keep the event loop waiting. */
const mostTogether = 200;

interface Waiting {
	readonly run: () => string;
	resolve(seal: string): void;
	reject(error: unknown): void;
}

/** What became of one change of a transaction that is not committed yet. */
type Outcome = { readonly seal: string } | { readonly error: unknown };

export interface GroupHooks {
	/** Within every transaction, before the changes. */
	begin(): void;
	/** After every commit; throws nothing. */
	committed(): void;
	/** After every transaction that could not be written. */
	failed(error: unknown): void;
}

export const cannotWrite = (error: unknown): KnownError =>
	new KnownError('AUDIT_BROKEN', { details: (error as Error).message }, { cause: error });

export class GroupCommit {
	readonly #db: DatabaseSync;
	readonly #hooks: GroupHooks;
	#waiting: Waiting[] = [];
	#isScheduled = false;
	#isClosed = false;

	constructor(db: DatabaseSync, hooks: GroupHooks) {
		this.#db = db;
		this.#hooks = hooks;
	}

	/** @param run does the change; it is undone when this throws */
	add(run: () => string): Promise<string> {
		if (this.#isClosed) return Promise.reject(new KnownError('AUDIT_BROKEN', { details: 'the store is closed' }));
		return new Promise((resolve, reject) => {
			this.#waiting.push({ run, resolve, reject });
			this.schedule();
		});
	}

	/** A transaction soon, even when there is nothing but what `begin` writes. */
	schedule(): void {
		if (this.#isScheduled || this.#isClosed) return;
		this.#isScheduled = true;
		setImmediate(() => {
			this.#isScheduled = false;
			if (this.#isClosed) return;
			this.#commitSome();
			if (this.#waiting.length > 0) this.schedule();
		});
	}

	/** Writes what waits, at once; then nothing more is taken. */
	close(): void {
		while (this.#waiting.length > 0) this.#commitSome();
		this.#isClosed = true;
	}

	/** A transaction of its own, at once. */
	now(run: () => void): void {
		this.#db.exec('BEGIN IMMEDIATE');
		try {
			run();
			this.#db.exec('COMMIT');
		} catch (error) {
			this.#rollBack();
			throw error;
		}
	}

	#commitSome(): void {
		const group = this.#waiting.splice(0, mostTogether);
		let outcomes: Outcome[] = [];
		try {
			this.now(() => {
				this.#hooks.begin();
				outcomes = group.map(({ run }) => this.#try(run));
			});
		} catch (error) {
			this.#hooks.failed(error);
			for (const { reject } of group) reject(cannotWrite(error));
			return;
		}
		this.#hooks.committed();
		for (const [index, outcome] of outcomes.entries()) {
			if ('seal' in outcome) group[index]?.resolve(outcome.seal);
			else group[index]?.reject(outcome.error);
		}
	}

	/** One change in a savepoint. A disk that cannot write ends the whole transaction; what a change itself refuses ends only that. */
	#try(run: () => string): Outcome {
		this.#db.exec('SAVEPOINT one');
		try {
			const seal = run();
			this.#db.exec('RELEASE one');
			return { seal };
		} catch (error) {
			if (sqliteCode(error) !== undefined && !isConstraint(error)) throw error;
			this.#db.exec('ROLLBACK TO one; RELEASE one');
			return { error: isConstraint(error) ? replayed(error) : error };
		}
	}

	#rollBack(): void {
		try {
			this.#db.exec('ROLLBACK');
		} catch {
			// SQLite has rolled back by itself, as it does when the disk is full.
		}
	}
}

/** The only constraints that a well-formed change can meet are those of ids. */
const replayed = (error: unknown): KnownError =>
	new KnownError('REQUEST_REPLAYED', { details: 'its id was used before' }, { cause: error });

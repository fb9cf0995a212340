/** What came once and must not come again, until it would be refused as too old anyway. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Removed in one transaction. */
const mostPruned = 10_000;

export class Nonces {
	readonly #find: StatementSync;
	readonly #insert: StatementSync;
	readonly #prune: StatementSync;
	/** Seen, and not yet on the disk: it goes there with the next transaction. By scope and nonce; the value is the expiry. */
	readonly #fresh = new Map<string, { scope: string; nonce: string; expiresAt: number }>();

	constructor(db: DatabaseSync) {
		this.#find = db.prepare('SELECT expires_at FROM nonces WHERE scope = ? AND nonce = ?');
		this.#insert = db.prepare('INSERT OR REPLACE INTO nonces VALUES (?, ?, ?)');
		this.#prune = db.prepare(
			`DELETE FROM nonces WHERE (scope, nonce) IN
				(SELECT scope, nonce FROM nonces WHERE expires_at <= ? ORDER BY expires_at LIMIT ${mostPruned})`,
		);
	}

	/** Whether it was seen and has not expired. */
	has(scope: string, nonce: string, now: number): boolean {
		const fresh = this.#fresh.get(keyOf(scope, nonce))?.expiresAt;
		const known = fresh ?? (this.#find.get(scope, nonce)?.expires_at as number | undefined);
		return known !== undefined && known > now;
	}

	/** @returns false when it was seen and has not expired */
	see(scope: string, nonce: string, expiresAt: number, now: number): boolean {
		if (this.has(scope, nonce, now)) return false;
		this.#fresh.set(keyOf(scope, nonce), { scope, nonce, expiresAt: toInteger(expiresAt) });
		return true;
	}

	/** Within a transaction. What it wrote is kept in memory until `written` says that it is safe. */
	write(): void {
		for (const { scope, nonce, expiresAt } of this.#fresh.values()) this.#insert.run(scope, nonce, expiresAt);
	}

	written(): void {
		this.#fresh.clear();
	}

	prune(now: number): void {
		this.#prune.run(now);
	}
}

const keyOf = (scope: string, nonce: string): string => JSON.stringify([scope, nonce]);

const toInteger = (time: number): number => (Number.isFinite(time) ? Math.ceil(time) : Number.MAX_SAFE_INTEGER);

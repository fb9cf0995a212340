/** Appends lines to the audit; whoever calls has opened a transaction, and the lines are there when it is. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { toUSVString } from 'node:util';
import type { AuditEntry, AuditRecord } from '../../contract/audit.ts';
import { genesis, recordFor, sealedFields } from './chain.ts';

/** The last line: its number and its seal. */
export interface Head {
	readonly seq: number;
	readonly seal: string;
}

/** Characters of the JSON of a detail. */
const longestDetail = 256 * 1024;

/** `vouches` is ours alone: hashes of rows in other tables that this line stands for. */
function detailText(detail: AuditEntry['detail'], vouches: object | undefined): string | null {
	if (detail === undefined && vouches === undefined) return null;
	const text = toUSVString(JSON.stringify({ ...detail, vouches }));
	if (text.length <= longestDetail) return text;
	return JSON.stringify({ cut: toUSVString(text.slice(0, longestDetail)), vouches });
}

export class Ledger {
	readonly #last: StatementSync;
	readonly #insert: StatementSync;
	readonly #insertDetail: StatementSync;

	constructor(db: DatabaseSync) {
		const columns = [...sealedFields, 'seal'];
		this.#last = db.prepare('SELECT seq, seal FROM audit ORDER BY seq DESC LIMIT 1');
		this.#insert = db.prepare(
			`INSERT INTO audit (${columns.join(', ')}) VALUES (${columns.map((name) => `:${name}`).join(', ')})`,
		);
		this.#insertDetail = db.prepare('INSERT INTO audit_detail (seq, detail) VALUES (?, ?)');
	}

	/** Of what is written so far in this transaction; undefined while there is no line. */
	head(): Head | undefined {
		return this.#last.get() as unknown as Head | undefined;
	}

	/** @param at RFC 3339, UTC, milliseconds */
	append(entry: AuditEntry, at: string, vouches?: object): AuditRecord {
		const head = this.head();
		const detail = detailText(entry.detail, vouches);
		const place = { seq: (head?.seq ?? 0) + 1, at, prev: head?.seal ?? genesis };
		const record = recordFor(entry, place, detail);
		this.#insert.run({ ...record });
		if (detail !== null) this.#insertDetail.run(record.seq, detail);
		return record;
	}
}

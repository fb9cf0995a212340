/** A quick look before an agent starts: does the audit still end where it was signed? The whole of it is for "audit verify". */
import { existsSync } from 'node:fs';
import { databaseFile, stateFolder } from './places.ts';
import { AuditReader } from './reader.ts';
import { readHead } from './witness.ts';

/** @returns what does not fit; null when the signed head is in the database, and for an audit that has not begun */
export function headProblem(dir: string): string | null {
	const known = readHead(stateFolder(dir));
	if (known === null) return 'its signed head cannot be read';
	if (!existsSync(databaseFile(dir))) return known === undefined ? null : 'its database is gone';
	try {
		return compare(new AuditReader(databaseFile(dir)), known);
	} catch {
		return 'its database cannot be read';
	}
}

function compare(
	reader: AuditReader,
	known: { readonly seq: number; readonly seal: string } | undefined,
): string | null {
	try {
		if (reader.strangeTables().length > 0) return known === undefined ? null : 'its tables are not as they were made';
		if (known === undefined) return reader.sealOf(1) === undefined ? null : 'its signed head is missing';
		if (reader.sealOf(known.seq) === known.seal) return null;
		return `it had ${known.seq} lines and ends differently now`;
	} finally {
		reader.close();
	}
}

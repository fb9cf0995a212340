/** Opens SQLite as Node.js brings it: only when somebody needs it, and without the word of warning of older versions. */
import type { DatabaseSync } from 'node:sqlite';

type Sqlite = typeof import('node:sqlite');

let loaded: Sqlite | undefined;

function load(): Sqlite {
	const { emitWarning } = process;
	process.emitWarning = () => {};
	try {
		return process.getBuiltinModule('node:sqlite');
	} finally {
		process.emitWarning = emitWarning;
	}
}

export function openDatabase(path: string | URL, options: { readonly readOnly?: boolean } = {}): DatabaseSync {
	loaded ??= load();
	return new loaded.DatabaseSync(path, options);
}

/** The primary result code of SQLite (https://sqlite.org/rescode.html); undefined when the error is not SQLite's. */
export function sqliteCode(error: unknown): number | undefined {
	const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
	return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}

/** SQLITE_CONSTRAINT: a row does not fit; everything else that SQLite throws means that it cannot write. */
export const isConstraint = (error: unknown): boolean => sqliteCode(error) === 19;

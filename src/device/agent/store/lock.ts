/** One agent for each folder: a lock that the kernel takes back however the process ends. */
import { chmodSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { KnownError } from '../../../contract/error.ts';
import { openDatabase, sqliteCode } from '../../../core/audit/sqlite.ts';

const busy = 5;

/** @returns what holds the lock; closing it lets go */
export function lockFolder(path: string): DatabaseSync {
	const db = openDatabase(path);
	try {
		chmodSync(path, 0o600);
		db.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
		return db;
	} catch (error) {
		db.close();
		if (sqliteCode(error) !== busy) throw error;
		throw new KnownError('CONFIG_INVALID', { details: 'another agent serves this folder already' }, { cause: error });
	}
}

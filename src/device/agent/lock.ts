/** One agent per folder: a lock that the kernel takes back when its process ends, however it ends. */
import { chmodSync, existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { KnownError } from '../../contract/error.ts';

const busyCode = 5;

export interface Lock {
	release(): void;
}

function open(path: string): DatabaseSync {
	const database = new DatabaseSync(path, { timeout: 0 });
	try {
		database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
		return database;
	} catch (error) {
		database.close();
		throw error;
	}
}

const isBusy = (error: unknown): boolean => (error as { errcode?: number }).errcode === busyCode;

/** Throws CONFIG_INVALID when another agent serves the folder. */
export function lock(path: string): Lock {
	try {
		const database = open(path);
		chmodSync(path, 0o600);
		return { release: () => database.close() };
	} catch (error) {
		const details = isBusy(error) ? 'another agent serves this folder already' : 'its state folder cannot be written';
		throw new KnownError('CONFIG_INVALID', { details }, { cause: error });
	}
}

/** Whether an agent serves the folder now. */
export function isLocked(path: string): boolean {
	if (!existsSync(path)) return false;
	try {
		open(path).close();
		return false;
	} catch (error) {
		return isBusy(error);
	}
}

/** Opens the store of an agent: one database file and a folder of output, which nobody but the agent's user can read. */
import type { KeyObject } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { AgentConfig } from '../../../contract/agent-config.ts';
import { KnownError } from '../../../contract/error.ts';
import { type Checkpoint, createSigner } from '../../../core/audit/checkpoint.ts';
import { databaseFile, stateFolder } from '../../../core/audit/places.ts';
import { openDatabase } from '../../../core/audit/sqlite.ts';
import type { Store } from '../ports.ts';
import { cannotWrite } from './group-commit.ts';
import { lockFolder } from './lock.ts';
import { migrate } from './schema.ts';
import { SqliteStore } from './store.ts';

export interface StoreOptions {
	readonly config: AgentConfig;
	/** Private Ed25519 key of the device; signs the checkpoints of the audit. See `readDeviceKey`. */
	readonly signingKey: KeyObject;
	/** Milliseconds since 1970; absent: the clock of the host. */
	readonly now?: () => number;
	/** Hears every checkpoint, so that it can be kept on another machine. */
	readonly onCheckpoint?: (checkpoint: Checkpoint) => void;
	/** Hides secrets in the texts of the audit and of its tables; absent: only what looks like one is hidden. */
	readonly mask?: (text: string) => string;
}

/** Makes a folder that is ours alone; refuses one that is not. */
function privateFolder(path: string): void {
	mkdirSync(path, { recursive: true, mode: 0o700 });
	const found = lstatSync(path);
	if (!found.isDirectory() || found.uid !== process.getuid?.())
		throw new KnownError('CONFIG_INVALID', { details: `${path} is not a folder of the agent's own user` });
	chmodSync(path, 0o700);
}

/** Every commit is on the disk when it returns, and readers never keep a writer waiting. */
function openFile(path: string): DatabaseSync {
	const db = openDatabase(path);
	chmodSync(path, 0o600);
	db.exec(
		'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 67108864',
	);
	migrate(db);
	return db;
}

/**
 * @param dir folder of the agent; the store lies in "state" below it
 * @throws AUDIT_BROKEN when it cannot be written, CONFIG_INVALID when another agent works there
 */
export function openStore(
	dir: string,
	{ config, signingKey, now = Date.now, onCheckpoint, mask = (text) => text }: StoreOptions,
): Store {
	const folder = stateFolder(dir);
	let lock: DatabaseSync | undefined;
	let db: DatabaseSync | undefined;
	try {
		privateFolder(folder);
		privateFolder(join(folder, 'output'));
		lock = lockFolder(join(folder, 'lock'));
		db = openFile(databaseFile(dir));
		const signer = createSigner(config.device.id, signingKey);
		return new SqliteStore({ folder, db, lock, signer, config, now, mask, ...(onCheckpoint && { onCheckpoint }) });
	} catch (error) {
		db?.close();
		lock?.close();
		throw KnownError.is(error) ? error : cannotWrite(error);
	}
}

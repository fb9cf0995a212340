/** What sessions ask of the place that keeps them: whole encrypted files by name, replaced as a whole, one writer at a time. */

/** Below the store, "namespace/id"; both are hashes. */
export interface SessionPlace {
	readonly namespace: string;
	readonly id: string;
}

export interface StoredSession {
	readonly body: AsyncIterable<Uint8Array>;
	/** Another after each write. */
	readonly version: string;
}

export interface ListedSession {
	readonly place: SessionPlace;
	readonly bytes: number;
	/** The beginning, in which the header stands. */
	readonly head: Uint8Array;
}

export interface SessionLock {
	release(): Promise<void>;
}

/** Somebody else wrote meanwhile, although the lock was held. */
export class StoreConflict extends Error {}

export interface SessionStore {
	/** For an error that an operator reads. */
	readonly name: string;
	read(place: SessionPlace): Promise<StoredSession | undefined>;
	/**
	 * @param file of this host, with the encrypted session
	 * @param version that is replaced; null where there is none yet. Another one there: StoreConflict
	 */
	write(place: SessionPlace, file: string, version: string | null): Promise<void>;
	remove(place: SessionPlace): Promise<void>;
	/** @param namespace absent: all */
	list(namespace?: string): AsyncIterable<ListedSession>;
	/** Undefined when somebody else holds it; a lock that was forgotten ends after `ttlMs`. */
	lock(place: SessionPlace, ttlMs: number): Promise<SessionLock | undefined>;
}

/** Enough for a header. */
export const headBytes = 2_048;

/** A session from call to call: waits for its turn, is opened for one run, and written back as a whole when that ended well. */
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, open as openFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { KnownError } from '../../contract/error.ts';
import { decrypt, encrypt, Undecipherable } from './encryption.ts';
import { readHeader, type SessionHeader, writeHeader } from './header.ts';
import { headBytes, type SessionLock, type SessionPlace, type SessionStore, StoreConflict } from './store.ts';

/** Which session a job has, and what it may become. */
export interface SessionWish {
	readonly store: SessionStore;
	/** Encrypts it; 32 bytes or more. */
	readonly master: Uint8Array;
	readonly place: SessionPlace;
	/** For the person who lists sessions. */
	readonly label: string;
	readonly ttlMs: number;
	readonly quotaBytes: number;
	/** Variables of Python are kept, too. `tried`: nobody asked for it, so programs in other languages say nothing about it. */
	readonly keepsState: boolean | 'tried';
}

/** A file that was given to an earlier call. */
export interface KeptInput {
	readonly name: string;
	readonly path: string;
}

/** A session while one job has it. */
export interface OpenSession {
	readonly wish: SessionWish;
	/** A tar archive of what lay in /work; undefined for a new session. */
	readonly tree: string | undefined;
	readonly inputs: readonly KeptInput[];
	readonly created: number;
	readonly version: string | null;
	readonly lock: SessionLock;
}

/** How long a call waits for one that has the session, and how often it looks. */
export const sessionWaitMs = 30_000;
const lookMs = 100;
/** Longer than any run, so that a lock is forgotten only when its process is gone. */
const lockMarginMs = 120_000;

/** One line of waiting calls for each session of this process. */
const lines = new Map<string, Promise<void>>();

async function inLine(name: string, until: number): Promise<(() => void) | undefined> {
	const before = lines.get(name) ?? Promise.resolve();
	let leave = () => {};
	const mine = new Promise<void>((resolve) => {
		leave = resolve;
	});
	const line = before.then(() => mine);
	lines.set(name, line);
	void line.then(() => {
		if (lines.get(name) === line) lines.delete(name);
	});
	const timer = new AbortController();
	const late = sleep(Math.max(0, until - Date.now()), false, { signal: timer.signal }).catch(() => false);
	const isMyTurn = await Promise.race([before.then(() => true), late]);
	timer.abort();
	if (isMyTurn) return leave;
	leave();
	return undefined;
}

/** @returns undefined when another call had the session for too long */
async function hold({ store, place }: SessionWish, runMs: number, waitMs: number): Promise<SessionLock | undefined> {
	const until = Date.now() + waitMs;
	const leave = await inLine(`${store.name} ${place.namespace}/${place.id}`, until);
	if (!leave) return undefined;
	try {
		for (;;) {
			const lock = await store.lock(place, runMs + lockMarginMs);
			if (lock) return { release: () => lock.release().finally(leave) };
			if (Date.now() > until) break;
			await sleep(lookMs);
		}
	} catch (error) {
		leave();
		throw error;
	}
	leave();
	return undefined;
}

interface Manifest {
	readonly inputs: readonly { readonly name: string; readonly bytes: number }[];
	readonly treeBytes: number;
}

/** Reads so many bytes after one another from one stream. */
class Parts {
	readonly #chunks: AsyncIterator<Uint8Array>;
	#held: Uint8Array = new Uint8Array();

	constructor(stream: AsyncIterable<Uint8Array>) {
		this.#chunks = stream[Symbol.asyncIterator]();
	}

	async *take(bytes: number): AsyncGenerator<Uint8Array> {
		let left = bytes;
		while (left > 0) {
			if (this.#held.length === 0) {
				const { done, value } = await this.#chunks.next();
				if (done) throw new Undecipherable('the session is cut');
				this.#held = value;
			}
			const part = this.#held.subarray(0, left);
			this.#held = this.#held.subarray(part.length);
			left -= part.length;
			yield part;
		}
	}

	/** Nothing may be left: the end of the stream proves that it is whole. */
	async end(): Promise<void> {
		if (this.#held.length > 0 || !(await this.#chunks.next()).done) throw new Undecipherable('the session is too long');
	}

	async buffer(bytes: number): Promise<Buffer> {
		const all: Uint8Array[] = [];
		for await (const part of this.take(bytes)) all.push(part);
		return Buffer.concat(all);
	}
}

const store = (parts: Parts, bytes: number, path: string): Promise<void> =>
	pipeline(parts.take(bytes), createWriteStream(path, { mode: 0o600 }));

/** The header, and everything behind it. */
async function splitHeader(
	body: AsyncIterable<Uint8Array>,
): Promise<{ header: SessionHeader; raw: Buffer; rest: AsyncIterable<Uint8Array> } | undefined> {
	const chunks = body[Symbol.asyncIterator]();
	let held = Buffer.alloc(0);
	while (held.length < headBytes) {
		const { done, value } = await chunks.next();
		if (done) break;
		held = Buffer.concat([held, value]);
	}
	const found = readHeader(held.subarray(0, headBytes));
	if (!found) return undefined;
	const after = held.subarray(found.length);
	async function* rest() {
		yield after;
		yield* { [Symbol.asyncIterator]: () => chunks };
	}
	return { header: found.header, raw: held.subarray(0, found.length), rest: rest() };
}

type Content = Pick<OpenSession, 'tree' | 'inputs' | 'created' | 'version'>;

const fresh = (version: string | null): Content => ({ tree: undefined, inputs: [], created: Date.now(), version });

/** Lays the content out in a folder of this host, for as long as the job runs. */
async function readContent(wish: SessionWish, folder: string): Promise<Content> {
	const stored = await wish.store.read(wish.place);
	if (!stored) return fresh(null);
	const split = await splitHeader(stored.body);
	if (!split) throw new Undecipherable('the session has no header');
	const { header, raw, rest } = split;
	if (header.expires <= Date.now()) return fresh(stored.version);
	const parts = new Parts(decrypt(rest, { master: wish.master, id: wish.place.id, header: raw, salt: header.salt }));
	const manifest = JSON.parse((await parts.buffer((await parts.buffer(4)).readUInt32BE())).toString()) as Manifest;
	const inputs: KeptInput[] = [];
	for (const [index, { name, bytes }] of manifest.inputs.entries()) {
		const path = join(folder, `input-${index}`);
		await store(parts, bytes, path);
		inputs.push({ name, path });
	}
	const tree = join(folder, 'tree.tar');
	await store(parts, manifest.treeBytes, tree);
	await parts.end();
	await chmod(tree, 0o444);
	return { tree, inputs, created: header.created, version: stored.version };
}

function explain(error: unknown, { store: { name } }: SessionWish): never {
	if (KnownError.is(error)) throw error;
	const details =
		error instanceof Undecipherable
			? `${error.message}; delete it to begin anew`
			: `it cannot be used (${(error as Error).message})`;
	throw new KnownError('SESSION_STORE', { store: name, details }, { cause: error });
}

/**
 * @param folder receives the content; it must be ours and go away with the job
 * @param runMs the longest the job may take
 * @returns undefined when another call had the session for too long
 */
export async function openSession(
	wish: SessionWish,
	folder: string,
	runMs: number,
	waitMs: number = sessionWaitMs,
): Promise<OpenSession | undefined> {
	const lock = await hold(wish, runMs, waitMs).catch((error: unknown) => explain(error, wish));
	if (!lock) return undefined;
	try {
		await mkdir(folder, { recursive: true, mode: 0o711 });
		return { wish, lock, ...(await readContent(wish, folder)) };
	} catch (error) {
		await lock.release().catch(() => {});
		return explain(error, wish);
	}
}

async function* contentOf(tree: string, treeBytes: number, inputs: readonly (KeptInput & { bytes: number })[]) {
	const manifest: Manifest = { inputs: inputs.map(({ name, bytes }) => ({ name, bytes })), treeBytes };
	const text = Buffer.from(JSON.stringify(manifest));
	const length = Buffer.alloc(4);
	length.writeUInt32BE(text.length);
	yield length;
	yield text;
	for (const { path } of inputs) yield* createReadStream(path) as AsyncIterable<Buffer>;
	yield* createReadStream(tree) as AsyncIterable<Buffer>;
}

/** `left`: names of inputs for which there was no room. */
export type Saved =
	| { readonly isSaved: true; readonly left: readonly string[] }
	| { readonly isSaved: false; readonly bytes: number };

/** No program can delete what it was given, so the oldest inputs make room for newer ones. */
export function splitByRoom<Sized extends { readonly bytes: number }>(inputs: readonly Sized[], room: number) {
	let free = room;
	const kept: Sized[] = [];
	const left: Sized[] = [];
	for (const input of inputs.toReversed()) {
		const fits = input.bytes <= free;
		if (fits) free -= input.bytes;
		(fits ? kept : left).unshift(input);
	}
	return { kept, left };
}

/**
 * Writes the session back as a whole; one that would be larger than its quota even without inputs stays as it was.
 * @param tree a tar archive of what lies in /work now
 * @param inputs all files that the job was given, the oldest first
 * @param draft where the encrypted file may lie meanwhile
 */
export async function saveSession(
	{ wish, created, version }: OpenSession,
	{ tree, inputs, draft }: { tree: string; inputs: readonly KeptInput[]; draft: string },
): Promise<Saved> {
	const sized = await Promise.all(inputs.map(async (input) => ({ ...input, bytes: (await stat(input.path)).size })));
	const treeBytes = (await stat(tree)).size;
	if (treeBytes > wish.quotaBytes) return { isSaved: false, bytes: treeBytes };
	const { left, kept } = splitByRoom(sized, wish.quotaBytes - treeBytes);
	const bytes = treeBytes + kept.reduce((sum, input) => sum + input.bytes, 0);
	const now = Date.now();
	const salt = randomBytes(32).toString('hex');
	const header = writeHeader({
		created,
		used: now,
		expires: now + wish.ttlMs,
		bytes,
		label: wish.label.slice(0, 200),
		salt,
	});
	const keys = { master: wish.master, id: wish.place.id, header, salt };
	try {
		const file = await openFile(draft, 'w', 0o600);
		await file.write(header);
		await file.close();
		await pipeline(encrypt(contentOf(tree, treeBytes, kept), keys), createWriteStream(draft, { flags: 'a' }));
		await wish.store.write(wish.place, draft, version);
		return { isSaved: true, left: left.map(({ name }) => name) };
	} catch (error) {
		if (error instanceof StoreConflict)
			throw new KnownError('SESSION_STORE', {
				store: wish.store.name,
				details: 'another process wrote the same session',
			});
		return explain(error, wish);
	}
}

export interface SessionEntry {
	readonly namespace: string;
	readonly id: string;
	readonly label: string;
	readonly bytes: number;
	readonly created: string;
	readonly used: string;
	readonly expires: string;
	readonly isExpired: boolean;
}

const when = (ms: number): string => new Date(ms).toISOString();

/** What a store holds; what cannot be read as a session is left out. */
export async function listSessions(store: SessionStore, namespace?: string): Promise<SessionEntry[]> {
	const found: SessionEntry[] = [];
	for await (const { place, head } of store.list(namespace)) {
		const header = readHeader(head)?.header;
		if (!header) continue;
		const { label, bytes, created, used, expires } = header;
		const times = { created: when(created), used: when(used), expires: when(expires) };
		found.push({ ...place, label, bytes, ...times, isExpired: expires <= Date.now() });
	}
	return found;
}

/** Waits for a call that has the session. @returns whether it was there to be deleted */
export async function deleteSession(store: SessionStore, place: SessionPlace): Promise<boolean> {
	const wish = { store, place } as SessionWish;
	const lock = await hold(wish, 0, sessionWaitMs).catch((error: unknown) => explain(error, wish));
	if (!lock) return false;
	try {
		await store.remove(place);
		return true;
	} finally {
		await lock.release();
	}
}

/** How often one namespace is looked through. */
const sweepMs = 600_000;
const swept = new Map<string, number>();

/** Removes what has expired beside the session that was just used; a failure must not spoil the job. */
export async function sweepExpired({ store, place: { namespace } }: SessionWish): Promise<void> {
	const name = `${store.name} ${namespace}`;
	if ((swept.get(name) ?? 0) > Date.now() - sweepMs) return;
	swept.set(name, Date.now());
	for (const { id, isExpired } of await listSessions(store, namespace))
		if (isExpired) await deleteSession(store, { namespace, id });
}

/** Sessions in a folder: of this machine, or one that several machines share. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
	headBytes,
	type ListedSession,
	type SessionLock,
	type SessionPlace,
	type SessionStore,
	StoreConflict,
} from './store.ts';

const ending = '.session';
const hash = /^[0-9a-f]{16,64}$/;

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

const orUndefined = <T>(promise: Promise<T>): Promise<T | undefined> =>
	promise.catch((error: unknown) => {
		if (isMissing(error)) return undefined;
		throw error;
	});

export class FolderStore implements SessionStore {
	readonly name: string;
	readonly #folder: string;

	constructor(folder: string) {
		this.#folder = folder;
		this.name = `the folder ${folder}`;
	}

	#path({ namespace, id }: SessionPlace): string {
		if (!hash.test(namespace) || !hash.test(id)) throw new Error('a session has names of hashes only');
		return join(this.#folder, namespace, `${id}${ending}`);
	}

	async #version(path: string): Promise<string | null> {
		const found = await orUndefined(stat(path, { bigint: true }));
		return found === undefined ? null : `${found.ino}-${found.mtimeNs}-${found.size}`;
	}

	async read(place: SessionPlace) {
		const path = this.#path(place);
		const version = await this.#version(path);
		return version === null ? undefined : { body: createReadStream(path), version };
	}

	/** Copied beside its place first: a name that exists is whole. */
	async write(place: SessionPlace, file: string, version: string | null): Promise<void> {
		const path = this.#path(place);
		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
		const draft = `${path}.${randomUUID()}.new`;
		try {
			await copyFile(file, draft);
			const written = await open(draft, 'r+');
			await written.chmod(0o600);
			await written.sync().finally(() => written.close());
			if ((await this.#version(path)) !== version) throw new StoreConflict();
			await rename(draft, path);
		} finally {
			await rm(draft, { force: true });
		}
	}

	async remove(place: SessionPlace): Promise<void> {
		await rm(this.#path(place), { force: true });
	}

	async *list(namespace?: string): AsyncGenerator<ListedSession> {
		const namespaces = namespace === undefined ? ((await orUndefined(readdir(this.#folder))) ?? []) : [namespace];
		for (const one of namespaces.filter((name) => hash.test(name)).sort()) {
			for (const name of ((await orUndefined(readdir(join(this.#folder, one)))) ?? []).sort()) {
				const id = name.slice(0, -ending.length);
				if (name.endsWith(ending) && hash.test(id)) yield* this.#describe({ namespace: one, id });
			}
		}
	}

	async *#describe(place: SessionPlace): AsyncGenerator<ListedSession> {
		const file = await orUndefined(open(this.#path(place), 'r'));
		if (!file) return;
		try {
			const { size } = await file.stat();
			const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(headBytes), position: 0 });
			yield { place, bytes: size, head: buffer.subarray(0, bytesRead) };
		} finally {
			await file.close();
		}
	}

	/** A link to a file that already says who holds it: no lock is ever seen half written, also on a shared folder. */
	async lock(place: SessionPlace, ttlMs: number): Promise<SessionLock | undefined> {
		const path = `${this.#path(place)}.lock`;
		const own = `${path}.${randomUUID()}`;
		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
		await writeFile(own, JSON.stringify({ until: Date.now() + ttlMs, holder: own }), { mode: 0o600 });
		try {
			if (!(await this.#take(own, path)) && !((await this.#removeStale(path)) && (await this.#take(own, path))))
				return undefined;
		} finally {
			await rm(own, { force: true });
		}
		return { release: () => this.#release(path, own) };
	}

	async #take(own: string, path: string): Promise<boolean> {
		return link(own, path).then(
			() => true,
			(error: NodeJS.ErrnoException) => {
				if (error.code === 'EEXIST') return false;
				throw error;
			},
		);
	}

	/** Taken away under a name of our own, so that of two who find it only one has it. */
	async #removeStale(path: string): Promise<boolean> {
		const text = await orUndefined(readFile(path, 'utf8'));
		if (text === undefined) return true;
		if (untilOf(text) > Date.now()) return false;
		const away = `${path}.${randomUUID()}`;
		await orUndefined(rename(path, away));
		// Somebody who found the same one may have put a new one in its place meanwhile, which is not ours to take.
		const isSame = (await orUndefined(readFile(away, 'utf8'))) === text;
		if (!isSame) await orUndefined(link(away, path)).catch(() => {});
		await rm(away, { force: true });
		return isSame;
	}

	async #release(path: string, own: string): Promise<void> {
		const text = await orUndefined(readFile(path, 'utf8'));
		if (text?.includes(own)) await rm(path, { force: true });
	}
}

function untilOf(text: string): number {
	try {
		return Number((JSON.parse(text) as { until?: unknown }).until) || 0;
	} catch {
		return 0;
	}
}

/** Sessions in a bucket of an S3-compatible server, where every worker of an n8n finds them. */
import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import type { S3mini } from 's3mini';
import { KnownError } from '../../contract/error.ts';
import { fetchBounded } from './s3-fetch.ts';
import {
	headBytes,
	type ListedSession,
	type SessionLock,
	type SessionPlace,
	type SessionStore,
	StoreConflict,
} from './store.ts';

export interface S3Settings {
	/** Address of the server with the bucket: https://s3.example.com/bucket */
	readonly endpoint: string;
	readonly region: string;
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
	/** Before the names of all sessions; "" for none. */
	readonly prefix: string;
}

/** HTTP 412: what a condition asks for does not hold. Some servers say 409 when two ask at once. */
const statusOf = (error: unknown): number => Number((error as { status?: unknown }).status) || 0;
const isConflict = (error: unknown): boolean => [409, 412].includes(statusOf(error));

const isNew = { 'if-none-match': '*' };
const replaces = (version: string) => ({ 'if-match': version });

type Conditions = Readonly<Record<string, string>>;

const ending = '.session';
const placePattern = /([0-9a-f]{16,64})\/([0-9a-f]{16,64})\.session$/;

/** Of a thousand sessions each. */
const mostPages = 1_000;

/** Servers that were seen to keep conditions; asked once in a process. */
const proved = new Set<string>();

export class S3Store implements SessionStore {
	readonly name: string;
	readonly #settings: S3Settings;
	#client: S3mini | undefined;

	constructor(settings: S3Settings) {
		this.#settings = settings;
		this.name = `the bucket ${settings.endpoint}`;
	}

	/** Only jobs that keep sessions there load the client. */
	async #s3(): Promise<S3mini> {
		if (this.#client) return this.#client;
		const { S3mini: Client } = await import('s3mini');
		const { endpoint, region, accessKeyId, secretAccessKey } = this.#settings;
		const access = { endpoint, region, accessKeyId, secretAccessKey };
		this.#client = new Client({ ...access, requestAbortTimeout: 60_000, fetch: fetchBounded as typeof fetch });
		await this.#prove();
		return this.#client;
	}

	/** A server that ignores conditions would let two workers have one session. */
	async #prove(): Promise<void> {
		if (proved.has(this.name)) return;
		const key = this.#key(`probe-${randomUUID()}`);
		await this.#put(key, 'probe', isNew);
		const second = await this.#put(key, 'probe', isNew).then(
			() => 'written',
			(error: unknown) => (isConflict(error) ? 'refused' : 'failed'),
		);
		await this.#client?.deleteObject(key);
		if (second !== 'refused') {
			const details = 'the server does not keep the condition If-None-Match, so one session could have two writers';
			throw new KnownError('SESSION_STORE', { store: this.name, details });
		}
		proved.add(this.name);
	}

	#key(name: string): string {
		const prefix = this.#settings.prefix.replace(/^\/+|\/+$/g, '');
		return prefix === '' ? name : `${prefix}/${name}`;
	}

	#keyOf({ namespace, id }: SessionPlace): string {
		return this.#key(`${namespace}/${id}${ending}`);
	}

	async #put(key: string, body: string | Blob, conditions: Conditions): Promise<string> {
		const response = await this.#client?.putObject(
			key,
			body as never,
			'application/octet-stream',
			undefined,
			conditions as never,
		);
		return response?.headers.get('etag') ?? '';
	}

	async read(place: SessionPlace) {
		const response = await (await this.#s3()).getObjectResponse(this.#keyOf(place));
		if (!response?.body) return undefined;
		return { body: response.body as unknown as AsyncIterable<Uint8Array>, version: response.headers.get('etag') ?? '' };
	}

	async write(place: SessionPlace, file: string, version: string | null): Promise<void> {
		await this.#s3();
		const condition = version === null ? isNew : replaces(version);
		await this.#put(this.#keyOf(place), await openAsBlob(file), condition).catch((error: unknown) => {
			throw isConflict(error) ? new StoreConflict() : error;
		});
	}

	async remove(place: SessionPlace): Promise<void> {
		await (await this.#s3()).deleteObject(this.#keyOf(place));
	}

	async *list(namespace?: string): AsyncGenerator<ListedSession> {
		const s3 = await this.#s3();
		const prefix = this.#key(namespace === undefined ? '' : `${namespace}/`);
		let token: string | undefined;
		for (let pages = 0; pages === 0 || token !== undefined; pages++) {
			if (pages === mostPages) throw new Error('the server gave a list that has no end');
			const page = await s3.listObjectsPaged('/', prefix, 1_000, token);
			for (const { Key, Size } of page?.objects ?? []) {
				const [, space, id] = placePattern.exec(Key) ?? [];
				if (space === undefined || id === undefined) continue;
				const response = await s3.getObjectRaw(Key, false, 0, headBytes - 1).catch(() => undefined);
				if (!response) continue;
				yield {
					place: { namespace: space, id },
					bytes: Number(Size),
					head: new Uint8Array(await response.arrayBuffer()),
				};
			}
			token = page?.nextContinuationToken;
		}
	}

	async lock(place: SessionPlace, ttlMs: number): Promise<SessionLock | undefined> {
		await this.#s3();
		const key = `${this.#keyOf(place)}.lock`;
		const body = JSON.stringify({ until: Date.now() + ttlMs, holder: randomUUID() });
		const version = await this.#take(key, body);
		return version === undefined ? undefined : { release: () => this.#release(key, version) };
	}

	/** A lock that was forgotten is replaced only if it is still the one that was seen. */
	async #take(key: string, body: string): Promise<string | undefined> {
		const refused = (error: unknown) => {
			if (isConflict(error)) return undefined;
			throw error;
		};
		const taken = await this.#put(key, body, isNew).catch(refused);
		if (taken !== undefined) return taken;
		const held = await this.#client?.getObjectResponse(key);
		if (!held) return this.#put(key, body, isNew).catch(refused);
		const { until } = (await held.json().catch(() => ({ until: 0 }))) as { until?: number };
		if (Number(until) > Date.now()) return undefined;
		return this.#put(key, body, replaces(held.headers.get('etag') ?? '')).catch(refused);
	}

	/** Ours may have been taken for forgotten. */
	async #release(key: string, version: string): Promise<void> {
		const held = await this.#client?.getObjectResponse(key).catch(() => null);
		await held?.arrayBuffer();
		if (held?.headers.get('etag') === version) await this.#client?.deleteObject(key);
	}
}

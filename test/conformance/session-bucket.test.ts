/** Sessions in a real S3-compatible server. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { placeOf } from '../../src/core/sessions/key.ts';
import { S3Store } from '../../src/core/sessions/s3-store.ts';
import {
	deleteSession,
	listSessions,
	openSession,
	type SessionWish,
	saveSession,
} from '../../src/core/sessions/session.ts';
import { StoreConflict } from '../../src/core/sessions/store.ts';
import { type BucketServer, startBucketServer, whyNoBucketServer } from '../helpers/bucket-server.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const reason = await whyNoBucketServer();

const master = Buffer.alloc(32, 7);
const access = { region: 'us-east-1', accessKeyId: 'test', secretAccessKey: 'test' };

describe.skipIf(reason !== undefined)(
	`a bucket of sessions${reason === undefined ? '' : ` (skipped: ${reason})`}`,
	() => {
		let server: BucketServer;
		let endpoint: string;
		beforeAll(async () => {
			server = await startBucketServer();
			endpoint = await server.bucket('sessions');
		});
		afterAll(() => server?.stop());

		const storeWith = (prefix: string) => new S3Store({ endpoint, prefix, ...access });
		const wishWith = (store: S3Store, key = 'ana'): SessionWish => ({
			...{ store, master, place: placeOf(master, ['w', 'n'], key), label: 'workflow w' },
			...{ ttlMs: 60_000, quotaBytes: 100_000_000, keepsState: false },
		});

		async function call(wish: SessionWish, content: string | undefined): Promise<string | undefined> {
			const folder = tempFolder();
			const open = await openSession(wish, join(folder, 's'), 1_000);
			if (!open) throw new Error('busy');
			const found = open.tree === undefined ? undefined : readFileSync(open.tree, 'utf8');
			if (content !== undefined) {
				writeFileSync(join(folder, 'tree'), content);
				await saveSession(open, { tree: join(folder, 'tree'), inputs: [], draft: join(folder, 'encrypted') });
			}
			await open.lock.release();
			return found;
		}

		test.each(['', 'a/prefix'])('gives another worker what one has kept, under the prefix %j', async (prefix) => {
			expect(await call(wishWith(storeWith(prefix)), 'first')).toBeUndefined();
			expect(await call(wishWith(storeWith(prefix)), 'second'.repeat(300_000))).toBe('first');
			expect(await call(wishWith(storeWith(prefix)), undefined)).toBe('second'.repeat(300_000));
			expect(await call(wishWith(storeWith(prefix), 'luis'), undefined)).toBeUndefined();
		});

		test('holds nothing that can be read', async () => {
			const wish = wishWith(storeWith('encrypted'));
			await call(wish, 'visible-content');
			const stored = await wish.store.read(wish.place);
			expect(await text(stored?.body as never)).not.toContain('visible-content');
		});

		test('has one holder at a time, and a forgotten lock ends', async () => {
			const [one, other] = [storeWith('locks'), storeWith('locks')];
			const { place } = wishWith(one);
			const lock = await one.lock(place, 60_000);
			expect([lock !== undefined, await other.lock(place, 60_000)]).toEqual([true, undefined]);
			await lock?.release();
			const forgotten = await other.lock(place, -1);
			const taken = await Promise.all([one, other, storeWith('locks')].map((store) => store.lock(place, 60_000)));
			expect(taken.filter(Boolean)).toHaveLength(1);
			await forgotten?.release();
			expect(await one.lock(place, 60_000)).toBeUndefined();
		});

		test('is written only over what was read', async () => {
			const store = storeWith('versions');
			const { place } = wishWith(store);
			const file = join(tempFolder(), 'file');
			writeFileSync(file, 'one');
			await store.write(place, file, null);
			await expect(store.write(place, file, null)).rejects.toBeInstanceOf(StoreConflict);
			const version = (await store.read(place))?.version ?? '';
			writeFileSync(file, 'two');
			await store.write(place, file, version);
			await expect(store.write(place, file, version)).rejects.toBeInstanceOf(StoreConflict);
		});

		test('is listed and emptied', async () => {
			const store = storeWith('list');
			for (const key of ['ana', 'luis']) await call(wishWith(store, key), key);
			const found = await listSessions(store);
			expect(found.map(({ label, bytes }) => [label, bytes]).sort()).toEqual([
				['workflow w', 3],
				['workflow w', 4],
			]);
			expect(await listSessions(store, '0'.repeat(32))).toEqual([]);
			for (const { namespace, id } of found) expect(await deleteSession(store, { namespace, id })).toBe(true);
			expect(await listSessions(store)).toEqual([]);
		});

		test('that cannot be reached, or is not ours, is for the operator', async () => {
			const closed = new S3Store({ endpoint: 'http://127.0.0.1:9/sessions', prefix: '', ...access });
			await expect(call(wishWith(closed), 'x')).rejects.toThrow(expect.objectContaining({ code: 'SESSION_STORE' }));
			const missing = new S3Store({ endpoint: endpoint.replace(/sessions$/, 'no-such-bucket'), prefix: '', ...access });
			await expect(call(wishWith(missing), 'x')).rejects.toThrow(expect.objectContaining({ code: 'SESSION_STORE' }));
		});

		test('whose server ignores conditions is refused, because a session could have two writers', async () => {
			const careless = createServer((request, response) => {
				request.resume();
				request.on('end', () => response.writeHead(request.method === 'DELETE' ? 204 : 200, { etag: '"x"' }).end());
			});
			await new Promise<void>((resolve) => careless.listen(0, '127.0.0.1', resolve));
			const { port } = careless.address() as AddressInfo;
			const store = new S3Store({ endpoint: `http://127.0.0.1:${port}/bucket`, prefix: '', ...access });
			await expect(call(wishWith(store), 'x')).rejects.toThrow('does not keep the condition If-None-Match');
			careless.close();
		});
	},
);

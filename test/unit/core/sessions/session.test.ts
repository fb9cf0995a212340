import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FolderStore } from '../../../../src/core/sessions/folder-store.ts';
import { placeOf } from '../../../../src/core/sessions/key.ts';
import {
	deleteSession,
	type KeptInput,
	listSessions,
	openSession,
	type SessionWish,
	saveSession,
	sweepExpired,
} from '../../../../src/core/sessions/session.ts';
import { StoreConflict } from '../../../../src/core/sessions/store.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const master = Buffer.alloc(32, 7);

const wishIn = (folder: string, key = 'ana', more: Partial<SessionWish> = {}): SessionWish => ({
	store: new FolderStore(folder),
	master,
	place: placeOf(master, ['w', 'n'], key),
	label: 'workflow w, node n',
	ttlMs: 3_600_000,
	quotaBytes: 1_000_000,
	keepsState: false,
	...more,
});

/** One call: finds what the one before kept, and keeps something itself. */
async function call(wish: SessionWish, tree?: string, inputs: readonly string[] = []) {
	const folder = tempFolder();
	const open = await openSession(wish, join(folder, 'session'), 1_000);
	if (!open) return undefined;
	const found = {
		tree: open.tree === undefined ? undefined : readFileSync(open.tree, 'utf8'),
		inputs: open.inputs.map(({ name, path }) => [name, readFileSync(path, 'utf8')]),
	};
	try {
		if (tree === undefined) return found;
		writeFileSync(join(folder, 'tree'), tree);
		const given: KeptInput[] = inputs.map((name) => ({ name, path: join(folder, name) }));
		for (const { path } of given) writeFileSync(path, `content of ${path.split('/').at(-1)}`);
		const saved = await saveSession(open, {
			tree: join(folder, 'tree'),
			inputs: given,
			draft: join(folder, 'encrypted'),
		});
		return { ...found, saved };
	} finally {
		await open.lock.release();
	}
}

const fileOf = (folder: string, { place }: SessionWish) => join(folder, place.namespace, `${place.id}.session`);

describe('a session', () => {
	it('gives the next call what the last one kept', async () => {
		const wish = wishIn(tempFolder());
		expect(await call(wish, 'first', ['a.csv', 'b.csv'])).toEqual({
			tree: undefined,
			inputs: [],
			saved: { isSaved: true, left: [] },
		});
		expect(await call(wish, 'second')).toEqual({
			tree: 'first',
			inputs: [
				['a.csv', 'content of a.csv'],
				['b.csv', 'content of b.csv'],
			],
			saved: { isSaved: true, left: [] },
		});
		expect(await call(wish)).toEqual({ tree: 'second', inputs: [] });
	});

	it('is nothing to another key, nor to another instance', async () => {
		const folder = tempFolder();
		await call(wishIn(folder), 'secret');
		expect(await call(wishIn(folder, 'luis'))).toEqual({ tree: undefined, inputs: [] });
		const stolen = { ...wishIn(folder), master: Buffer.alloc(32, 8) };
		await expect(call(stolen)).rejects.toThrow('encrypted with another key');
		expect(readFileSync(fileOf(folder, wishIn(folder))).includes('secret')).toBe(false);
	});

	it('that is over its quota stays as it was', async () => {
		const wish = wishIn(tempFolder(), 'ana', { quotaBytes: 20 });
		await call(wish, 'small');
		expect(await call(wish, 'x'.repeat(21))).toMatchObject({ saved: { isSaved: false, bytes: 21 } });
		expect(await call(wish, '12345', ['a'])).toMatchObject({ saved: { isSaved: true } });
		expect(await call(wish, 'x'.repeat(21), ['a'])).toMatchObject({ saved: { isSaved: false, bytes: 21 } });
		expect(await call(wish)).toMatchObject({ tree: '12345' });
	});

	it('keeps the newest inputs that there is room for beside what lies in /work, and tells the others', async () => {
		const wish = wishIn(tempFolder(), 'ana', { quotaBytes: 40 });
		const saved = await call(wish, '12345', ['old', 'much-too-long-a-name-for-all', 'b', 'a']);
		expect(saved).toMatchObject({ saved: { isSaved: true, left: ['old', 'much-too-long-a-name-for-all'] } });
		expect(await call(wish)).toEqual({
			tree: '12345',
			inputs: [
				['b', 'content of b'],
				['a', 'content of a'],
			],
		});
	});

	it('that has expired begins anew, and is swept away with the next call beside it', async () => {
		const folder = tempFolder();
		const old = wishIn(folder, 'ana', { ttlMs: -1 });
		await call(old, 'old');
		expect(await listSessions(old.store)).toMatchObject([
			{ id: old.place.id, isExpired: true, label: 'workflow w, node n', bytes: 3 },
		]);
		expect(await call(wishIn(folder))).toEqual({ tree: undefined, inputs: [] });
		await call(wishIn(folder, 'luis'), 'new');
		await sweepExpired(wishIn(folder, 'luis'));
		expect((await listSessions(old.store)).map(({ isExpired }) => isExpired)).toEqual([false]);
	});

	it('that was changed on the disk is not opened', async () => {
		const folder = tempFolder();
		const wish = wishIn(folder);
		await call(wish, 'content');
		appendFileSync(fileOf(folder, wish), 'x');
		await expect(call(wish)).rejects.toThrow(expect.objectContaining({ code: 'SESSION_STORE' }));
		writeFileSync(fileOf(folder, wish), 'no session');
		await expect(call(wish)).rejects.toThrow('has no header');
		expect(await deleteSession(wish.store, wish.place)).toBe(true);
		expect(await call(wish)).toEqual({ tree: undefined, inputs: [] });
	});

	it('has one call at a time, in the order in which they came', async () => {
		const wish = wishIn(tempFolder());
		const order: string[] = [];
		const one = async (name: string) => {
			const open = await openSession(wish, join(tempFolder(), 's'), 1_000);
			order.push(`${name} in`);
			await new Promise((resolve) => setTimeout(resolve, 20));
			order.push(`${name} out`);
			await open?.lock.release();
		};
		await Promise.all(['a', 'b', 'c'].map(one));
		expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
	});

	it('that another process has for too long is refused', async () => {
		const wish = wishIn(tempFolder());
		const held = await new FolderStore(wish.store.name.replace('the folder ', '')).lock(wish.place, 60_000);
		const since = Date.now();
		expect(await openSession(wish, join(tempFolder(), 's'), 1_000, 300)).toBeUndefined();
		expect(Date.now() - since).toBeGreaterThanOrEqual(300);
		await held?.release();
		expect(await call(wish)).toEqual({ tree: undefined, inputs: [] });
	});

	it('is not written by a call whose lock another process took for forgotten', async () => {
		const folder = tempFolder();
		const wish = wishIn(folder);
		await call(wish, 'before');
		const open = await openSession(wish, join(tempFolder(), 's'), 1_000);
		if (!open) throw new Error('busy');
		writeFileSync(fileOf(folder, wish), readFileSync(fileOf(folder, wish)));
		const tree = join(tempFolder(), 'tree');
		writeFileSync(tree, 'after');
		const saving = saveSession(open, { tree, inputs: [], draft: `${tree}.encrypted` });
		await expect(saving).rejects.toThrow('another process wrote the same session');
		await open.lock.release();
	});
});

describe('a folder of sessions', () => {
	const place = placeOf(master, ['w'], 'k');

	it('has one lock for each session, which is given back or ends by itself', async () => {
		const store = new FolderStore(tempFolder());
		const first = await store.lock(place, 60_000);
		expect([first !== undefined, await store.lock(place, 60_000)]).toEqual([true, undefined]);
		await first?.release();
		const forgotten = await store.lock(place, -1);
		const next = await store.lock(place, 60_000);
		expect(next).toBeDefined();
		await forgotten?.release();
		expect(await store.lock(place, 60_000)).toBeUndefined();
		await next?.release();
	});

	it('gives a forgotten lock to one of many who want it', async () => {
		const store = new FolderStore(tempFolder());
		await store.lock(place, -1);
		const locks = await Promise.all(Array.from({ length: 12 }, () => store.lock(place, 60_000)));
		expect(locks.filter(Boolean).length).toBeLessThanOrEqual(1);
	});

	it('keeps nothing half written, and writes only over what was read', async () => {
		const folder = tempFolder();
		const store = new FolderStore(join(folder, 'deep', 'sessions'));
		const file = join(folder, 'file');
		writeFileSync(file, 'one');
		await store.write(place, file, null);
		await expect(store.write(place, file, null)).rejects.toBeInstanceOf(StoreConflict);
		const version = (await store.read(place))?.version ?? '';
		writeFileSync(file, 'two');
		await store.write(place, file, version);
		await expect(store.write(place, file, version)).rejects.toBeInstanceOf(StoreConflict);
		expect(readdirSync(join(folder, 'deep', 'sessions', place.namespace))).toEqual([`${place.id}.session`]);
	});

	it('lists what is a session and nothing else that lies there', async () => {
		const folder = tempFolder();
		await call(wishIn(folder), 'x');
		mkdirSync(join(folder, 'ab'.repeat(16)));
		writeFileSync(join(folder, 'ab'.repeat(16), `${'c'.repeat(32)}.session`), 'stray');
		writeFileSync(join(folder, 'notes.txt'), 'stray');
		expect(await listSessions(new FolderStore(folder))).toHaveLength(1);
		expect(await listSessions(new FolderStore(join(folder, 'none')))).toEqual([]);
		await expect(new FolderStore(folder).read({ namespace: '..', id: 'x' })).rejects.toThrow('hashes only');
	});

	it('that cannot be used is for the operator', async () => {
		const path = join(tempFolder(), 'file');
		writeFileSync(path, '');
		await expect(call(wishIn(join(path, 'sessions')))).rejects.toThrow(
			expect.objectContaining({ code: 'SESSION_STORE' }),
		);
		expect(existsSync(`${path}/sessions`)).toBe(false);
	});
});

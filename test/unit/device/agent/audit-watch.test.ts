import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { databaseFile } from '../../../../src/core/audit/places.ts';
import { AuditWatch } from '../../../../src/device/agent/audit-watch.ts';
import type { Store } from '../../../../src/device/agent/ports.ts';
import { agentFolder, openTestStore } from '../../../helpers/store.ts';

interface Watched {
	readonly dir: string;
	readonly store: Store;
	readonly watch: AuditWatch;
	/** Moves the clock. */
	later(ms: number): void;
}

async function watched(): Promise<Watched> {
	const dir = agentFolder();
	const store = openTestStore(dir);
	for (const event of ['agent.start', 'policy.load', 'agent.stop'] as const) await store.change(() => {}, { event });
	let now = 1_000;
	const watch = new AuditWatch({ dir, status: () => store.status(), now: () => now });
	const later = (ms: number) => {
		now += ms;
	};
	return { dir, store, watch, later };
}

function change(dir: string): void {
	const db = new DatabaseSync(databaseFile(dir));
	db.exec("UPDATE audit SET principal = 'mallory' WHERE seq = 2");
	db.close();
}

describe('the status of the audit', () => {
	it('is intact when the whole chain was followed', async () => {
		const { watch, store } = await watched();
		const { rows, seal } = store.status();
		expect(await watch.status()).toEqual({
			...{ status: 'intact', rows, seal, checkedRows: rows, checkedAt: 1_000, details: null },
		});
	});

	it('tells lines that were added since the chain was followed', async () => {
		const { watch, store } = await watched();
		const before = await watch.status();
		await store.change(() => {}, { event: 'agent.start' });
		const { rows, seal } = store.status();
		expect(await watch.status()).toEqual({ ...before, rows, seal });
	});

	it('is broken soon after a line was changed, and names it', async () => {
		const { watch, dir, later } = await watched();
		await watch.status();
		change(dir);
		later(60_000);
		await watch.status();
		await new Promise((resolve) => setTimeout(resolve, 100));
		expect(await watch.status()).toMatchObject({
			...{ status: 'broken', checkedRows: 1, checkedAt: 61_000, details: expect.stringContaining('row 2') },
		});
	});

	it('is looked for once, however many ask', async () => {
		const { watch } = await watched();
		const all = await Promise.all(Array.from({ length: 20 }, () => watch.status()));
		expect(new Set(all.map(({ checkedAt }) => checkedAt)).size).toBe(1);
	});

	it('says that nothing can be written, and that nothing can be read', async () => {
		const { dir, store } = await watched();
		const status = () => ({ ...store.status(), isWritable: false });
		expect(await new AuditWatch({ dir, now: () => 1, status }).status()).toMatchObject({ status: 'unwritable' });
		expect(await new AuditWatch({ dir: '/nowhere', now: () => 1, status }).status()).toMatchObject({
			...{ status: 'broken', checkedRows: 0, details: expect.stringContaining('public key') },
		});
	});
});

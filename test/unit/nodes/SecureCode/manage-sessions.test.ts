import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IExecuteFunctions } from 'n8n-workflow';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SecureCode } from '../../../../nodes/SecureCode/SecureCode.node.ts';
import { sessionFor } from '../../../../nodes/SecureCode/session-for.ts';
import { openSession, type SessionWish, saveSession } from '../../../../src/core/sessions/session.ts';
import { fakeContext } from '../../../helpers/n8n.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const { properties } = new SecureCode().description;

interface NodeOf {
	readonly workflow?: string;
	readonly id?: string;
	readonly name?: string;
}

/** What n8n gives a node of a workflow with two nodes of ours. */
function contextOf(
	parameters: Record<string, unknown>,
	{ workflow = 'w1', id = 'n1', name = 'Tool' }: NodeOf = {},
	more = {},
) {
	const { context } = fakeContext({ properties, parameters, items: [{ json: {} }], ...more });
	const nodes: Record<string, { id: string }> = { Tool: { id: 'n1' }, Other: { id: 'n2' } };
	return Object.assign(context, {
		getNode: () => ({ id, name, type: 't', typeVersion: 1, position: [0, 0], parameters: {} }),
		getWorkflow: () => ({ id: workflow }),
		workflow: { getNode: (other: string) => nodes[other] ?? null },
	}) as unknown as IExecuteFunctions;
}

const settings = (folder: string, of: 'chat' | 'key' = 'key') =>
	({ of, keepsState: false, ttlMs: 3_600_000, quotaBytes: 1e6, store: { folder } }) as const;

const noKey = { sessionKey: '' };

/** A session of a node, as a program leaves it. */
async function keep(folder: string, key: string, node: NodeOf = {}, ttlMs = 3_600_000): Promise<SessionWish> {
	const wish = (await sessionFor(contextOf({ ...noKey, sessionKey: key }, node), 0, {
		...settings(folder),
		ttlMs,
	})) as SessionWish;
	const open = await openSession(wish, join(tempFolder(), 'open'), 1_000);
	if (!open) throw new Error('busy');
	const tree = join(tempFolder(), 'tree');
	writeFileSync(tree, 'x'.repeat(100));
	await saveSession(open, { tree, inputs: [], draft: `${tree}.draft` });
	await open.lock.release();
	return wish;
}

async function run(
	folder: string,
	parameters: Record<string, unknown>,
	node: NodeOf = { id: 'n9', name: 'Admin' },
	more = {},
) {
	const place = { sessionStore: 'folder', sessionFolder: folder };
	const [items] = await new SecureCode().execute.call(contextOf({ ...place, ...parameters }, node, more));
	return (items ?? []).map(({ json }) => json);
}

beforeEach(() => {
	vi.stubEnv('SECURE_CODE_HOME', tempFolder());
});

const list = (folder: string, more = {}) => run(folder, { operation: 'listSessions', ...more });
const remove = (folder: string, more: object, rest = {}) =>
	run(folder, { operation: 'deleteSessions', ...more }, undefined, rest);

describe('the sessions of a workflow', () => {
	it('are listed, an item for each, of all of its nodes or of one', async () => {
		const folder = tempFolder();
		const one = await keep(folder, 'ana');
		await keep(folder, 'ben', { id: 'n2', name: 'Other' });
		const all = await list(folder);
		expect(all.map(({ node }) => node).sort()).toEqual(['Other', 'Tool']);
		expect(await list(folder, { sessionsOf: 'Tool' })).toEqual([
			{
				...{ id: one.place.id, node: 'Tool', bytes: 100, isExpired: false },
				...{ created: expect.any(String), used: expect.any(String), expires: expect.any(String) },
			},
		]);
	});

	it('are those of this workflow alone', async () => {
		const folder = tempFolder();
		const foreign = await keep(folder, 'ana', { workflow: 'w2' });
		await keep(folder, 'ana', { workflow: 'w11' });
		expect(await list(folder)).toEqual([]);
		expect(await remove(folder, { whichSessions: 'all' })).toEqual([{ deleted: [] }]);
		expect(await remove(folder, { whichSessions: 'id', sessionId: foreign.place.id })).toEqual([{ deleted: [] }]);
		expect((await run(folder, { operation: 'listSessions' }, { workflow: 'w2' })).length).toBe(1);
	});

	it('are deleted by id, by key, when they have expired, or all', async () => {
		const folder = tempFolder();
		const ids = Object.fromEntries(
			await Promise.all(
				['ana', 'ben', 'cid', 'old'].map(async (key) => {
					const wish = await keep(folder, key, {}, key === 'old' ? 1 : undefined);
					return [key, wish.place.id] as const;
				}),
			),
		);
		const results = [
			await remove(folder, { whichSessions: 'id', sessionId: ids.ana }),
			await remove(folder, { whichSessions: 'key', sessionsOf: 'Tool', deletedKey: 'ben' }),
			await remove(folder, { whichSessions: 'expired' }),
			await remove(folder, { whichSessions: 'all' }),
			await remove(folder, { whichSessions: 'all' }),
		];
		expect(results.flat().map(({ deleted }) => deleted)).toEqual([[ids.ana], [ids.ben], [ids.old], [ids.cid], []]);
	});

	it('of a chat are deleted by the session ID of the chat', async () => {
		const folder = tempFolder();
		const context = contextOf({}, {}, {});
		const chat = Object.assign(context, {
			getChatTrigger: () => ({ name: 'Chat' }),
			evaluateExpression: () => 'conversation-1',
		});
		const wish = (await sessionFor(chat, 0, settings(folder, 'chat'))) as SessionWish;
		const open = await openSession(wish, join(tempFolder(), 'open'), 1_000);
		const tree = join(tempFolder(), 'tree');
		writeFileSync(tree, 'x');
		if (open) await saveSession(open, { tree, inputs: [], draft: `${tree}.draft` });
		await open?.lock.release();
		const asked = { whichSessions: 'key', sessionsOf: 'Tool', deletedKey: 'conversation-1' };
		expect(await remove(folder, asked)).toEqual([{ deleted: [wish.place.id] }]);
	});

	it('are not found by the key of another node', async () => {
		const folder = tempFolder();
		await keep(folder, 'ana');
		expect(await remove(folder, { whichSessions: 'key', sessionsOf: 'Other', deletedKey: 'ana' })).toEqual([
			{ deleted: [] },
		]);
	});

	it.each([
		['without the name of the node', { sessionsOf: '' }, 'must name the node'],
		['with the name of no node', { sessionsOf: 'Nobody' }, 'no node called "Nobody"'],
		['without a key', { sessionsOf: 'Tool', deletedKey: ' ' }, '"Session Key" is empty'],
	])('are not deleted by key %s', async (_what, parameters, words) => {
		const asked = { whichSessions: 'key', deletedKey: 'x', ...parameters };
		await expect(remove(tempFolder(), asked)).rejects.toThrow(words);
	});

	it('give an error item where the author goes on after errors', async () => {
		const rows = await run('relative', { operation: 'listSessions' }, undefined, { continueOnFail: true });
		expect(rows).toEqual([{ error: expect.stringContaining('must be a path') }]);
	});

	it('are never steered by an expression in the operation', async () => {
		const asked = run(tempFolder(), { operation: (() => 'deleteSessions') as never });
		await expect(asked).rejects.toThrow('must be a fixed value');
	});
});

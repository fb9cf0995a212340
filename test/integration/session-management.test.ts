/** Sessions are listed and deleted from a workflow, by the node on the canvas. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Workflow } from '../../scripts/n8n/n8n-client.ts';
import { type Bench, openBench } from './helpers/bench.ts';
import { runsOf } from './helpers/results.ts';
import { link, node } from './helpers/workflows.ts';

let bench: Bench;
let folder: string;
beforeAll(async () => {
	bench = await openBench();
	folder = mkdtempSync(join(tmpdir(), 'secure-code-sessions-'));
});
afterAll(async () => {
	await bench?.close();
	rmSync(folder, { recursive: true, force: true });
});

/** Once for whatever comes, and also when nothing does. */
const once = { alwaysOutputData: true, executeOnce: true } as object;
const step = (name: string, parameters: Record<string, unknown>) =>
	node(
		name,
		'n8n-nodes-secure-code.secureCode',
		1,
		{ sessionStore: 'folder', sessionFolder: folder, ...parameters },
		once,
	);

/** One node after the other. */
const chain = (...nodes: ReturnType<typeof node>[]): Workflow => {
	const all = [node('Start', 'n8n-nodes-base.manualTrigger', 1), ...nodes];
	const links = all.slice(1).map(({ name }, index) => [all[index]?.name ?? '', link('main', name)]);
	return {
		name: `sessions ${crypto.randomUUID()}`,
		nodes: all,
		connections: Object.fromEntries(links),
		settings: { executionOrder: 'v1' },
	};
};

const keep = (name: string, sessionKey: string) =>
	step(name, {
		language: 'bash',
		code: 'cat f 2>/dev/null; echo kept > f',
		session: 'key',
		sessionKey,
		sessionState: true,
	});
const list = (name: string, more = {}) => step(name, { operation: 'listSessions', ...more });
const remove = (name: string, more: object) => step(name, { operation: 'deleteSessions', ...more });

test('A workflow lists what its nodes keep, and deletes it by ID, by key and as a whole', async () => {
	const execution = await bench.run(
		chain(
			...[keep('One', 'ana'), keep('Two', 'ben'), list('All'), list('Of One', { sessionsOf: 'One' })],
			remove('By Key', { whichSessions: 'key', sessionsOf: 'One', deletedKey: 'ana' }),
			list('Left'),
			remove('By ID', { whichSessions: 'id' }),
			keep('Again', 'ana'),
			remove('Rest', { whichSessions: 'all' }),
			list('None'),
		),
	);
	const rows = (name: string) => (runsOf(execution, name)[0]?.data?.main?.[0] ?? []).map(({ json }) => json);
	const names = (name: string) => rows(name).map((row) => row.node);
	expect(execution.status).toBe('success');
	expect([names('All').sort(), names('Of One'), names('Left')]).toEqual([['One', 'Two'], ['One'], ['Two']]);
	const [one] = rows('Of One');
	expect(one).toEqual({
		...{ id: expect.stringMatching(/^[0-9a-f]{32}$/), node: 'One', bytes: expect.any(Number), isExpired: false },
		...{ created: expect.any(String), used: expect.any(String), expires: expect.any(String) },
	});
	expect(rows('By Key')[0]).toEqual({ deleted: [one?.id] });
	expect(rows('By ID')).toEqual([{ deleted: [rows('Left')[0]?.id] }]);
	expect([rows('Again')[0]?.stdout, (rows('Rest')[0]?.deleted as string[] | undefined)?.length, names('None')]).toEqual(
		['', 1, [undefined]],
	);
});

test('A program in Bash is told that its session keeps files and no variables', async () => {
	const execution = await bench.run(chain(keep('One', 'variables')));
	const [item] = runsOf(execution, 'One')[0]?.data?.main?.[0] ?? [];
	expect(item?.json).toMatchObject({ status: 'succeeded', problem: { code: 'SESSION_FILES_ONLY' } });
});

/** Our nodes in n8n's editor, in a real browser. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SavedWorkflow } from '../../scripts/n8n/n8n-client.ts';
import { whyMissing } from '../helpers/debian.ts';
import { type Bench, openBench } from './helpers/bench.ts';
import { byTestId, type Editor, openEditor } from './helpers/editor.ts';

const reason = whyMissing('chromium', 'chromium');
const title = `The editor${reason === undefined ? '' : ` (no chromium: ${reason})`}`;
const examples = join(import.meta.dirname, '..', '..', 'examples');

const sandboxLabels = [
	'Max Execution Time (Seconds)',
	'Max Memory (MB)',
	'Network',
	'Packages',
	'Warm Starts',
	'Preload Modules',
	'Allowed Imports',
	'Enable Code Validation',
	'Validation Options',
	'Max Code Length (Characters)',
	'Use Secrets',
];

const toolFileLabels = [
	...['Files In', 'Binary Fields', 'Give Files', 'Data In', 'Files Out', 'Links to Files'],
	...['Links Are Valid for (Hours)', 'Session', 'Stream Output'],
];
const stepFileLabels = [
	'Files In',
	'Data In',
	'Standard Input',
	'Files Out',
	'Links to Files',
	'Session',
	'Stream Output',
];

describe.skipIf(reason !== undefined)(title, () => {
	let bench: Bench;
	let editor: Editor;

	beforeAll(async () => {
		bench = await openBench();
		editor = await openEditor(bench.client.session);
	});
	afterAll(async () => {
		await editor?.close();
		await bench?.close();
	});

	const importExample = async (name: string): Promise<SavedWorkflow> =>
		await bench.client.createWorkflow(JSON.parse(readFileSync(join(examples, `${name}.json`), 'utf8')));

	const labels = async (): Promise<string[]> => {
		const texts = await editor.panel
			.locator(byTestId('node-parameters'))
			.first()
			.locator('label:visible')
			.allInnerTexts();
		return texts.map((text) => text.split('\n')[0] ?? '');
	};

	test('shows the parameters of the tool', async () => {
		const { id } = await importExample('secure-code-agent');
		await editor.openNode(id, 'Secure Code Tool');
		expect(await labels()).toEqual(['Description', 'Default Language', ...sandboxLabels, ...toolFileLabels]);
	});

	test('shows the parameters of the step', async () => {
		const { id } = await importExample('secure-code-step');
		await editor.openNode(id, 'Secure Code');
		expect(await labels()).toEqual(['Operation', 'Language', 'Code', ...sandboxLabels, ...stepFileLabels]);
	});

	test('warns when the author opens the network', async () => {
		const { id } = await importExample('secure-code-agent');
		await editor.openNode(id, 'Secure Code Tool');
		await editor.panel.locator(byTestId('parameter-input-network')).click();
		await editor.page.getByText('Public Internet').click();
		await editor.panel.getByText('Network access makes the sandbox weaker.').waitFor();
	});

	test('offers the tool to an agent, and only the tool', async () => {
		const { id } = await importExample('secure-code-agent');
		await editor.openWorkflow(id);
		const toolSlot = editor.nodeCalled('AI Agent').locator('[data-connection-type="ai_tool"]');
		await toolSlot.locator(byTestId('canvas-handle-plus')).click();
		// Before it lists tools it shows all nodes for a moment.
		await editor.page.locator(byTestId('nodes-list-header')).filter({ hasText: 'Tools' }).waitFor();
		await editor.page.locator(byTestId('node-creator-search-bar')).fill('secure code');
		const names = editor.page.locator(byTestId('node-creator-item-name'));
		await expect.poll(() => names.allInnerTexts(), { timeout: 10_000 }).toEqual(['Secure Code Tool']);
	});

	test('asks for a program in "Execute step" and shows what it printed', async () => {
		const { id } = await importExample('secure-code-agent');
		await editor.openNode(id, 'Secure Code Tool');
		await editor.panel.locator('button:has-text("Execute step")').first().click();
		const form = editor.page.locator('[role="dialog"]').last();
		await form.locator('input, textarea').first().fill('print(6 * 7)');
		await form.getByRole('button', { name: 'Execute step' }).click();
		await editor.panel.getByText('succeeded: Python, exit code 0').waitFor();
	});

	test('has met no exception of a page so far', () => {
		expect(editor.faults).toEqual([]);
	});
});

/** The workflows in examples/, imported and run as they are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectModel } from '../../scripts/n8n/examples.ts';
import { textOf } from '../../scripts/n8n/model-server.ts';
import type { SavedWorkflow, Workflow } from '../../scripts/n8n/n8n-client.ts';
import { type Bench, openBench } from './helpers/bench.ts';
import { ranWith, stepItems, toolResults } from './helpers/results.ts';
import { call } from './helpers/scripted-model.ts';

let bench: Bench;
beforeAll(async () => {
	bench = await openBench();
});
afterAll(() => bench.close());

const folder = join(import.meta.dirname, '..', '..', 'examples');
const example = (name: string): Workflow => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));

const importExample = async (name: string): Promise<SavedWorkflow> =>
	await bench.client.createWorkflow(connectModel(example(name), bench.credential, 'scripted'));

async function say(workflow: SavedWorkflow, message: string) {
	const webhookId = workflow.nodes.find((node) => node.webhookId !== undefined)?.webhookId ?? '';
	const { text } = await bench.client.chat(webhookId, message);
	return { reply: JSON.parse(text), execution: await bench.client.newestExecution(workflow.id) };
}

test('The agent example answers a chat by running code', async () => {
	const workflow = await importExample('secure-code-agent');
	await bench.client.publish(workflow);
	bench.model.play(call({ code: 'print(sum(range(10)))' }), { text: 'It is 45.' });
	const { reply, execution } = await say(workflow, 'Add the numbers below ten.');
	expect(reply).toEqual({ output: 'It is 45.' });
	expect(toolResults(execution)).toEqual([ranWith({ stdout: '45\n' })]);
});

test('The skills example shows the model its skills, whose programs run as they are written', async () => {
	const workflow = await importExample('secure-code-skills');
	await bench.client.publish(workflow);
	const programs = (): string[] => {
		const system = bench.model.requests[0]?.messages.find(({ role }) => role === 'system');
		return [...textOf(system ?? { role: 'system' }).matchAll(/Ejemplo:\n(.*?)(?=\n\n#|$)/gs)].map(
			([, code = '']) => code,
		);
	};
	bench.model.play(
		() => call({ code: programs()[1] ?? '' }),
		() => call({ code: programs()[2] ?? '' }),
		{ text: 'Listo.' },
	);
	const { reply, execution } = await say(workflow, 'Calcula la raíz cuadrada de 144');
	expect(programs().map((code) => code.split('\n')[0])).toEqual(['import pandas as pd', 'import math', 'import re']);
	expect(reply).toEqual({ output: 'Listo.' });
	expect(toolResults(execution)).toEqual([ranWith({ stdout: '12.0\n' }), ranWith({ stdout: "['123']\n" })]);
});

test('The example with files keeps a table for the next question', async () => {
	const workflow = await importExample('secure-code-files');
	await bench.client.publish(workflow);
	const webhookId = workflow.nodes.find((node) => node.webhookId !== undefined)?.webhookId ?? '';
	const sessionId = crypto.randomUUID();
	let asked = 0;
	const ask = async (code: string, files: { name: string; type: string; content: string }[]) => {
		// The memory of the agent brings earlier calls and answers along, and the model counts what it said.
		bench.model.play(...Array.from({ length: 2 * asked++ }, () => ({ text: 'Before.' })), call({ code }), {
			text: 'Done.',
		});
		await bench.client.chat(webhookId, 'go', { sessionId, files });
		return toolResults(await bench.client.newestExecution(workflow.id));
	};
	const sales = { name: 'sales.csv', type: 'text/csv', content: 'month,amount\nJan,3\nFeb,5\n' };
	const read = "import csv\nrows = list(csv.DictReader(open('/work/in/sales.csv')))\nprint(len(rows))";
	expect(await ask(read, [sales])).toEqual([ranWith({ stdout: '2\n' })]);
	const again = "print(rows[1]['amount'], open('/work/in/sales.csv').readline().strip())";
	expect(await ask(again, [])).toEqual([ranWith({ stdout: '5 month,amount\n' })]);
});

test('The step example runs its program for each of its items', async () => {
	const execution = await bench.run({ ...example('secure-code-step') });
	expect(stepItems(execution)).toEqual(
		['Ana pays 30.50\n', 'Luis pays 5.00\n', 'Zoë pays 6.50\n'].map((stdout, item) => ({
			json: ranWith({ stdout }),
			pairedItem: { item },
		})),
	);
});

/** Stopping an execution in n8n. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, openBench } from './helpers/bench.ts';
import { processesCalled, programCalled, until } from './helpers/processes.ts';
import { call } from './helpers/scripted-model.ts';
import { manualAgent, stepWorkflow } from './helpers/workflows.ts';

let bench: Bench;
beforeAll(async () => {
	bench = await openBench();
});
afterAll(() => bench.close());

const newName = () => `job-of-${crypto.randomUUID()}`;

test('A stop in n8n kills every process of the program that an agent runs', async () => {
	const name = newName();
	bench.model.play(call({ code: programCalled(name), language: 'bash' }));
	const workflow = await bench.client.createWorkflow(
		manualAgent({ credential: bench.credential, tool: { timeout: 300, validateCode: false } }),
	);
	const id = await bench.client.start(workflow, 'Start');
	await until(() => processesCalled(name).length === 2);
	await bench.client.stop(id);
	await expect.poll(() => processesCalled(name), { timeout: 5_000 }).toEqual([]);
	expect((await bench.client.settled(id)).status).toBe('canceled');
});

test('A stop in n8n kills every process of a step', async () => {
	const name = newName();
	const parameters = { code: programCalled(name), language: 'bash', timeout: 300, validateCode: false };
	const workflow = await bench.client.createWorkflow(stepWorkflow([{}], parameters));
	const id = await bench.client.start(workflow, 'Start');
	await until(() => processesCalled(name).length === 2);
	await bench.client.stop(id);
	await expect.poll(() => processesCalled(name), { timeout: 5_000 }).toEqual([]);
});

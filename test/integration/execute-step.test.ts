/** The editor's "Execute step" on the tool, which calls it without an agent. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, openBench } from './helpers/bench.ts';
import { programs, toolResults } from './helpers/results.ts';
import { executeStep, manualAgent, toolNode } from './helpers/workflows.ts';

let bench: Bench;
beforeAll(async () => {
	bench = await openBench();
});
afterAll(() => bench.close());

test.each(programs)('Execute step runs $language from the editor form', async ({ code, result }) => {
	const workflow = await bench.client.createWorkflow(manualAgent({ credential: bench.credential }));
	const execution = await bench.client.settled(await bench.client.startWith(workflow, executeStep(toolNode, { code })));
	expect(execution.status).toBe('success');
	expect(toolResults(execution)).toEqual([result]);
});

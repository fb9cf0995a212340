/** Secure Code as an ordinary step of a workflow. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, openBench } from './helpers/bench.ts';
import { programs, ranWith, runsOf, stepItems } from './helpers/results.ts';
import { stepNode, stepWorkflow } from './helpers/workflows.ts';

let bench: Bench;
beforeAll(async () => {
	bench = await openBench();
});
afterAll(() => bench.close());

const doubled = '=print({{ $json.number }} * 2)';
const items = [{ number: 1 }, { number: 20 }, { number: 300 }];

test.each(programs)('The step runs $language', async ({ code, language, result }) => {
	const execution = await bench.run(stepWorkflow([{}], { code, language }));
	expect(stepItems(execution)).toEqual([{ json: result, pairedItem: { item: 0 } }]);
});

test('The step runs once for each item and says which item a result belongs to', async () => {
	const execution = await bench.run(stepWorkflow(items, { code: doubled, language: 'python' }));
	expect(execution.status).toBe('success');
	expect(stepItems(execution)).toEqual([
		{ json: ranWith({ stdout: '2\n' }), pairedItem: { item: 0 } },
		{ json: ranWith({ stdout: '40\n' }), pairedItem: { item: 1 } },
		{ json: ranWith({ stdout: '600\n' }), pairedItem: { item: 2 } },
	]);
});

test('A program that fails is an item like any other', async () => {
	const execution = await bench.run(stepWorkflow([{}], { code: 'exit 3', language: 'bash' }));
	expect(execution.status).toBe('success');
	expect(stepItems(execution).map(({ json }) => json)).toEqual([
		ranWith({ status: 'failed', exitCode: 3, language: 'bash' }),
	]);
});

test('The editor shows how the programs ended', async () => {
	const execution = await bench.run(stepWorkflow(items, { code: doubled, language: 'python' }));
	expect(runsOf(execution, stepNode).map(({ hints }) => hints)).toEqual([
		[
			{
				message: expect.stringMatching(/^3 programs in \d+ ms: 3 succeeded\.$/),
				type: 'info',
				location: 'outputPane',
			},
		],
	]);
});

const wrongSetting = { code: 'print(1)', language: 'python', network: '={{ "full" }}' };
const fault = 'The configuration is not valid: the parameter "network" must be "none", "hosts" or "full".';

test('A wrong setting fails the step with words for its author', async () => {
	const execution = await bench.run(stepWorkflow([{}], wrongSetting));
	expect([execution.status, execution.data.resultData.error?.message]).toEqual(['error', fault]);
});

test('A step that continues on failure gives the fault of each item', async () => {
	const execution = await bench.run(stepWorkflow([{}, {}], wrongSetting, { onError: 'continueRegularOutput' }));
	expect(execution.status).toBe('success');
	expect(stepItems(execution)).toEqual([
		{ json: { error: fault }, pairedItem: { item: 0 } },
		{ json: { error: fault }, pairedItem: { item: 1 } },
	]);
});

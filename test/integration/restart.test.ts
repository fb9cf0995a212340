/** An n8n that is stopped and started again, with its sandbox and without. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOwner, N8nClient, type Session } from '../../scripts/n8n/n8n-client.ts';
import { type Bench, openBench } from './helpers/bench.ts';
import { type OwnN8n, prepareN8n } from './helpers/own-n8n.ts';
import { ranWith, runsOf, stepItems, toolResults } from './helpers/results.ts';
import { call } from './helpers/scripted-model.ts';
import { owner } from './helpers/start-n8n.ts';
import { stepWorkflow, toolNode } from './helpers/workflows.ts';

let own: OwnN8n;
let session: Session;

beforeAll(async () => {
	own = await prepareN8n();
});
afterAll(() => own.remove());

const program = { code: 'print("here again")', language: 'python' };
const result = ranWith({ stdout: 'here again\n' });
const fault = {
	message: 'The code was not run, because no sandbox can run on this machine: SECURE_CODE_NSJAIL names no program.',
	description: 'Run "secure-code doctor" on the machine that runs n8n; it names the step that fails and its fix.',
};

test('Workflows with our nodes are still there after a restart, and run', async () => {
	const first = await own.start();
	session = await createOwner(first.baseUrl, owner);
	const workflow = await new N8nClient(session).createWorkflow(stepWorkflow([{}], program));
	await first.stop();
	const second = await own.start();
	session = { ...session, baseUrl: second.baseUrl };
	const client = new N8nClient(session);
	const execution = await client.settled(await client.start(workflow, 'Start'));
	expect(stepItems(execution)).toEqual([{ json: result, pairedItem: { item: 0 } }]);
	await second.stop();
});

test('Without nsjail nothing runs, and everyone is told what an operator must do', async () => {
	const { baseUrl, stop } = await own.start({ env: { SECURE_CODE_NSJAIL: '/nonexistent/nsjail' } });
	const bench: Bench = await openBench({ ...session, baseUrl });
	const step = await bench.run(stepWorkflow([{}], program));
	expect(step.status).toBe('error');
	expect(step.data.resultData.error).toMatchObject(fault);
	const agent = await bench.ask([call(program)]);
	expect(toolResults(agent)).toEqual([{ error: fault.message }]);
	expect(runsOf(agent, toolNode).map(({ error }) => error)).toMatchObject([fault]);
	expect(bench.model.toolTexts().map((text) => JSON.parse(text))).toEqual([[{ error: fault.message }]]);
	await bench.close();
	await stop();
});

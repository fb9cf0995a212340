/** The Remote Shell examples, imported and run as they are against agents with the policy that "agent init" writes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectModel } from '../../scripts/n8n/examples.ts';
import { textOf } from '../../scripts/n8n/model-server.ts';
import type { Execution, Item, SavedWorkflow, Workflow } from '../../scripts/n8n/n8n-client.ts';
import { TestAgent } from '../helpers/agent.ts';
import { type Bench, openBench } from './helpers/bench.ts';
import { addApprover, type Credentials, connectDevices } from './helpers/remote.ts';
import { runsOf } from './helpers/results.ts';
import type { Step } from './helpers/scripted-model.ts';

let bench: Bench;
let agents: readonly TestAgent[];
let credentials: Credentials;

beforeAll(async () => {
	bench = await openBench();
	agents = await Promise.all([TestAgent.start(), TestAgent.start()]);
	const lines = agents.map(({ faces }, index) => `web-${index + 1} = ${JSON.stringify(faces.native)}`);
	const dead = JSON.stringify({ ...agents[0]?.faces.native, url: 'https://127.0.0.1:1' });
	const devices = [...lines, `web-3 = ${dead}`].join('\n');
	const approver = agents[0] as TestAgent;
	const { url, ca } = approver.faces.native;
	const save = (type: string, data: Record<string, string>) =>
		bench.client.createCredential({ name: type, type, data });
	credentials = {
		remoteShellNativeApi: await save('remoteShellNativeApi', { alias: 'x', url: '', devices }),
		remoteShellApproverApi: await save('remoteShellApproverApi', {
			alias: 'web-1',
			url,
			ca,
			token: addApprover(approver),
		}),
	};
});
afterAll(async () => {
	await Promise.all(agents.map((agent) => agent.remove()));
	await bench.close();
});

const folder = join(import.meta.dirname, '..', '..', 'examples');
const example = (name: string): Workflow =>
	connectDevices(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')), credentials);

async function published(name: string): Promise<SavedWorkflow> {
	const workflow = await bench.client.createWorkflow(connectModel(example(name), bench.credential, 'scripted'));
	await bench.client.publish(workflow);
	return workflow;
}

async function say(workflow: SavedWorkflow, message: string): Promise<{ reply: unknown; execution: Execution }> {
	const webhookId = workflow.nodes.find((node) => node.webhookId !== undefined)?.webhookId ?? '';
	const { text } = await bench.client.chat(webhookId, message);
	return { reply: JSON.parse(text), execution: await bench.client.newestExecution(workflow.id) };
}

const callOf = (name: string, args: object): Step => ({ calls: [{ name, arguments: JSON.stringify(args) }] });

const toolItems = (execution: Execution, node: string): unknown[] =>
	runsOf(execution, node).flatMap((run) => (run.data?.ai_tool?.[0] ?? []).map(({ json }: Item) => json));

test('The disk example gives a row for each of three devices, also for the one that is dead', async () => {
	const execution = await bench.run(example('remote-disk-check'));
	const rows = (runsOf(execution, 'Report')[0]?.data?.main?.[0] ?? []).map(({ json }) => json);
	expect(rows).toEqual([
		{ device: 'web-1', status: 'succeeded', used: expect.stringMatching(/^\d+$/), problem: null },
		{ device: 'web-2', status: 'succeeded', used: expect.stringMatching(/^\d+$/), problem: null },
		{ device: 'web-3', status: 'unreachable', used: null, problem: expect.stringContaining('nothing listens there') },
	]);
});

test('The log example searches at once, and lets a restart wait for a person', async () => {
	const workflow = await published('remote-log-restart');
	bench.model.play(
		callOf('Search_Logs', { script: 'tail -n 2 /var/log/dpkg.log', device: 'web-1' }),
		callOf('Restart', { argv: ['systemctl', 'restart', 'nginx'], device: 'web-1' }),
		{ text: 'It waits for approval.' },
	);
	const { reply, execution } = await say(workflow, 'nginx is down, restart it');
	expect(reply).toEqual({ output: 'It waits for approval.' });
	expect(toolItems(execution, 'Search Logs')).toMatchObject([{ device: 'web-1', status: 'succeeded' }]);
	expect(toolItems(execution, 'Restart')).toMatchObject([{ status: 'awaiting_approval', device: 'web-1' }]);

	const looked = await bench.client.settled(await bench.client.start(workflow, 'A Person'));
	const requests = (runsOf(looked, 'Requests')[0]?.data?.main?.[0] ?? []).map(({ json }) => json);
	expect(requests).toMatchObject([
		{ state: 'pending', capability: 'shell.exec.admin', shown: expect.stringContaining('nginx') },
	]);
});

test('The log example offers no tool that could approve', () => {
	const tools = Object.entries(example('remote-log-restart').connections as Record<string, object>)
		.filter(([, connection]) => 'ai_tool' in connection)
		.map(([name]) => name);
	expect(tools).toEqual(['Search Logs', 'Restart']);
});

test('The skills example shows the model its skills, whose commands run as they are written', async () => {
	const workflow = await published('remote-skills');
	const commands = (): string[] => {
		const system = bench.model.requests[0]?.messages.find(({ role }) => role === 'system');
		return [...textOf(system ?? { role: 'system' }).matchAll(/Ejecuta: (.*)/g)].map(([, command = '']) => command);
	};
	const follow =
		(index: number): Step =>
		() =>
			callOf('Remote_Shell_Tool', { script: commands()[index], device: 'web-1' }) as never;
	bench.model.play(follow(0), follow(1), follow(2), { text: 'Listo.' });
	const { reply, execution } = await say(workflow, '¿Cuánto espacio queda?');
	expect([reply, commands().length]).toEqual([{ output: 'Listo.' }, 3]);
	expect(toolItems(execution, 'Remote Shell Tool')).toMatchObject([
		{ status: 'succeeded', stdout: expect.stringContaining('Use%') },
		{ status: 'succeeded', stdout: expect.stringContaining('Mem:') },
		{ status: 'succeeded', device: 'web-1' },
	]);
});

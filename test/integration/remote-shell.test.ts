/** Remote Shell in a real n8n against a real agent: every protocol, approval, cancel, refusal, fan-out, and a restart in the middle. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Execution } from '../../scripts/n8n/n8n-client.ts';
import type { FaceName } from '../../src/contract/device-job.ts';
import type { RemoteResult } from '../../src/contract/remote.ts';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';
import { type Bench, openBench } from './helpers/bench.ts';
import {
	addApprover,
	approvalsStep,
	type Credentials,
	credentialTypes,
	oneStep,
	remoteAgent,
	remoteChat,
	remoteStep,
	remoteTool,
	saveCredentials,
} from './helpers/remote.ts';
import { runsOf } from './helpers/results.ts';
import type { Step } from './helpers/scripted-model.ts';
import { executeStep, node, type SavedCredential } from './helpers/workflows.ts';

let bench: Bench;
let agent: TestAgent;
let credentials: Credentials;
let approver: SavedCredential;

/** Everything runs in a jail; one capability is asked about. */
function policy(): string {
	const open = parse(openPolicy());
	open.capabilities['shell.run.asked'] = { like: 'shell.run', requiresApproval: true };
	open.deny = [{ name: 'no-uname', why: 'nobody needs it', programs: ['uname'], matches: ['uname -a'] }];
	return stringify(open);
}

beforeAll(async () => {
	bench = await openBench();
	agent = await TestAgent.start({ policy: policy() });
	credentials = await saveCredentials(bench, agent);
	const { url, ca } = agent.faces.native;
	const data = { alias: 'web-1', url, ca, token: addApprover(agent) };
	approver = await bench.client.createCredential({ name: 'approver', type: 'remoteShellApproverApi', data });
});
afterAll(async () => {
	await agent.remove();
	await bench.close();
});

const callRemote = (args: object | string): Step => ({
	calls: [{ name: 'Remote_Shell_Tool', arguments: typeof args === 'string' ? args : JSON.stringify(args) }],
});

const only = { allowedDevices: 'web-1' };

async function ask(steps: readonly Step[], parameters: Record<string, unknown>, version?: number): Promise<Execution> {
	bench.model.play(...steps);
	return await bench.run(
		remoteAgent(bench, credentials, { ...only, ...parameters }, version === undefined ? {} : { version }),
	);
}

const answers = (): RemoteResult[] => bench.model.toolTexts().map((text) => [JSON.parse(text)].flat()[0]);

const step = (parameters: Record<string, unknown>, extra = {}) =>
	bench.run(oneStep(remoteStep, 'remoteShell', { targets: 'web-1', ...parameters }, credentials, extra));

const approvals = (parameters: Record<string, unknown>) =>
	bench.run(oneStep(approvalsStep, 'remoteShellApprovals', parameters, { remoteShellApproverApi: approver }));

const itemsOf = (execution: Execution, name: string): Record<string, unknown>[] =>
	(runsOf(execution, name)[0]?.data?.main?.[0] ?? []).map(({ json }) => json as Record<string, unknown>);

const jobsOf = (): { jobId: string; state: string; result: RemoteResult | null }[] =>
	JSON.parse(secureCode(['agent', 'jobs', 'list', '--dir', agent.dir, '--json'])).jobs;

const faces = Object.keys(credentialTypes) as FaceName[];

describe.each(faces)('over %s', (protocol) => {
	test.each([3.1, 2.2])('an agent of version %s runs a command and reads how it ended', async (version) => {
		await ask([callRemote({ script: 'echo hello; echo oops >&2; exit 3' })], { protocol }, version);
		expect(answers()).toMatchObject([
			{
				device: 'web-1',
				protocol,
				status: 'failed',
				exitCode: 3,
				stdout: 'hello\n',
				stderr: 'oops\n',
				reliability: 'exact',
			},
		]);
	});

	test('a step runs a program with arguments that no shell reads', async () => {
		const parameters = {
			protocol,
			operation: 'run',
			commandMode: 'argv',
			argv: ['printf', '%s|', 'a b', '$HOME', "it's"],
		};
		expect(itemsOf(await step(parameters), remoteStep)).toMatchObject([
			{ status: 'succeeded', stdout: "a b|$HOME|it's|" },
		]);
	});

	test('what the policy of the device denies is told with its reason', async () => {
		await ask([callRemote({ script: 'uname -a' })], { protocol });
		expect(answers()).toMatchObject([{ status: 'denied', problem: { code: 'POLICY_DENIED' } }]);
		expect(JSON.stringify(answers())).toContain('nobody needs it');
	});

	test('a health check answers', async () => {
		const items = itemsOf(await step({ protocol, operation: 'health' }), remoteStep);
		expect(items).toMatchObject([{ device: 'web-1', isHealthy: true }]);
	});
});

describe.each([3.1, 2.2])('Execute step on the tool of an agent of version %s', (version) => {
	const execute = async (call: Record<string, unknown>, parameters = {}) => {
		const workflow = remoteAgent(bench, credentials, { ...only, ...parameters }, { version });
		const created = await bench.client.createWorkflow(workflow);
		const execution = await bench.client.settled(await bench.client.startWith(created, executeStep(remoteTool, call)));
		const [ran] = runsOf(execution, remoteTool).flatMap((run) => run.data?.ai_tool?.[0] ?? []);
		return [execution.status, ran?.json];
	};

	// The form sends every field that the schema has, those that nobody filled in as empty texts.
	test.each([
		['a script', { script: 'echo hello', argv: '', device: 'web-1' }, 'hello\n'],
		['words without a shell', { script: '', argv: '["printf","%s|","a b","$HOME"]', device: 'web-1' }, 'a b|$HOME|'],
		['no device, where there is one', { script: 'echo one', argv: '', device: '' }, 'one\n'],
	])('runs %s from the editor form', async (_what, call, stdout) => {
		expect(await execute(call)).toMatchObject(['success', { device: 'web-1', status: 'succeeded', stdout }]);
	});

	test('answers wrong fields with what holds, and nothing runs', async () => {
		expect(await execute({ script: 'id', device: 'dead' })).toMatchObject([
			'success',
			{ status: 'denied', jobId: null, problem: { code: 'JOB_INVALID' } },
		]);
	});
});

describe('a model', () => {
	test('that passes hostile names, nested fields and expressions changes nothing', async () => {
		const widening = { cwd: '={{ $env.HOME }}', timeout: '={{ 1 }}', capability: 'shell.run.asked', env: { A: '1' } };
		const extra = JSON.stringify({ ...widening, options: widening, parameters: [widening] });
		const text = 'pwd; echo "={{ $env.PATH }}|$A"';
		const call = `{"script":${JSON.stringify(text)},"device":"web-1","__proto__":${extra},"constructor":{"prototype":${extra}},${extra.slice(1)}`;
		await ask([callRemote(call)], {});
		expect(answers()).toMatchObject([{ status: 'succeeded', stdout: '/work\n={{ .PATH }}|\n' }]);
		expect(jobsOf()[0]).toMatchObject({ jobId: answers()[0]?.jobId, capability: 'shell.run' });
	});

	test('that passes more than a command and a device changes nothing', async () => {
		const extra = {
			timeout: 9999,
			host: '10.0.0.1',
			user: 'root',
			cwd: '/root',
			env: { A: '1' },
			approval: 'apr-1',
			token: 'x',
		};
		await ask([callRemote({ script: 'pwd; echo "$A"', device: 'web-1', ...extra })], {});
		expect(answers()).toMatchObject([{ device: 'web-1', status: 'succeeded', stdout: '/work\n\n' }]);
	});

	test('that names another device is told the names that hold, and nothing runs', async () => {
		await ask([callRemote({ script: 'id', device: 'dead' })], {});
		expect(answers()).toMatchObject([{ status: 'denied', jobId: null, problem: { code: 'JOB_INVALID' } }]);
	});

	test('that sends a bare text is understood', async () => {
		await ask([callRemote(JSON.stringify('echo bare'))], {});
		expect(answers()).toMatchObject([{ status: 'succeeded', stdout: 'bare\n' }]);
	});

	test('reads the rest of a long output by its job', async () => {
		await ask([callRemote({ script: 'seq 1 20000' })], {});
		const [{ jobId, truncated } = { jobId: null, truncated: null }] = answers();
		await ask([callRemote({ jobId, device: 'web-1', tail: 2 })], { toolOperation: 'readOutput' });
		expect([truncated?.stdout, answers()[0]]).toMatchObject([
			true,
			{ text: '19999\n20000\n', eof: true, totalBytes: 108_894 },
		]);
		await ask([callRemote({ jobId, search: '^777$' })], { toolOperation: 'readOutput' });
		expect(answers()[0]).toMatchObject({ hits: [{ line: 777, text: '777' }] });
	});
});

describe('a job that needs approval', () => {
	test('is answered at once, shown exactly, approved by another person, run once, and fetched later', async () => {
		const asked = { capability: 'shell.run.asked' };
		await ask([callRemote({ script: 'echo approved' })], asked);
		const [first] = answers();
		expect(first).toMatchObject({
			status: 'awaiting_approval',
			approval: { message: expect.stringContaining('waiting for approval') },
		});
		const approvalId = first?.approval?.approvalId ?? '';
		const listed = itemsOf(await approvals({ operation: 'list' }), approvalsStep);
		expect(listed.find((item) => item.approvalId === approvalId)).toMatchObject({
			device: 'web-1',
			state: 'pending',
			capability: 'shell.run.asked',
		});
		await approvals({ operation: 'approve', approvalId });
		const waited = itemsOf(await step({ operation: 'wait', jobId: first?.jobId, waitSeconds: 20 }), remoteStep);
		expect(waited).toMatchObject([{ status: 'succeeded', stdout: 'approved\n' }]);
	});

	test('is denied with a reason that the model reads', async () => {
		await ask([callRemote({ script: 'echo never' })], { capability: 'shell.run.asked' });
		const [first] = answers();
		await approvals({ operation: 'deny', approvalId: first?.approval?.approvalId, reason: 'not on a Friday' });
		const ended = itemsOf(await step({ operation: 'status', jobId: first?.jobId }), remoteStep);
		expect(ended).toMatchObject([
			{ status: 'denied', problem: { message: expect.stringContaining('not on a Friday') } },
		]);
	});
});

describe('a device', () => {
	test('that is dead has its row beside the one that answers', async () => {
		const execution = await step({ targets: '*', operation: 'run', script: 'echo up', failOnError: false });
		expect(itemsOf(execution, remoteStep)).toMatchObject([
			{ device: 'web-1', status: 'succeeded', stdout: 'up\n' },
			{ device: 'dead', status: 'unreachable', problem: { code: 'AGENT_UNREACHABLE' } },
		]);
	});

	test('that is dead has its row in a health check, too', async () => {
		const items = itemsOf(await step({ targets: '*', operation: 'health' }), remoteStep);
		expect(items).toMatchObject([
			{ device: 'web-1', isHealthy: true },
			{ device: 'dead', status: 'unreachable' },
		]);
	});

	test('among two hundred is asked over a connection of its own, and has its row', async () => {
		// One agent takes no two hundred connections of one sender.
		const other = await TestAgent.start({ policy: policy() });
		onTestFinished(() => other.remove());
		const names = Array.from({ length: 200 }, (_, index) => `d-${index}`);
		const alive = [agent, other].map(({ faces }) => JSON.stringify(faces.native));
		const dead = JSON.stringify({ ...agent.faces.native, url: agent.faces.native.url.replace(/:\d+$/, ':1') });
		const lines = names.map((name, index) => `${name} = ${index % 50 === 7 ? dead : alive[index % 2]}`);
		const type = credentialTypes.native;
		const data = { alias: 'x', url: '', devices: lines.join('\n') };
		const many = { [type]: await bench.client.createCredential({ name: 'two hundred', type, data }) };
		const parameters = { targets: '*', operation: 'run', script: 'echo up', failOnError: false };
		const items = itemsOf(await bench.run(oneStep(remoteStep, 'remoteShell', parameters, many)), remoteStep);
		expect(items.map(({ device, status }) => [device, status])).toEqual(
			names.map((name, index) => [name, index % 50 === 7 ? 'unreachable' : 'succeeded']),
		);
	});

	test('whose command fails fails the step, unless the author wants the result', async () => {
		const [strict, lenient] = [
			await step({ operation: 'run', script: 'exit 4' }),
			await step({ operation: 'run', script: 'exit 4', failOnError: false }),
		];
		expect([strict.status, lenient.status, itemsOf(lenient, remoteStep)[0]?.exitCode]).toEqual(['error', 'success', 4]);
	});

	test('ends its job when the execution is stopped in n8n', async () => {
		const workflow = await bench.client.createWorkflow(
			oneStep(remoteStep, 'remoteShell', { targets: 'web-1', operation: 'run', script: 'sleep 299' }, credentials),
		);
		const id = await bench.client.start(workflow, 'Start');
		await expect.poll(() => jobsOf()[0]?.state, { timeout: 10_000 }).toBe('running');
		await bench.client.stop(id);
		await expect.poll(() => jobsOf()[0]?.result?.status, { timeout: 10_000 }).toBe('cancelled');
	});

	test('that is killed in the middle and comes back says that the job is lost, and nothing runs twice', async () => {
		const workflow = await bench.client.createWorkflow(
			oneStep(
				remoteStep,
				'remoteShell',
				{ targets: 'web-1', operation: 'run', script: 'sleep 3', failOnError: false },
				credentials,
			),
		);
		const id = await bench.client.start(workflow, 'Start');
		await expect.poll(() => jobsOf()[0]?.state, { timeout: 10_000 }).toBe('running');
		const before = jobsOf().length;
		await agent.end('SIGKILL');
		await agent.serve();
		const execution = await bench.client.settled(id);
		expect([itemsOf(execution, remoteStep)[0]?.status, jobsOf().length]).toEqual(['lost', before]);
	});
});

test('A streaming chat shows the output of a device while the command runs', async () => {
	const webhookId = crypto.randomUUID();
	const workflow = await bench.client.createWorkflow(remoteChat(bench, credentials, webhookId, true));
	await bench.client.publish(workflow);
	bench.model.play(callRemote({ script: 'echo first; sleep 0.5; echo second' }), { text: 'Both came.' });
	const { text } = await bench.client.chat(webhookId, 'go');
	const chunks = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
	const live = chunks.filter(({ type, metadata }) => type === 'item' && metadata.nodeName === remoteTool);
	const pieces = live.map(({ content }) => content as string);
	// What may be the beginning of a secret of the agent comes with what follows it.
	expect([pieces.length > 1, pieces[0]?.startsWith('f'), pieces.join('')]).toEqual([true, true, 'first\nsecond\n']);
});

test('Behind a human-review gate of n8n the command runs only when a person has seen it', async () => {
	const gate = node('Gate', 'n8n-nodes-review-gate.reviewGateHitlTool', 1, {
		message: '={{ JSON.stringify($tool.parameters) }}',
	});
	bench.model.play(([offered]) => ({
		calls: [{ name: offered?.name ?? '', arguments: '{"toolParameters":{"script":"echo seen"},"hitlParameters":{}}' }],
	}));
	const workflow = await bench.client.createWorkflow(remoteAgent(bench, credentials, only, { gate }));
	const id = await bench.client.start(workflow, 'Start');
	const waiting = await bench.client.settled(id);
	const question = JSON.parse(readFileSync(join(inject('userFolder'), `review-${id}.json`), 'utf8'));
	const before = runsOf(waiting, remoteTool).length;
	await fetch(question.approve.replace('//localhost:', '//127.0.0.1:'));
	const execution = await bench.client.settled(id, ['new', 'running', 'waiting']);
	const [ran] = runsOf(execution, remoteTool).flatMap((run) => run.data?.ai_tool?.[0] ?? []);
	expect([before, JSON.parse(question.message), ran?.json]).toMatchObject([
		0,
		{ script: 'echo seen' },
		{ stdout: 'seen\n' },
	]);
});

test('the node of the tool never shows an address or a key to the model', async () => {
	await ask([callRemote({ script: 'true' })], {});
	const said = JSON.stringify(bench.model.requests);
	expect([agent.faces.native.url, agent.faces.agent3.token].filter((secret) => said.includes(secret))).toEqual([]);
	expect(said).toContain(remoteTool.replaceAll(' ', '_'));
});

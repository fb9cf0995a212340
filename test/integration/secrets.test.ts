/** Secrets in a real n8n: an agent uses them by name or handle, and the value is nowhere to be found afterwards. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Execution, Workflow } from '../../scripts/n8n/n8n-client.ts';
import { type Bench, openBench } from './helpers/bench.ts';
import { ranWith, stepItems, toolResults } from './helpers/results.ts';
import { call, type Step } from './helpers/scripted-model.ts';
import {
	link,
	manualAgent,
	node,
	type SavedCredential,
	stepNode,
	stepWorkflow,
	toolNode,
} from './helpers/workflows.ts';

const value = 'sk-live-7Yq2/Vw9+Zx4_Kp1Rt6';
const second = 'ghp-live-1Aq8/Ss7+Dd6_Ff5Gg4';
/** The model knows it, so the execution keeps it: never searched for. */
const inlineValue = value.toUpperCase();
const vaultNode = 'Credential Vault Tool';

let bench: Bench;
let secrets: SavedCredential;
let more: SavedCredential;
beforeAll(async () => {
	bench = await openBench();
	const credential = (name: string, type: string, text: string) =>
		bench.client.createCredential({ name, type, data: { secrets: text } });
	secrets = await credential('secrets', 'secureCodeSecretsApi', `OPENAI=${value}\nHIDDEN=hidden-live-0000`);
	// What n8n's external secrets are, too: an expression that n8n resolves before the node reads it.
	more = await credential(
		'more',
		'secureCodeSecretsSecondApi',
		`={{ "GITHUB=" + "${second.slice(0, 9)}" + "${second.slice(9)}" }}`,
	);
});
afterAll(() => bench.close());

const exposedSecrets = {
	secret: [
		{ name: 'OPENAI', variable: 'OPENAI_API_KEY', description: 'for the OpenAI API' },
		{ name: 'GITHUB', variable: '', description: '' },
	],
};
const used = { useSecrets: true, exposedSecrets };

/** The workflow with both credentials at each of the named nodes. */
function withSecrets(workflow: Workflow, names: readonly string[]): Workflow {
	const credentials = { secureCodeSecretsApi: secrets, secureCodeSecretsSecondApi: more };
	const nodes = workflow.nodes.map((one) => (names.includes(one.name) ? { ...one, credentials } : one));
	return { ...workflow, nodes };
}

async function ask(steps: readonly Step[], tool: object, version = 3.1): Promise<Execution> {
	bench.model.play(...steps);
	const workflow = manualAgent({ credential: bench.credential, tool: { ...tool }, version });
	return await bench.run(withSecrets(workflow, [toolNode]));
}

function filesBelow(folder: string): string[] {
	const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
	return entries
		.filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
		.map((entry) => join(entry.parentPath, entry.name));
}

/** Where a value stands in clear: the execution, what the model was told, and the files of n8n with database and log. */
function placesOf(wanted: string, execution: Execution): string[] {
	const places = { execution: JSON.stringify(execution), model: JSON.stringify(bench.model.requests) };
	const files = filesBelow(inject('userFolder')).filter((path) => readFileSync(path).includes(wanted));
	const said = Object.entries(places).filter(([, text]) => text.includes(wanted));
	return [...said.map(([place]) => place), ...files];
}

const printing = 'import os\nkey = os.environ["OPENAI_API_KEY"]\nprint(len(key), key, key[::-1], key.encode().hex())';
const printed = `${value.length} •••OPENAI_API_KEY••• •••OPENAI_API_KEY••• •••OPENAI_API_KEY•••\n`;

describe.each([3.1, 2.2])('An AI Agent of version %s', (version) => {
	test('uses a secret by its name, and the value is nowhere', async () => {
		const execution = await ask([call({ code: printing, credentials: [{ name: 'OPENAI' }] })], used, version);
		expect(toolResults(execution)).toEqual([ranWith({ stdout: printed })]);
		expect(bench.model.offered()[0]?.description).toContain('Secrets: OPENAI (for the OpenAI API), GITHUB.');
		expect(placesOf(value, execution)).toEqual([]);
	});

	test('cannot use a secret that is not exposed, and is told which are', async () => {
		const execution = await ask([call({ code: printing, credentials: [{ name: 'HIDDEN' }] })], used, version);
		expect(toolResults(execution)).toMatchObject([
			{ status: 'denied', problem: { next: 'Ask again for one of these names: OPENAI (for the OpenAI API), GITHUB.' } },
		]);
	});
});

test('Every program gets every exposed secret when the author says so, also one that is an expression', async () => {
	const code = 'import os\nprint(os.environ["GITHUB"], len(os.environ["GITHUB"]), "HIDDEN" in os.environ)';
	const execution = await ask([call({ code })], { ...used, secretsMode: 'always' });
	expect(toolResults(execution)).toEqual([ranWith({ stdout: `•••GITHUB••• ${second.length} False\n` })]);
	expect(placesOf(second, execution)).toEqual([]);
});

test('The other call format works with a name, and with a value only when the author allows it', async () => {
	const byName = call({ code: printing, credentials: [{ envVarName: 'OPENAI_API_KEY', credentialName: 'OPENAI' }] });
	const inline = { envVarName: 'OPENAI_API_KEY', credentialName: { name: 'Authorization', value: inlineValue } };
	const byValue = call({ code: printing, credentials: [inline] });
	const refused = await ask([byName, byValue], used);
	expect(toolResults(refused)).toMatchObject([{ stdout: printed }, { problem: { code: 'JOB_UNSUPPORTED' } }]);
	const allowed = await ask([byValue], { ...used, allowInlineSecrets: true });
	expect(toolResults(allowed)).toEqual([ranWith({ stdout: printed })]);
});

test('A vault lists names and gives a handle that the code tool opens, in this execution only', async () => {
	const ofVault = (args: object): Step => ({
		calls: [{ name: 'Credential_Vault_Tool', arguments: JSON.stringify(args) }],
	});
	let handle = '';
	const useHandle: Step = () => {
		handle = JSON.parse(bench.model.toolTexts().at(-1) ?? '')[0].credential.credentialName;
		return call({ code: printing, credentials: [{ envVarName: 'OPENAI_API_KEY', credentialName: handle }] });
	};
	const workflow = manualAgent({ credential: bench.credential, tool: { useSecrets: true } });
	const vault = node(vaultNode, 'n8n-nodes-secure-code.credentialVaultTool', 1, { exposedSecrets });
	const both = {
		...workflow,
		nodes: [...workflow.nodes, vault],
		connections: { ...workflow.connections, [vaultNode]: link('ai_tool', 'Agent') },
	};
	bench.model.play(
		ofVault({ operation: 'list' }),
		ofVault({ operation: 'testConnection', name: 'GITHUB' }),
		ofVault({ operation: 'getCredentialForInjection', name: 'OPENAI' }),
		useHandle,
	);
	const execution = await bench.run(withSecrets(both, [vaultNode]));
	expect(toolResults(execution)).toEqual([ranWith({ stdout: printed })]);
	expect(placesOf(value, execution)).toEqual([]);

	const later = await ask([call({ code: printing, credentials: [{ credentialName: handle }] })], used);
	expect(toolResults(later)).toMatchObject([{ status: 'denied', problem: { code: 'SECRET_HANDLE_INVALID' } }]);
});

test('The step gives its program every exposed secret', async () => {
	const workflow = stepWorkflow([{}], { language: 'python', code: printing, ...used });
	const execution = await bench.run(withSecrets(workflow, [stepNode]));
	expect(stepItems(execution).map(({ json }) => json)).toEqual([ranWith({ stdout: printed })]);
	expect(placesOf(value, execution)).toEqual([]);
});

test('The test of the credential names the bad line and shows no value', async () => {
	const { baseUrl, browserId, cookie } = bench.client.session;
	const check = async (text: string) => {
		const credentials = { id: '', name: 'draft', type: 'secureCodeSecretsApi', data: { secrets: text } };
		const headers = { 'content-type': 'application/json', 'browser-id': browserId, cookie };
		const body = JSON.stringify({ credentials });
		const response = await fetch(`${baseUrl}/rest/credentials/test`, { method: 'POST', headers, body });
		return ((await response.json()) as { data: unknown }).data;
	};
	expect(await check(`A=${value}\n${second}`)).toEqual({
		status: 'Error',
		message: 'Please correct: line 2 is not NAME=value.',
	});
	expect(await check(`A=${value}`)).toMatchObject({ status: 'OK' });
});

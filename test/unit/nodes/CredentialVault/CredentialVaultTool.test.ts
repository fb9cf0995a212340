import type { DynamicStructuredTool } from '@langchain/core/tools';
import { beforeAll, describe, expect, it } from 'vitest';
import { CredentialVaultTool } from '../../../../nodes/CredentialVault/CredentialVaultTool.node.ts';
import { openHandle } from '../../../../nodes/shared/handle.ts';
import { problemFor } from '../../../../src/contract/error.ts';
import { fakeContext, useN8nModules } from '../../../helpers/n8n.ts';

const tool = new CredentialVaultTool();
const { properties } = tool.description;
const value = 'hunter2-hunter3';
const parameters = {
	toolDescription: 'Keeps secrets.',
	exposedSecrets: {
		secret: [
			{ name: 'K', variable: 'KEY', description: 'for the API' },
			{ name: 'GONE', variable: '', description: '' },
		],
	},
};
const options = { properties, parameters, secrets: { secureCodeSecretsApi: `K=${value}\nHIDDEN=hunter4-hunter5` } };

beforeAll(() => {
	useN8nModules();
});

async function byEngine(args: object) {
	const { context } = fakeContext({ ...options, args });
	const [items] = await tool.execute.call(context);
	return { context, answer: items?.[0]?.json as Record<string, unknown> };
}

async function byFunction(args: object) {
	const { context } = fakeContext(options);
	const { response } = await tool.supplyData.call(context, 0);
	const text: string = await (response as DynamicStructuredTool).invoke(args as never);
	return { context, answer: JSON.parse(text) as Record<string, unknown> };
}

describe.each([
	['by the engine', byEngine],
	['by the function', byFunction],
] as const)('the vault, called %s', (_way, call) => {
	it('lists names and what they are for', async () => {
		const { answer } = await call({ operation: 'list' });
		expect(answer).toEqual({
			status: 'succeeded',
			credentials: [
				{ name: 'K', description: 'for the API', envVarName: 'KEY' },
				{ name: 'GONE', description: '', envVarName: 'GONE' },
			],
			problem: null,
		});
	});

	it('gives a handle that opens in this execution, and no value', async () => {
		const { context, answer } = await call({ operation: 'getCredentialForInjection', name: 'K' });
		const { envVarName, credentialName } = answer.credential as Record<string, string>;
		expect(openHandle(context, credentialName ?? '', Date.now())).toMatchObject({ name: 'K', variable: 'KEY', value });
		expect(envVarName).toBe('KEY');
		expect(JSON.stringify(answer)).not.toContain(value);
	});

	it.each([
		['K', true],
		['GONE', false],
		['HIDDEN', false],
	])('says whether %s exists', async (name, exists) => {
		const { answer } = await call({ operation: 'testConnection', name });
		expect(answer).toEqual({ status: 'succeeded', name, exists, problem: null });
	});

	it('gives no handle for a secret that is not exposed', async () => {
		const { answer } = await call({ operation: 'getCredentialForInjection', name: 'HIDDEN' });
		expect(answer).toEqual({ status: 'denied', problem: problemFor('SECRET_UNKNOWN', { names: 'K, GONE' }) });
	});

	it('answers a call that does not fit', async () => {
		const { answer } = await call({ operation: 'getValue', name: 'K' });
		const details = '"operation" must be one of list, getCredentialForInjection, testConnection';
		expect(answer).toEqual({ status: 'denied', problem: problemFor('VAULT_CALL_INVALID', { details }) });
	});
});

it('takes the names that other vaults use', async () => {
	const { answer } = await byEngine({ action: 'getCredentialForInjection', credentialName: 'K' });
	expect(answer).toMatchObject({ status: 'succeeded', name: 'K' });
});

it('turns the node red when an exposed secret is missing in the credential', async () => {
	await expect(byEngine({ operation: 'getCredentialForInjection', name: 'GONE' })).rejects.toThrow(
		'no credential of this node has the secret GONE',
	);
});

it('tells the model the names before it calls', async () => {
	const { context } = fakeContext(options);
	const { response } = await tool.supplyData.call(context, 0);
	expect((response as DynamicStructuredTool).description).toBe(
		'Keeps secrets.\n\nSecrets: K (for the API), GONE. Handles are valid in this execution only; no operation gives a value.',
	);
});

/** What a model asks of the vault, and what the vault answers: names, handles, yes or no; never a value. */
import { problemFor } from '../../src/contract/error.ts';
import type { Problem } from '../../src/contract/job.ts';
import { describeExposed, type ExposedSecret } from '../shared/exposed-secrets.ts';
import type { Zod } from '../shared/host.ts';

export const operations = ['list', 'getCredentialForInjection', 'testConnection'] as const;
export type Operation = (typeof operations)[number];

export interface VaultCall {
	readonly operation: Operation;
	readonly name: string;
}

export const vaultArguments = [
	'operation',
	'action',
	'name',
	'credentialName',
	'credential',
	'credentialId',
	'input',
] as const;

type Arguments = Record<string, unknown>;

const isObject = (value: unknown): value is Arguments =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');

/** A bare text is the operation or, when it is none, the name of a secret. */
function normalise(raw: unknown): Arguments {
	if (isObject(raw)) return raw;
	const text = textOf(raw);
	return text === '' || operations.includes(text as Operation)
		? { operation: text }
		: { operation: 'getCredentialForInjection', name: text };
}

/** Brings the forms a call may have into one; without an operation the vault lists what it has. */
export function parseVaultCall(raw: unknown): VaultCall | { readonly problem: Problem } {
	const call = normalise(raw);
	const name = textOf(call.name ?? call.credentialName ?? call.credential ?? call.credentialId ?? call.input);
	const asked = textOf(call.operation ?? call.action) || (name === '' ? 'list' : 'getCredentialForInjection');
	const operation = operations.find((one) => one.toLowerCase() === asked.toLowerCase());
	if (operation !== undefined && (operation === 'list' || name !== '')) return { operation, name };
	const details =
		operation === undefined
			? `"operation" must be one of ${operations.join(', ')}`
			: `"${operation}" needs the "name" of a secret`;
	return { problem: problemFor('VAULT_CALL_INVALID', { details }) };
}

/** Lets every call through, as a call that fails the schema would fail the workflow of some agents. */
export const vaultSchema = (z: Zod) =>
	z.preprocess(
		(raw, context) => {
			if (raw === undefined) context.addIssue({ code: 'custom', message: 'The call has no arguments' });
			return normalise(raw);
		},
		z
			.object({
				operation: z
					.enum(operations)
					.describe(
						'list: names of the secrets. getCredentialForInjection: a handle for a program. testConnection: whether a secret exists.',
					),
				name: z.string().optional().describe('Name of the secret.'),
			})
			.strict()
			.catch(({ input }) => input),
	);

export function describeVault(text: string, exposed: readonly ExposedSecret[]): string {
	const known = exposed.length === 0 ? 'none' : describeExposed(exposed);
	return `${text.trim()}\n\nSecrets: ${known}. Handles are valid in this execution only; no operation gives a value.`;
}

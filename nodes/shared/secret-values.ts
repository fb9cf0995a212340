/** The values behind the credentials of a node; they go to the core and nowhere else. */
import type { ICredentialsDecrypted, ICredentialTestFunctions, INodeCredentialTestResult } from 'n8n-workflow';
import { KnownError } from '../../src/contract/error.ts';
import { describeFaults, parseSecrets } from '../../src/core/secrets/parse.ts';
import { isTooCommon } from '../../src/core/secrets/redact.ts';
import type { NodeContext } from './context.ts';

const slots = ['secureCodeSecretsApi', 'secureCodeSecretsSecondApi'] as const;

type Values = ReadonlyMap<string, string>;

const refuse = (details: string) => new KnownError('CONFIG_INVALID', { details });

async function readSlot(context: NodeContext, slot: string, itemIndex: number): Promise<[string, string][]> {
	const { secrets: text } = await context.getCredentials<{ secrets?: unknown }>(slot, itemIndex);
	const { secrets, faults } = parseSecrets(typeof text === 'string' ? text : '');
	if (faults.length > 0) throw refuse(`in the credential of the node, ${describeFaults(faults)}`);
	return Object.entries(secrets);
}

/** n8n decrypts, and resolves expressions that point to external secrets. A slot that is hidden or empty has no values. */
export async function readSecretValues(context: NodeContext, itemIndex: number): Promise<Values> {
	const values = new Map<string, string>();
	for (const slot of slots) {
		if (context.getNode().credentials?.[slot] === undefined) continue;
		for (const [name, value] of await readSlot(context, slot, itemIndex)) {
			if (values.has(name)) throw refuse(`both credentials of the node have a secret called ${name}`);
			values.set(name, value);
		}
	}
	return values;
}

export function requireValue(values: Values, name: string): string {
	const value = values.get(name);
	if (value !== undefined) return value;
	throw refuse(`no credential of this node has the secret ${name}, which "Expose As" names`);
}

/** What n8n shows when the credential is tested: the bad line by its number, never a value. */
export async function checkSecrets(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	const text = credential.data?.secrets;
	const { secrets, faults } = parseSecrets(typeof text === 'string' ? text : '');
	if (faults.length > 0) return { status: 'Error', message: `Please correct: ${describeFaults(faults)}.` };
	const names = Object.keys(secrets);
	if (names.length === 0) return { status: 'Error', message: 'There is no NAME=value line.' };
	const weak = names.filter((name) => isTooCommon(secrets[name] ?? ''));
	if (weak.length === 0) return { status: 'OK', message: `${names.length} secrets: ${names.join(', ')}` };
	const message = `Cannot be masked in output, because the value is shorter than 6 characters or an everyday word: ${weak.join(', ')}.`;
	return { status: 'Error', message };
}

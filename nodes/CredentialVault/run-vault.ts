/** One call of the vault from its raw arguments to its answer; the same for every kind of agent. */
import { problemFor } from '../../src/contract/error.ts';
import type { NodeContext } from '../shared/context.ts';
import { type ExposedSecret, readExposedSecrets } from '../shared/exposed-secrets.ts';
import { handleMinutes, makeHandle } from '../shared/handle.ts';
import { readSecretValues, requireValue } from '../shared/secret-values.ts';
import { toNodeError } from '../shared/to-node-error.ts';
import { parseVaultCall } from './vault-call.ts';

const minuteMs = 60_000;

const answered = (fields: object) => ({ status: 'succeeded', ...fields, problem: null });

/** In the shape that a code tool takes as one of its "credentials". */
async function inject(
	context: NodeContext,
	{ name, variable, hosts }: ExposedSecret,
	itemIndex: number,
): Promise<object> {
	const value = requireValue(await readSecretValues(context, itemIndex), name);
	const expires = Date.now() + handleMinutes * minuteMs;
	const credentialName = makeHandle(context, { name, variable, value, hosts, expires });
	return answered({
		name,
		credential: { envVarName: variable, credentialName },
		use: 'Pass "credential" unchanged in "credentials" of the code tool; the program reads the environment variable.',
		expiresAt: new Date(expires).toISOString(),
	});
}

/** A secret exists when it is exposed and its credential still has it. */
async function exists(context: NodeContext, secret: ExposedSecret | undefined, itemIndex: number): Promise<boolean> {
	return secret !== undefined && (await readSecretValues(context, itemIndex)).has(secret.name);
}

async function answer(context: NodeContext, raw: unknown, itemIndex: number): Promise<object> {
	const exposed = readExposedSecrets(context, itemIndex);
	const call = parseVaultCall(raw);
	if ('problem' in call) return { status: 'denied', problem: call.problem };
	if (call.operation === 'list')
		return answered({
			credentials: exposed.map(({ name, variable, description }) => ({ name, description, envVarName: variable })),
		});
	const secret = exposed.find(({ name }) => name === call.name);
	if (call.operation === 'testConnection')
		return answered({ name: call.name, exists: await exists(context, secret, itemIndex) });
	if (secret !== undefined) return await inject(context, secret, itemIndex);
	const names = exposed.map(({ name }) => name).join(', ') || 'there is none';
	return { status: 'denied', problem: problemFor('SECRET_UNKNOWN', { names }) };
}

/** Throws only what a person must repair. */
export async function runVault(context: NodeContext, raw: unknown, itemIndex: number): Promise<object> {
	try {
		return await answer(context, raw, itemIndex);
	} catch (error) {
		throw toNodeError(context, error, itemIndex);
	}
}

/** Which secrets a call gets: the model selects from what the author exposes, and everything else becomes words it can act on. */
import { problemFor } from '../../src/contract/error.ts';
import type { Problem } from '../../src/contract/job.ts';
import { isReservedName, variableName } from '../../src/core/secrets/inject.ts';
import { describeExposed, type ExposedSecret } from '../shared/exposed-secrets.ts';
import { type HandleContent, isHandle } from '../shared/handle.ts';

/** What the author allows. */
export interface SecretSettings {
	readonly exposed: readonly ExposedSecret[];
	/** Every exposed secret for every program, or those that a call asks for. */
	readonly mode: 'onRequest' | 'always';
	/** Values that the model itself holds. */
	readonly allowInline: boolean;
}

/** A secret by the environment variable it becomes: one of the credential, or a value that came with the call. */
export type ChosenSecret = {
	readonly variable: string;
	/** Filled: the program gets a placeholder, and only these hosts get the value. */
	readonly hosts: readonly string[];
} & ({ readonly name: string } | { readonly value: string });

export type SecretChoice = { readonly chosen: readonly ChosenSecret[] } | { readonly problem: Problem };

type OpenHandle = (handle: string) => HandleContent | undefined;
type Asked = Readonly<Record<string, unknown>>;
type Step = ChosenSecret | { readonly problem: Problem };

const isObject = (value: unknown): value is Asked =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

const invalid = (details: string): Step => ({ problem: problemFor('JOB_INVALID', { details }) });

function checked(chosen: ChosenSecret): Step {
	const { variable } = chosen;
	if (!variableName.test(variable)) return invalid('"envVarName" must be a name of letters, digits and _');
	if (isReservedName(variable)) return invalid(`"envVarName" cannot be ${variable}, which the sandbox itself uses`);
	return chosen;
}

function byName(name: string, asked: Asked, { exposed }: SecretSettings): Step {
	const wanted = name.trim();
	const secret = exposed.find((one) => one.name === wanted) ?? exposed.find((one) => one.variable === wanted);
	if (secret) {
		const variable = isText(asked.envVarName) ? asked.envVarName.trim() : secret.variable;
		return checked({ variable, hosts: secret.hosts, name: secret.name });
	}
	const names = exposed.length === 0 ? 'there is none' : describeExposed(exposed);
	return { problem: problemFor('SECRET_UNKNOWN', { names }) };
}

function byHandle(handle: string, asked: Asked, openHandle: OpenHandle): Step {
	const content = openHandle(handle);
	if (!content) return { problem: problemFor('SECRET_HANDLE_INVALID') };
	const variable = isText(asked.envVarName) ? asked.envVarName.trim() : content.variable;
	return checked({ variable, hosts: content.hosts, value: content.value });
}

function byValue({ name, value }: Asked, asked: Asked, { allowInline }: SecretSettings): Step {
	if (!allowInline) {
		const details = 'values of secrets are not taken from a call; ask for a secret by its name';
		return { problem: problemFor('JOB_UNSUPPORTED', { field: 'credentialName.value', details }) };
	}
	const variable = isText(asked.envVarName) ? asked.envVarName : name;
	if (!isText(value) || !isText(variable)) return invalid('a credential with a value needs "envVarName" and "value"');
	return checked({ variable: variable.trim(), hosts: [], value });
}

/** The forms of one entry: "NAME", { name }, { envVarName, value }, { envVarName, credentialName } with a name, a handle or { name, value }. */
function chooseOne(entry: unknown, settings: SecretSettings, openHandle: OpenHandle): Step {
	const asked: Asked = isObject(entry) ? entry : { name: entry };
	const which = asked.credentialName ?? (asked.value === undefined ? asked.name : asked);
	if (isObject(which)) {
		if (which.value !== undefined && !(isText(which.value) && isHandle(which.value)))
			return byValue(which, asked, settings);
		return chooseOne({ envVarName: asked.envVarName, credentialName: which.value ?? which.name }, settings, openHandle);
	}
	if (!isText(which)) return invalid('each of "credentials" must be an object with the "name" of a secret');
	return isHandle(which.trim()) ? byHandle(which.trim(), asked, openHandle) : byName(which, asked, settings);
}

const always = ({ mode, exposed }: SecretSettings): ChosenSecret[] =>
	mode === 'always' ? exposed.map(({ name, variable, hosts }) => ({ name, variable, hosts })) : [];

/** A variable that is asked for twice gets what is asked for last. */
export function chooseSecrets(
	asked: readonly unknown[],
	settings: SecretSettings,
	openHandle: OpenHandle,
): SecretChoice {
	const chosen = new Map(always(settings).map((one) => [one.variable, one]));
	for (const entry of asked) {
		const step = chooseOne(entry, settings, openHandle);
		if ('problem' in step) return step;
		chosen.set(step.variable, step);
	}
	return { chosen: [...chosen.values()] };
}

/** Which secrets the author of the workflow exposes, and under which names a program reads them. */
import { KnownError } from '../../src/contract/error.ts';
import { isReservedName, variableName } from '../../src/core/secrets/inject.ts';
import type { NodeContext } from './context.ts';
import { hostList } from './lists.ts';
import { literal } from './literal.ts';

export interface ExposedSecret {
	readonly name: string;
	/** The environment variable. */
	readonly variable: string;
	readonly description: string;
	/** Filled: the program gets a placeholder, and only these hosts get the value. */
	readonly hosts: readonly string[];
}

const refuse = (details: string) => new KnownError('CONFIG_INVALID', { details: `"Expose As": ${details}` });

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');

function exposedFrom(row: Record<string, unknown>, index: number): ExposedSecret {
	const name = textOf(row.name);
	const variable = textOf(row.variable) || name;
	if (name === '') throw refuse(`row ${index + 1} names no secret`);
	if (!variableName.test(variable)) throw refuse(`row ${index + 1} has a variable that no program can have`);
	if (isReservedName(variable)) throw refuse(`${variable} is a variable of the sandbox itself`);
	const where = `"Expose As", allowed hosts of row ${index + 1}`;
	const hosts = hostList(textOf(row.allowedHosts), where, { ranges: false });
	return { name, variable, description: textOf(row.description), hosts };
}

export function readExposedSecrets(context: NodeContext, itemIndex: number): ExposedSecret[] {
	const value = literal(context, 'exposedSecrets', itemIndex, {}) as { secret?: Record<string, unknown>[] };
	const exposed = (value.secret ?? []).map(exposedFrom);
	const variables = exposed.map(({ variable }) => variable);
	const twice = variables.find((variable, index) => variables.indexOf(variable) !== index);
	if (twice !== undefined) throw refuse(`two rows use the variable ${twice}`);
	return exposed;
}

/** For a model: names and what they are for. */
export const describeExposed = (exposed: readonly ExposedSecret[]): string =>
	exposed.map(({ name, description }) => (description === '' ? name : `${name} (${description})`)).join(', ');

/** The JSON that a program finds as its data. */
import { KnownError } from '../../src/contract/error.ts';
import type { JobRequestInput } from '../../src/contract/job.ts';
import type { NodeContext } from '../shared/context.ts';
import { ownItem } from '../shared/item-files.ts';
import type { FileSettings } from './file-settings.ts';

type Data = NonNullable<JobRequestInput['data']>;

const notJson = (cause: unknown): KnownError =>
	new KnownError('CONFIG_INVALID', { details: '"Data" is not JSON' }, { cause });

const cannotBeGiven = (path: string, why: string, cause: unknown): KnownError =>
	new KnownError('CONFIG_INVALID', { details: `the field "${path || '(all)'}" of "Data In" ${why}` }, { cause });

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const belowOf = (path: string, name: string, isList: boolean): string => {
	if (isList) return `${path}[${name}]`;
	return path === '' ? name : `${path}.${name}`;
};

interface Fault {
	readonly path: string;
	readonly why: string;
}

/** The first part that JSON cannot be made of; undefined when there is none. */
function faultIn(value: unknown, path: string, above: readonly object[]): Fault | undefined {
	if (!isObject(value)) return undefined;
	if ('toJSON' in value) return isJson(value) ? undefined : { path, why: 'cannot be made JSON: give it as text' };
	if (above.includes(value))
		return { path, why: 'refers to what it is part of: give the fields that the program needs' };
	for (const [name, part] of Object.entries(value)) {
		const fault = faultIn(part, belowOf(path, name, Array.isArray(value)), [...above, value]);
		if (fault) return fault;
	}
	return undefined;
}

function isJson(value: unknown): boolean {
	try {
		JSON.stringify(value);
		return true;
	} catch {
		return false;
	}
}

/** Dates, undefined fields, odd and huge numbers become what JSON.stringify makes of them, as everywhere in n8n. */
function toData(value: unknown): Data | undefined {
	try {
		const text = JSON.stringify(value) as string | undefined;
		return text === undefined ? undefined : (JSON.parse(text) as Data);
	} catch (error) {
		const { path, why } = faultIn(value, '', []) ?? { path: '', why: 'cannot be made JSON' };
		throw cannotBeGiven(path, why, error);
	}
}

/** An expression may give the value itself; what is typed is text. */
function readJson(value: unknown): Data | undefined {
	if (typeof value !== 'string') return toData(value);
	try {
		return JSON.parse(value) as Data;
	} catch (error) {
		throw notJson(error);
	}
}

/** The item of an agent, without what the model spread over it. */
function jsonOfItem(context: NodeContext, itemIndex: number, spread: readonly string[]): Data | undefined {
	const { json = {} } = ownItem(context, itemIndex, spread) ?? {};
	const hidden = spread.length === 0 ? [] : [...spread, 'toolCallId'];
	return toData(Object.fromEntries(Object.entries(json).filter(([name]) => !hidden.includes(name))));
}

export function dataFor(
	context: NodeContext,
	itemIndex: number,
	{ dataFrom }: FileSettings,
	spread: readonly string[],
): { data?: Data } {
	if (dataFrom === 'none') return {};
	const data =
		dataFrom === 'item'
			? jsonOfItem(context, itemIndex, spread)
			: readJson(context.getNodeParameter('dataJson', itemIndex, '{}'));
	return data === undefined ? {} : { data };
}

/** The JSON that a program finds as its data. */
import { KnownError } from '../../src/contract/error.ts';
import type { JobRequestInput } from '../../src/contract/job.ts';
import type { NodeContext } from '../shared/context.ts';
import { ownItem } from '../shared/item-files.ts';
import type { FileSettings } from './file-settings.ts';

type Data = NonNullable<JobRequestInput['data']>;

const notJson = (cause: unknown): KnownError =>
	new KnownError('CONFIG_INVALID', { details: '"Data" is not JSON' }, { cause });

/** An expression may give the value itself; what is typed is text. */
function readJson(value: unknown): Data {
	if (typeof value !== 'string') return value as Data;
	try {
		return JSON.parse(value) as Data;
	} catch (error) {
		throw notJson(error);
	}
}

/** The item of an agent, without what the model spread over it. */
function jsonOfItem(context: NodeContext, itemIndex: number, spread: readonly string[]): Data {
	const { json = {} } = ownItem(context, itemIndex, spread) ?? {};
	const hidden = spread.length === 0 ? [] : [...spread, 'toolCallId'];
	return Object.fromEntries(Object.entries(json).filter(([name]) => !hidden.includes(name))) as Data;
}

export function dataFor(
	context: NodeContext,
	itemIndex: number,
	{ dataFrom }: FileSettings,
	spread: readonly string[],
): { data?: Data } {
	if (dataFrom === 'none') return {};
	if (dataFrom === 'item') return { data: jsonOfItem(context, itemIndex, spread) };
	return { data: readJson(context.getNodeParameter('dataJson', itemIndex, '{}')) };
}

/** What the author allows about files: where they come from, who chooses, and how they come back. */
import { KnownError } from '../../src/contract/error.ts';
import type { NodeContext } from '../shared/context.ts';
import { splitList } from '../shared/lists.ts';
import { literal } from '../shared/literal.ts';
import { linkHours } from './file-parameters.ts';

export interface FileSettings {
	/** item: of the item the program runs for. { node }: of all items of another node. */
	readonly from: 'none' | 'item' | { readonly node: string };
	/** Binary fields; empty means all. */
	readonly properties: readonly string[];
	/** Whether every program gets all of them, or what the model names. */
	readonly mode: 'always' | 'onRequest';
	readonly dataFrom: 'none' | 'item' | 'json';
	readonly isReturned: boolean;
	/** How long links are valid; undefined for no links. */
	readonly linkHours: number | undefined;
}

const refuse = (details: string) => new KnownError('CONFIG_INVALID', { details });

function choice<const T extends string>(
	context: NodeContext,
	name: string,
	itemIndex: number,
	choices: readonly T[],
): T {
	const value = literal(context, name, itemIndex, choices[0] ?? '');
	const found = choices.find((one) => one === value);
	if (found !== undefined) return found;
	throw refuse(`the parameter "${name}" must be one of ${choices.join(', ')}`);
}

function readFrom(context: NodeContext, itemIndex: number): FileSettings['from'] {
	const from = choice(context, 'filesFrom', itemIndex, ['none', 'item', 'node']);
	if (from !== 'node') return from;
	const node = String(literal(context, 'filesNode', itemIndex, '')).trim();
	if (node === '') throw refuse('"Node With the Files" names no node');
	return { node };
}

function readLinkHours(context: NodeContext, itemIndex: number): number | undefined {
	if (literal(context, 'fileLinks', itemIndex, false) !== true) return undefined;
	const hours = literal(context, 'fileLinkHours', itemIndex, linkHours.default);
	if (typeof hours === 'number' && hours >= linkHours.least && hours <= linkHours.most) return hours;
	throw refuse(`the parameter "fileLinkHours" must be a number between ${linkHours.least} and ${linkHours.most}`);
}

export function readFileSettings(context: NodeContext, itemIndex: number): FileSettings {
	const from = readFrom(context, itemIndex);
	const isReturned = literal(context, 'returnFiles', itemIndex, false) === true;
	return {
		from,
		properties: from === 'none' ? [] : splitList(String(literal(context, 'fileProperties', itemIndex, ''))),
		mode: choice(context, 'filesMode', itemIndex, ['always', 'onRequest']),
		dataFrom: choice(context, 'dataFrom', itemIndex, ['none', 'item', 'json']),
		isReturned,
		linkHours: isReturned ? readLinkHours(context, itemIndex) : undefined,
	};
}

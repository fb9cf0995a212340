/** Finds the binary data that an author lets programs see, under names that are fit for a folder. */
import { type IBinaryData, type INodeExecutionData, NodeConnectionTypes } from 'n8n-workflow';
import { KnownError } from '../../src/contract/error.ts';
import { fixedLimits } from '../../src/contract/limits.ts';
import { fileNameFor, unlike } from '../../src/core/text.ts';
import type { NodeContext } from './context.ts';

/** A file that a program may get. */
export interface AvailableFile {
	readonly name: string;
	readonly type: string;
	/** Undefined where n8n does not tell. */
	readonly bytes: number | undefined;
	readonly binary: IBinaryData;
}

type Item = INodeExecutionData;

function noItems(node: string, cause: unknown): KnownError {
	const details = `the node "${node}", whose files are wanted, has no items here`;
	return new KnownError('CONFIG_INVALID', { details }, { cause });
}

function itemsOf(context: NodeContext, node: string, itemIndex: number): Item[] {
	const proxy = context.getWorkflowDataProxy(itemIndex) as unknown as { $: (name: string) => { all(): Item[] } };
	try {
		return proxy.$(node).all();
	} catch (error) {
		throw noItems(node, error);
	}
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** An agent calls a tool with its own item, over which the arguments of the model are spread, and without binary data. */
function agentItem(context: NodeContext, called: Item, itemIndex: number, spread: readonly string[]): Item | undefined {
	const pairs = [called.pairedItem].flat();
	const source = pairs.map((pair) => (typeof pair === 'object' ? pair.sourceOverwrite?.previousNode : undefined))[0];
	if (source === undefined) return undefined;
	const items = itemsOf(context, source, itemIndex);
	if (items.length < 2) return items[0];
	const hidden = new Set(spread);
	const matches = items.filter(({ json }) =>
		Object.entries(json).every(([key, value]) => hidden.has(key) || isSame(value, called.json[key])),
	);
	return matches.length === 1 ? matches[0] : undefined;
}

/**
 * The item that a program runs for: that of a step, or that of the agent whose tool this is.
 * @param spread names that a model's arguments may have; empty for a step
 */
export function ownItem(context: NodeContext, itemIndex: number, spread: readonly string[]): Item | undefined {
	const called = context.getInputData(0, NodeConnectionTypes.Main)[itemIndex];
	if (called === undefined || called.binary !== undefined || spread.length === 0) return called;
	return agentItem(context, called, itemIndex, spread) ?? called;
}

function sizeOf(binary: IBinaryData): number | undefined {
	if (binary.bytes !== undefined) return binary.bytes;
	return binary.id === undefined ? Buffer.byteLength(binary.data, 'base64') : undefined;
}

/** Names that are given away, and how often each was wanted. */
type Taken = Map<string, number>;

function named(property: string, binary: IBinaryData, taken: Taken): AvailableFile {
	const wanted = fileNameFor(binary.fileName ?? '') || fileNameFor(property) || 'file';
	const count = (taken.get(wanted) ?? 0) + 1;
	taken.set(wanted, count);
	const name = count === 1 ? wanted : unlike(wanted, (other) => taken.has(other), count);
	if (name !== wanted) taken.set(name, 1);
	return { name, type: binary.mimeType, bytes: sizeOf(binary), binary };
}

/** @param node undefined: of the item the program runs for */
export function availableFiles(
	context: NodeContext,
	itemIndex: number,
	from: {
		readonly node: string | undefined;
		readonly properties: readonly string[];
		readonly spread: readonly string[];
	},
): AvailableFile[] {
	const items =
		from.node === undefined
			? [ownItem(context, itemIndex, from.spread)].filter((item) => item !== undefined)
			: itemsOf(context, from.node, itemIndex);
	// The name under which a program finds its data.
	const taken: Taken = new Map([['data.json', 1]]);
	return items
		.flatMap(({ binary }) => Object.entries(binary ?? {}))
		.filter(([property]) => from.properties.length === 0 || from.properties.includes(property))
		.map(([property, binary]) => named(property, binary, taken));
}

export const isTooLarge = ({ bytes }: AvailableFile): boolean => (bytes ?? 0) > fixedLimits.inFileBytes;

const MiB = 1024 * 1024;
const mostBytes = `at most ${fixedLimits.inFileBytes / MiB} MB`;
const mostFiles = `at most ${fixedLimits.inFiles} files`;

function describeFile(file: AvailableFile): string {
	const size = file.bytes === undefined ? '' : `, ${file.bytes} bytes`;
	const fault = isTooLarge(file) ? `, too large to be given: ${mostBytes}` : '';
	return `${file.name} (${file.type}${size}${fault})`;
}

/** For a model: names, kinds, sizes; no more of them than a program may get. */
export function describeFiles(files: readonly AvailableFile[]): string {
	const more = files.length - fixedLimits.inFiles;
	const known = files.slice(0, fixedLimits.inFiles).map(describeFile).join(', ');
	return more > 0 ? `${known} and ${more} more (${mostFiles})` : known;
}

/** More of them are only counted. */
const mostNamed = 10;

/** Which of the wanted files a program gets, and in words what it does not get; undefined when it gets all. */
export function withinLimits(wanted: readonly AvailableFile[]): {
	readonly given: AvailableFile[];
	readonly leftOut: string | undefined;
} {
	const small = wanted.filter((file) => !isTooLarge(file));
	const given = small.slice(0, fixedLimits.inFiles);
	const reasons = [
		...wanted.filter(isTooLarge).map(({ name }) => `${name} (larger than it may be: ${mostBytes})`),
		...small.slice(fixedLimits.inFiles).map(({ name }) => `${name} (${mostFiles})`),
	];
	const more = reasons.length > mostNamed ? ` and ${reasons.length - mostNamed} more` : '';
	return { given, leftOut: reasons.length === 0 ? undefined : reasons.slice(0, mostNamed).join(', ') + more };
}

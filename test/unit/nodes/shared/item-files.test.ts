import type { IBinaryData, INodeExecutionData } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { toolParameters } from '../../../../nodes/SecureCode/parameters.ts';
import { availableFiles, describeFiles, ownItem } from '../../../../nodes/shared/item-files.ts';
import { fixedLimits } from '../../../../src/contract/limits.ts';
import { fakeContext } from '../../../helpers/n8n.ts';

const binary = (fileName?: string): IBinaryData => ({
	id: `filesystem:${fileName}`,
	data: 'filesystem',
	mimeType: 'text/csv',
	...(fileName === undefined ? {} : { fileName }),
});

type Options = Omit<Parameters<typeof fakeContext>[0], 'properties'>;

const named = (options: Options, from: Partial<Parameters<typeof availableFiles>[2]> = {}) => {
	const { context } = fakeContext({ properties: toolParameters, ...options });
	return availableFiles(context, 0, { node: undefined, properties: [], spread: [], ...from }).map(({ name }) => name);
};

const item = (...names: (string | undefined)[]): INodeExecutionData => ({
	json: {},
	binary: Object.fromEntries(names.map((name, index) => [`data${index}`, binary(name)])),
});

describe('the files of an item', () => {
	it.each([
		['as they are called', ['sales.csv', 'año.csv'], ['sales.csv', 'año.csv']],
		['by the last part of a path', ['../../etc/passwd', 'C:\\docs\\a.csv'], ['passwd', 'a.csv']],
		[
			'apart from each other and from the data of the job',
			['a.csv', 'a.csv', 'a.csv', 'data.json'],
			['a.csv', 'a (2).csv', 'a (3).csv', 'data (2).json'],
		],
		['by their field when they have no name of their own', [undefined, '..', '/'], ['data0', 'data1', 'data2']],
		['without what deceives the eye', ['gpj.\u202etxt\n'], ['gpj.txt']],
		['within the length of a name', [`${'ñ'.repeat(200)}.csv`], [`${'ñ'.repeat(125)}.csv`]],
	])('are named %s', (_how, names, expected) => {
		expect(named({ items: [item(...names)] })).toEqual(expected);
	});

	it('are those of the fields that the author lists', () => {
		expect(named({ items: [item('a', 'b', 'c')] }, { properties: ['data2', 'data0'] })).toEqual(['a', 'c']);
	});

	it('are all there, also those that are too many for a program, and described up to so many', () => {
		const names = Array.from({ length: fixedLimits.inFiles + 3 }, () => 'f');
		const { context } = fakeContext({ properties: toolParameters, items: [item(...names)] });
		const files = availableFiles(context, 0, { node: undefined, properties: [], spread: [] });
		expect([files.length, new Set(files.map(({ name }) => name)).size]).toEqual([103, 103]);
		expect(describeFiles(files)).toMatch(
			/^f \(text\/csv\), f \(2\) .* f \(100\) \(text\/csv\) and 3 more \(at most 100 files\)$/,
		);
	});

	it('are those of all items of another node when the author names one', () => {
		const others = { Download: [item('a.csv'), { json: {} }, item('a.csv', 'b.csv')] };
		expect(named({ items: [item('own')], others }, { node: 'Download' })).toEqual(['a.csv', 'a (2).csv', 'b.csv']);
		expect(() => named({ others }, { node: 'Missing' })).toThrow(
			'the node "Missing", whose files are wanted, has no items here',
		);
	});
});

describe('the item of an agent that calls a tool', () => {
	const spread = ['code', 'files'];
	/** As the engine makes it: the agent's item with the model's arguments over it, without binary data. */
	const called = (json: object): INodeExecutionData => ({
		json: { ...json, code: 'print(1)', toolCallId: 'c1' } as never,
		pairedItem: { item: 0, sourceOverwrite: { previousNode: 'Chat' } as never },
	});
	const of = (items: INodeExecutionData[], others: Record<string, INodeExecutionData[]>) =>
		ownItem(fakeContext({ properties: toolParameters, items, others }).context, 0, spread);

	it('is the one that the agent got, with its files', () => {
		const chat = { ...item('sales.csv'), json: { sessionId: '1' } };
		expect(of([called({ sessionId: '1' })], { Chat: [chat] })).toBe(chat);
	});

	it('is told from others by its fields, also when the model wrote over one of them', () => {
		const items = ['1', '2'].map((sessionId) => ({ ...item('a.csv'), json: { sessionId, code: sessionId } }));
		expect(of([called({ sessionId: '2' })], { Chat: items })).toBe(items[1]);
	});

	it('gives no files when it could be one or another', () => {
		const items = ['a', 'b'].map((name) => item(name));
		const call = called({});
		expect(of([call], { Chat: items })).toBe(call);
	});

	it('is what it is for a step, and where the engine does not say where it came from', () => {
		const alone: INodeExecutionData = { json: { code: '1' } };
		expect(of([alone], {})).toBe(alone);
		const { context } = fakeContext({ properties: toolParameters, items: [called({})], others: { Chat: [item('a')] } });
		expect(ownItem(context, 0, [])).toEqual(called({}));
	});
});

import { describe, expect, it } from 'vitest';
import { dataFor } from '../../../../nodes/SecureCode/data-in.ts';
import { stepParameters } from '../../../../nodes/SecureCode/parameters.ts';
import { fakeContext, noFiles } from '../../../helpers/n8n.ts';

const items = [{ json: { customer: 'Ana', code: 'print(1)', toolCallId: 'c1' } }];

const dataOf = (dataFrom: 'none' | 'item' | 'json', parameters: Record<string, unknown> = {}, spread: string[] = []) =>
	dataFor(fakeContext({ properties: stepParameters, items, parameters }).context, 0, { ...noFiles, dataFrom }, spread);

describe('the data of a program', () => {
	it('is absent, the item, or what the author enters', () => {
		expect(dataOf('none')).toEqual({});
		expect(dataOf('item')).toEqual({ data: items[0]?.json });
		expect(dataOf('json', { dataJson: '[1, null]' })).toEqual({ data: [1, null] });
		expect(dataOf('json', { dataJson: () => ({ a: 1 }) })).toEqual({ data: { a: 1 } });
	});

	it('of a tool is without what the model spread over the item', () => {
		expect(dataOf('item', {}, ['code'])).toEqual({ data: { customer: 'Ana' } });
	});

	it('that is no JSON is for the author to mend', () => {
		expect(() => dataOf('json', { dataJson: '{' })).toThrow('"Data" is not JSON');
	});
});

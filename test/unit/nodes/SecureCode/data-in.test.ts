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

	it('may hold what n8n holds: dates, undefined fields and numbers that are none become what JSON makes of them', () => {
		const at = new Date('2026-01-02T03:04:05Z');
		const luxon = { toJSON: () => '2026-01-02T00:00:00.000+01:00', loop: {} as unknown };
		luxon.loop = luxon;
		const value = {
			at,
			luxon,
			gone: undefined,
			none: Number.NaN,
			huge: 10n ** 20n,
			list: [undefined, Number.POSITIVE_INFINITY],
			say: () => 1,
		};
		const data = {
			at: '2026-01-02T03:04:05.000Z',
			luxon: '2026-01-02T00:00:00.000+01:00',
			none: null,
			huge: '100000000000000000000',
			list: [null, null],
		};
		expect(dataOf('json', { dataJson: () => value })).toEqual({ data });
		const { context } = fakeContext({ properties: stepParameters, items: [{ json: value as never }] });
		expect(dataFor(context, 0, { ...noFiles, dataFrom: 'item' }, [])).toEqual({ data });
		expect(dataOf('json', { dataJson: () => undefined })).toEqual({});
	});

	it('names the field that JSON has no word for, and what to do about it', () => {
		const round: Record<string, unknown> = { a: [{}] };
		(round.a as object[])[0] = { back: round };
		const given = (value: unknown) => () => dataOf('json', { dataJson: () => value });
		expect(given(round)).toThrow(
			'the field "a[0].back" of "Data In" refers to what it is part of: give the fields that the program needs',
		);
		const broken = {
			toJSON() {
				throw new Error('no');
			},
		};
		expect(given({ order: { total: broken } })).toThrow(
			'the field "order.total" of "Data In" cannot be made JSON: give it as text',
		);
	});
});

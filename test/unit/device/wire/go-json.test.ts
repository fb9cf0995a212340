import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goJson, goStruct, goValue, parseWithNumbers } from '../../../../src/device/wire/go-json.ts';

describe('goJson', () => {
	it('escapes what Go escapes, and nothing else', () => {
		const text = '"\\/ \n\r\t <a>&\u2028\u2029\u0000\u001f\u007f é 😀';
		expect(goJson(text)).toBe('"\\"\\\\/ \\n\\r\\t \\u003ca\\u003e\\u0026\\u2028\\u2029\\u0000\\u001f\u007f é 😀"');
	});

	it('writes backspace and form feed as the Go of its time does', () => {
		expect([goJson('\b\f'), goJson('\b\f', 'long')]).toEqual(['"\\b\\f"', '"\\u0008\\u000c"']);
	});

	it('writes half a character as the sign that stands for one', () => {
		expect(goJson('a\ud83db')).toBe('"a\ufffdb"');
	});

	it.each([
		[0, '0'],
		[-0, '-0'],
		[1.5, '1.5'],
		[1e20, '100000000000000000000'],
		[1e21, '1e+21'],
		[1e-6, '0.000001'],
		[1e-7, '1e-7'],
		[2 ** 53 + 1, '9007199254740992'],
		[5e-324, '5e-324'],
		[1.7976931348623157e308, '1.7976931348623157e+308'],
	])('writes the number %d as %s', (number, written) => {
		expect(goJson(number)).toBe(written);
	});

	it('sorts the keys of a map by their bytes, at every level, and keeps the fields of a struct', () => {
		const map = { '\ue000': 1, '😀': 2, b: { z: null, a: [] }, B: true, '10': 1, '9': 1 };
		expect(goJson(map)).toBe('{"10":1,"9":1,"B":true,"b":{"a":[],"z":null},"\ue000":1,"😀":2}');
		expect(goJson(goStruct({ b: 1, a: undefined, '': 'x' }))).toBe('{"b":1,"":"x"}');
	});

	it('is JSON that says the same', () => {
		fc.assert(
			fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
				const held = goValue(value);
				expect(held !== undefined && JSON.parse(goJson(held))).toEqual(held);
			}),
		);
	});
});

describe('goValue', () => {
	it('keeps a key "__proto__" a key', () => {
		const held = goValue(JSON.parse('{"__proto__":{"x":1},"a":2}'));
		expect(held !== undefined && goJson(held)).toBe('{"__proto__":{"x":1},"a":2}');
	});

	it.each(['1e400', '[{"a":-1e999}]', '{"\\ud800":1,"\\udfff":2}'])('does not hold %s', (text) => {
		expect(goValue(JSON.parse(text))).toBe(undefined);
	});
});

describe('parseWithNumbers', () => {
	it('remembers how the numbers of each object were written', () => {
		const { value, sourceOf } = parseWithNumbers('{"a":1e3,"b":{"a":1.0,"c":"1"},"d":[7]}');
		const root = value as { a: number; b: object; d: object };
		expect(value).toEqual({ a: 1000, b: { a: 1, c: '1' }, d: [7] });
		expect([
			sourceOf(root, 'a'),
			sourceOf(root.b, 'a'),
			sourceOf(root.b, 'c'),
			sourceOf(root.d, '0'),
			sourceOf(root, 'x'),
		]).toEqual(['1e3', '1.0', undefined, '7', undefined]);
	});
});

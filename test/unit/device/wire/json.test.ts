import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson, wholeText } from '../../../../src/device/wire/json.ts';

const read = (text: string) => readJson(Buffer.from(text));

describe('readJson', () => {
	it('reads whatever JSON there is, as JSON.parse does', () => {
		fc.assert(
			fc.property(fc.json({ maxDepth: 6 }), (text) => {
				expect(read(text)).toEqual({ ok: true, value: JSON.parse(text) });
			}),
		);
	});

	it.each([
		['', 'is not JSON'],
		['{', 'is not JSON'],
		["{'a':1}", 'is not JSON'],
		['{"a":1}x', 'is not JSON'],
		['{"a":1,"a":1}', 'has the same key twice'],
		['{"a":1,"\\u0061":2}', 'has the same key twice'],
		['[{"b":{"c":[1,{"x":1,"y":2,"x":3}]}}]', 'has the same key twice'],
		['{"__proto__":1,"__proto__":2}', 'has the same key twice'],
		['['.repeat(33) + ']'.repeat(33), 'is nested more than 32 levels deep'],
		[`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, 'is nested more than 32 levels deep'],
		['['.repeat(100_000) + ']'.repeat(100_000), 'is nested more than 32 levels deep'],
	])('refuses what is doubtful (%#)', (text, why) => {
		expect(read(text)).toEqual({ ok: false, why });
	});

	it('counts values before it reads any, because a reader would hold them all', () => {
		const many = (count: number) => `[${Array(count).fill('{}').join()}]`;
		expect(read(many(99_999))).toMatchObject({ ok: true });
		for (const text of [many(100_001), '{'.repeat(300_000), `["\\\\",${many(100_001)}]`])
			expect(read(text)).toEqual({ ok: false, why: 'holds more than 200000 values' });
	});

	it('takes a long text, whatever it holds', () => {
		for (const part of ['{[,', '\\', '"', '\\"', '\\\\",'])
			expect(read(JSON.stringify({ a: part.repeat(300_000) }))).toEqual({
				ok: true,
				value: { a: part.repeat(300_000) },
			});
	});

	it('refuses bytes that are not UTF-8', () => {
		expect(readJson(Buffer.from([0x22, 0xff, 0x22]))).toEqual({ ok: false, why: 'is not UTF-8' });
		expect(readJson(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toEqual({ ok: false, why: 'is not UTF-8' });
	});

	it.each([
		'{"a":"{\\"a\\":1,\\"a\\":2}"}',
		'{"a":"a","b":"a","c":["a","a","b","b"]}',
		'[{"a":1},{"a":1}]',
		'{"a":{"a":{"a":1}}}',
		'{"\\\\":1,"\\"":2,"\\\\\\"":3}',
		'\ufeff{"a":1}',
	])('takes %j, where nothing comes twice in one object', (text) => {
		expect(read(text)).toMatchObject({ ok: true });
	});

	it('keeps a key "__proto__" a key, and no prototype', () => {
		const reading = read('{"__proto__":{"op":"shell"}}');
		expect(reading.ok && (reading.value as { op?: string }).op).toBe(undefined);
	});
});

describe('wholeText', () => {
	it('refuses half a character, which would become another one on its way', () => {
		expect(wholeText.safeParse('\ud83d\ude00 \u0000').success).toBe(true);
		expect(wholeText.safeParse('a\ud83d').success).toBe(false);
	});
});

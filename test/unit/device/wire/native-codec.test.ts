import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { healthSchema, pageSchema } from '../../../../src/device/wire/native.ts';
import {
	decodeAnswer,
	encodePage,
	holdsHalfCharacter,
	pageBytes,
	wordsOf,
} from '../../../../src/device/wire/native-codec.ts';

const rest = { offset: 0, nextOffset: 4, eof: true, totalBytes: 4, storedBytes: 4 };

describe('a page of output', () => {
	it.each([
		['text as text', Buffer.from('one\ntwé\0\u001b[0m'), 'utf8'],
		['a mark at the beginning, too', Buffer.from('\ufeffx'), 'utf8'],
		['bytes that are no UTF-8 as base64', Buffer.from([0xff, 0xfe, 0, 0xc3]), 'base64'],
		['nothing as nothing', Buffer.alloc(0), 'utf8'],
	])('carries %s and loses no byte', (_, bytes, encoding) => {
		const page = encodePage('stderr', { bytes, ...rest });
		expect(page).toEqual({ stream: 'stderr', encoding, text: expect.any(String), ...rest });
		const decoded = decodeAnswer(pageSchema, Buffer.from(JSON.stringify(page)));
		expect(decoded.ok && pageBytes(decoded.value)).toEqual(bytes);
	});
});

describe('an answer', () => {
	const health = { status: 'ok', deviceId: 'web-1', version: '1', time: 5 };
	const decoded = (value: unknown) => decodeAnswer(healthSchema, Buffer.from(JSON.stringify(value)));

	it('is read as it is', () => {
		expect(decoded(health)).toEqual({ ok: true, value: health });
	});

	it('of a newer agent is read without what this client does not know', () => {
		expect(decoded({ ...health, mood: 'fine' })).toEqual({ ok: true, value: health });
		const deep = z.strictObject({ list: z.array(z.strictObject({ a: z.int() })) });
		const text = JSON.stringify({ list: [{ a: 1 }, { a: 2, b: 3 }], more: {} });
		expect(decodeAnswer(deep, Buffer.from(text))).toEqual({ ok: true, value: { list: [{ a: 1 }, { a: 2 }] } });
	});

	it.each([
		['that is no JSON', 'oops', 'the answer is not JSON'],
		['that lacks a field', '{"status":"ok","deviceId":"a","version":"1"}', expect.stringContaining('time')],
	])('%s is refused with the reason', (_, text, why) => {
		expect(decodeAnswer(healthSchema, Buffer.from(text))).toEqual({ ok: false, why });
	});
});

describe('why a value does not fit', () => {
	it('is one line that ends', () => {
		const strange = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`field\n${index}\ud800`, 1]));
		const { error } = healthSchema.safeParse(strange);
		const words = wordsOf(error as z.ZodError);
		expect(words.length).toBeLessThanOrEqual(500);
		expect(words).toMatch(/^[^\n]+$/);
		expect(holdsHalfCharacter(words)).toBe(false);
	});
});

describe('half a character', () => {
	it.each([
		['in a text', 'a\ud800'],
		['in a list', { a: ['x', ['\udc00y']] }],
		['in a key', { 'a\udc00': 1 }],
	])('is found %s', (_, value) => {
		expect(holdsHalfCharacter(value)).toBe(true);
	});

	it('is not seen in whole ones', () => {
		expect(holdsHalfCharacter({ 'ké😀': ['😀', null, 1, true, {}] })).toBe(false);
	});
});

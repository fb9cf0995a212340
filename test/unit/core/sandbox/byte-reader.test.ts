import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../../../src/core/sandbox/byte-reader.ts';

const readerOf = (...chunks: readonly string[]) =>
	new ByteReader(Readable.from(chunks.map((chunk) => Buffer.from(chunk))));

describe('a byte reader', () => {
	it('reads words and leaves the rest as it is, however the stream is cut', async () => {
		const whole = 'line\nword\0rest\0of\nit';
		await fc.assert(
			fc.asyncProperty(fc.array(fc.nat({ max: whole.length })), async (cuts) => {
				const places = [...new Set([0, ...cuts, whole.length])].sort((a, b) => a - b);
				const reader = readerOf(...places.slice(1).map((end, index) => whole.slice(places[index], end)));
				const words = [await reader.until(10, 100), await reader.until(0, 100)].map(String);
				expect([...words, String(await buffer(reader.rest()))]).toEqual(['line', 'word', 'rest\0of\nit']);
			}),
		);
	});

	it('gives up on a word that is longer than allowed, or that never ends', async () => {
		expect([await readerOf('abc', 'def\n').until(10, 5), await readerOf('abc').until(10, 5)]).toEqual([
			undefined,
			undefined,
		]);
		expect(String(await readerOf('abcde\n').until(10, 5))).toBe('abcde');
	});

	it('knows when there is nothing left', async () => {
		const reader = readerOf('a\n');
		expect(await reader.isOver()).toBe(false);
		await reader.until(10, 5);
		expect(await reader.isOver()).toBe(true);
	});
});

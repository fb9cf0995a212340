import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoredText, sliceCharacters, wholeBytes } from '../../../../../src/device/agent/faces/characters.ts';

/** A store that only ever adds, and notes what was read of it. */
class Kept {
	bytes: Buffer;
	readonly reads: (readonly [number, number])[] = [];

	constructor(bytes: Uint8Array) {
		this.bytes = Buffer.from(bytes);
	}

	readonly read = async (offset: number, limit: number) => {
		this.reads.push([offset, limit]);
		return { bytes: this.bytes.subarray(offset, offset + limit) };
	};
}

const charactersOf = (bytes: Uint8Array): string[] =>
	Array.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));

/** Bytes of text, of broken text, and of no text. */
const anyBytes = fc.oneof(
	fc.string({ unit: 'binary', maxLength: 60 }).map((text) => new TextEncoder().encode(text)),
	fc.uint8Array({ maxLength: 60 }),
	fc
		.array(fc.constantFrom(0x41, 0x80, 0xbf, 0xc2, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0xed, 0xa0, 0xff), {
			maxLength: 60,
		})
		.map((bytes) => Uint8Array.from(bytes)),
);

describe('StoredText', () => {
	it('counts and cuts as if all were decoded at once, whatever the bytes and wherever they are parted', async () => {
		await fc.assert(
			fc.asyncProperty(
				anyBytes,
				fc.integer({ min: 4, max: 16 }),
				fc.nat(70),
				fc.nat(70),
				async (bytes, step, from, n) => {
					const text = new StoredText(new Kept(bytes).read, step);
					const characters = charactersOf(bytes);
					expect(await text.count(true)).toBe(characters.length);
					expect(await text.slice(from, n)).toBe(characters.slice(from, from + n).join(''));
				},
			),
			{ numRuns: 2000 },
		);
	});

	it('follows a stream that grows, and waits for the end of a character', async () => {
		const kept = new Kept(Buffer.from('a€').subarray(0, 2));
		const text = new StoredText(kept.read, 4);
		expect([await text.count(false), await text.slice(0, 9)]).toEqual([1, 'a']);
		kept.bytes = Buffer.from('a€b');
		expect([await text.count(false), await text.slice(1, 9)]).toEqual([3, '€b']);
		kept.bytes = Buffer.from([...kept.bytes, 0xf0, 0x9f]);
		expect([await text.count(true), await text.slice(0, 9)]).toEqual([4, 'a€b\ufffd']);
	});

	it('reads what it counted no second time, but for the slice', async () => {
		const kept = new Kept(Buffer.alloc(100_000, 'x'));
		const text = new StoredText(kept.read, 1000);
		await text.count(true);
		const before = kept.reads.length;
		expect([await text.count(true), await text.slice(50_500, 1000)]).toEqual([100_000, 'x'.repeat(1000)]);
		expect(kept.reads.slice(before)).toEqual([
			[100_000, 1000],
			[50_000, 1000],
			[51_000, 1000],
		]);
	});

	it('counts once for all who ask at the same time', async () => {
		const kept = new Kept(Buffer.from('é'.repeat(5000)));
		const text = new StoredText(kept.read, 64);
		expect(await Promise.all([1, 2, 3].map(() => text.count(true)))).toEqual([5000, 5000, 5000]);
		expect(await text.slice(4999, 5)).toBe('é');
	});

	it('is empty when the output is gone', async () => {
		const kept = new Kept(Buffer.from('abc'));
		const text = new StoredText(kept.read);
		await text.count(true);
		kept.bytes = Buffer.alloc(0);
		expect(await text.slice(0, 3)).toBe('');
	});
});

describe('wholeBytes', () => {
	it.each([
		['abc', 3],
		['ab€', 5],
	])('is all of %j', (text, bytes) => {
		expect(wholeBytes(Buffer.from(text))).toBe(bytes);
	});

	it.each([
		[[0x61, 0xe2, 0x82], 1],
		[[0x61, 0xf0, 0x9f, 0x98], 1],
		[[0xe2], 0],
		[[0x80, 0x80, 0x80, 0x80], 4],
		[[], 0],
	])('leaves out a character of %j that only began', (bytes, whole) => {
		expect(wholeBytes(Buffer.from(bytes))).toBe(whole);
	});
});

describe('sliceCharacters', () => {
	it('counts a pair of surrogates as the one character that it is', () => {
		expect(sliceCharacters('a😀b😀c', 1, 3)).toBe('😀b😀');
		expect(sliceCharacters('a😀b😀c', 4, 9)).toBe('c');
	});
});

import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decrypt, type EncryptionKeys, encrypt, Undecipherable } from '../../../../src/core/sessions/encryption.ts';

const keys: EncryptionKeys = {
	master: randomBytes(32),
	id: 'a'.repeat(32),
	header: Buffer.from('header'),
	salt: 'ab'.repeat(32),
};

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
	for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of stream) chunks.push(chunk);
	return Buffer.concat(chunks);
}

const encrypted = (bytes: Uint8Array, more: Partial<EncryptionKeys> = {}) =>
	all(encrypt(inChunks(bytes, 10_000), { ...keys, ...more }));
const opened = (bytes: Uint8Array, more: Partial<EncryptionKeys> = {}) =>
	all(decrypt(inChunks(bytes, 7_777), { ...keys, ...more }));

describe('an encrypted stream', () => {
	it.each([0, 1, 65_535, 65_536, 65_537, 200_000])('of %d bytes opens to what it was', async (size) => {
		const bytes = randomBytes(size);
		expect((await opened(await encrypted(bytes))).equals(bytes)).toBe(true);
	});

	it('opens with nothing changed, cut, added or moved', async () => {
		const bytes = randomBytes(150_000);
		const whole = await encrypted(bytes);
		const piece = 65_536 + 16;
		const swapped = Buffer.concat([
			whole.subarray(piece, 2 * piece),
			whole.subarray(0, piece),
			whole.subarray(2 * piece),
		]);
		const broken = [
			whole.subarray(0, piece),
			whole.subarray(0, -1),
			Buffer.concat([whole, whole.subarray(-16)]),
			swapped,
		];
		for (const one of [...broken, Buffer.alloc(0)]) await expect(opened(one)).rejects.toBeInstanceOf(Undecipherable);
		await fc.assert(
			fc.asyncProperty(fc.nat({ max: whole.length - 1 }), async (at) => {
				const bent = Buffer.from(whole);
				bent[at] = (bent[at] ?? 0) ^ 1;
				await expect(opened(bent)).rejects.toBeInstanceOf(Undecipherable);
			}),
			{ numRuns: 20 },
		);
	});

	it.each([
		['another key', { master: randomBytes(32) }],
		['the id of another session', { id: 'b'.repeat(32) }],
		['another header', { header: Buffer.from('Header') }],
		['another salt', { salt: 'cd'.repeat(32) }],
	])('does not open with %s', async (_what, more) => {
		await expect(opened(await encrypted(randomBytes(10)), more)).rejects.toBeInstanceOf(Undecipherable);
	});

	it('holds nothing that can be read', async () => {
		expect((await encrypted(Buffer.from('secret'.repeat(1_000)))).includes('secret')).toBe(false);
	});
});

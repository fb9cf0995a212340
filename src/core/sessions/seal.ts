/**
 * Seals a stream with AES-256-GCM in pieces of 64 KiB, so that nothing is let out before it was proved: each piece has its number,
 * the last one says that it is, and all are bound to the header and the id of the session. The key is made anew for each writing.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';

const cipher = 'aes-256-gcm';
const pieceBytes = 64 * 1024;
const tagBytes = 16;
const sealedBytes = pieceBytes + tagBytes;

/** These bytes are no session of this key. */
export class BrokenSeal extends Error {}

export interface SealKeys {
	/** 32 bytes or more, of the instance. */
	readonly master: Uint8Array;
	readonly id: string;
	/** Header of the session, salt included; bound to every piece. */
	readonly header: Buffer;
	readonly salt: string;
}

const keyOf = ({ master, id, salt }: SealKeys): Uint8Array =>
	new Uint8Array(hkdfSync('sha256', master, Buffer.from(salt, 'hex'), `secure-code session ${id}`, 32));

const bindingOf = ({ header, id }: SealKeys): Buffer => createHash('sha256').update(header).update(id).digest();

/** 7 bytes nothing, the number of the piece, and whether it is the last. */
function nonceOf(number: number, isLast: boolean): Buffer {
	const nonce = Buffer.alloc(12);
	nonce.writeUInt32BE(number, 7);
	nonce[11] = isLast ? 1 : 0;
	return nonce;
}

/** Cuts a stream into pieces of one size; the last one may be shorter and is told apart. */
async function* cut(
	stream: AsyncIterable<Uint8Array>,
	size: number,
): AsyncGenerator<{ piece: Buffer; isLast: boolean }> {
	let held = Buffer.alloc(0);
	for await (const chunk of stream) {
		held = Buffer.concat([held, chunk]);
		let from = 0;
		for (; held.length - from > size; from += size) yield { piece: held.subarray(from, from + size), isLast: false };
		held = held.subarray(from);
	}
	yield { piece: held, isLast: true };
}

export async function* seal(stream: AsyncIterable<Uint8Array>, keys: SealKeys): AsyncGenerator<Buffer> {
	const key = keyOf(keys);
	const binding = bindingOf(keys);
	let number = 0;
	for await (const { piece, isLast } of cut(stream, pieceBytes)) {
		const sealer = createCipheriv(cipher, key, nonceOf(number++, isLast), { authTagLength: tagBytes }).setAAD(binding);
		yield Buffer.concat([sealer.update(piece), sealer.final(), sealer.getAuthTag()]);
	}
}

/** Throws BrokenSeal before anything of a changed, cut or foreign piece is let out. */
export async function* open(stream: AsyncIterable<Uint8Array>, keys: SealKeys): AsyncGenerator<Buffer> {
	const key = keyOf(keys);
	const binding = bindingOf(keys);
	let number = 0;
	for await (const { piece, isLast } of cut(stream, sealedBytes)) {
		if (piece.length < tagBytes) throw new BrokenSeal('the session is cut');
		const nonce = nonceOf(number++, isLast);
		const opener = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(binding);
		opener.setAuthTag(piece.subarray(-tagBytes));
		try {
			yield Buffer.concat([opener.update(piece.subarray(0, -tagBytes)), opener.final()]);
		} catch (error) {
			throw new BrokenSeal('the session was changed, or sealed with another key', { cause: error });
		}
	}
}

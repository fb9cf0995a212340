/**
 * Encrypts a stream with AES-256-GCM in pieces of 64 KiB, so that nothing is let out before it was proved: each piece has its number,
 * the last one says that it is, and all are bound to the header and the id of the session. The key is made anew for each writing.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';

const cipher = 'aes-256-gcm';
const pieceBytes = 64 * 1024;
const tagBytes = 16;
const encryptedBytes = pieceBytes + tagBytes;

/** These bytes are no session of this key. */
export class Undecipherable extends Error {}

export interface EncryptionKeys {
	/** 32 bytes or more, of the instance. */
	readonly master: Uint8Array;
	readonly id: string;
	/** Header of the session, salt included; bound to every piece. */
	readonly header: Buffer;
	readonly salt: string;
}

const keyOf = ({ master, id, salt }: EncryptionKeys): Uint8Array =>
	new Uint8Array(hkdfSync('sha256', master, Buffer.from(salt, 'hex'), `secure-code session ${id}`, 32));

const bindingOf = ({ header, id }: EncryptionKeys): Buffer => createHash('sha256').update(header).update(id).digest();

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

export async function* encrypt(stream: AsyncIterable<Uint8Array>, keys: EncryptionKeys): AsyncGenerator<Buffer> {
	const key = keyOf(keys);
	const binding = bindingOf(keys);
	let number = 0;
	for await (const { piece, isLast } of cut(stream, pieceBytes)) {
		const cipherer = createCipheriv(cipher, key, nonceOf(number++, isLast), { authTagLength: tagBytes }).setAAD(
			binding,
		);
		yield Buffer.concat([cipherer.update(piece), cipherer.final(), cipherer.getAuthTag()]);
	}
}

/** Throws Undecipherable before anything of a changed, cut or foreign piece is let out. */
export async function* decrypt(stream: AsyncIterable<Uint8Array>, keys: EncryptionKeys): AsyncGenerator<Buffer> {
	const key = keyOf(keys);
	const binding = bindingOf(keys);
	let number = 0;
	for await (const { piece, isLast } of cut(stream, encryptedBytes)) {
		if (piece.length < tagBytes) throw new Undecipherable('the session is cut');
		const nonce = nonceOf(number++, isLast);
		const decipherer = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(binding);
		decipherer.setAuthTag(piece.subarray(-tagBytes));
		try {
			yield Buffer.concat([decipherer.update(piece.subarray(0, -tagBytes)), decipherer.final()]);
		} catch (error) {
			throw new Undecipherable('the session was changed, or encrypted with another key', { cause: error });
		}
	}
}

/** Undoes the common encodings of text. Null: it is not of that encoding. */
import { joinAll, knownTexts, rowOf, text, unknown, type Values } from './value.ts';
import { spend } from './work.ts';

function base64(encoded: string): string | null {
	try {
		return atob(encoded.replaceAll('-', '+').replaceAll('_', '/').replaceAll(/\s/g, ''));
	} catch {
		return null;
	}
}

function hex(encoded: string): string | null {
	const digits = encoded.replaceAll(/[\s:]|\\x|0x/g, '');
	if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) return null;
	return digits.replaceAll(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
}

function base32(encoded: string): string | null {
	const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
	let bits = '';
	for (const character of encoded.replaceAll(/[=\s]/g, '').toUpperCase()) {
		const index = alphabet.indexOf(character);
		if (index < 0) return null;
		bits += index.toString(2).padStart(5, '0');
	}
	return (bits.match(/.{8}/g) ?? []).map((byte) => String.fromCharCode(Number.parseInt(byte, 2))).join('');
}

const rot13 = (encoded: string): string =>
	encoded.replaceAll(/[a-z]/gi, (letter) => {
		const first = letter <= 'Z' ? 65 : 97;
		return String.fromCharCode(((letter.charCodeAt(0) - first + 13) % 26) + first);
	});

function percent(encoded: string): string | null {
	try {
		return decodeURIComponent(encoded);
	} catch {
		return null;
	}
}

/** `\x41`, `\u0041`, `\101` and the short escapes. */
export const escapes = (encoded: string): string =>
	encoded.replaceAll(
		/\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|0?[0-7]{1,3}|[abefnrtv\\'"])/g,
		(_, code: string) => {
			const kind = code[0] as string;
			if (/[xuU]/.test(kind)) return String.fromCodePoint(Math.min(Number.parseInt(code.slice(1), 16), 0x10ffff));
			if (/\d/.test(kind)) return String.fromCharCode(Number.parseInt(code, 8) & 255);
			return { a: '\x07', b: '\b', e: '\x1b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }[kind] ?? kind;
		},
	);

const plain = (encoded: string): string => encoded;

const decoders: Readonly<Record<string, (encoded: string) => string | null>> = {
	base64,
	base64url: base64,
	b64: base64,
	hex,
	base16: hex,
	base32,
	rot13,
	rot_13: rot13,
	percent,
	unicode_escape: escapes,
	raw_unicode_escape: escapes,
	string_escape: escapes,
	utf8: plain,
	'utf-8': plain,
	utf_8: plain,
	ascii: plain,
	latin1: plain,
	'latin-1': plain,
	binary: plain,
};

export function decode(encoding: string, encoded: string): string | null {
	spend(8 * encoded.length);
	const name = encoding
		.toLowerCase()
		.replace(/_codec$|-codec$/, '')
		.replace('unicode-escape', 'unicode_escape');
	return rowOf(decoders, name)?.(encoded) ?? null;
}

/** Every known text that the values stand for, decoded; what cannot be decoded is unknown. */
export function decodedTexts(encoding: string, encoded: Values): Values {
	return joinAll(
		knownTexts(encoded).map((one) => {
			const decoded = decode(encoding, one);
			return decoded === null ? unknown : text(decoded);
		}),
	);
}

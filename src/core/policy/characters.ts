/** What no command may hold, whatever it does: too much of anything, and characters that are read one way and seen another. Pure. */
import type { PolicyReason } from '../../contract/policy.ts';
import { reason } from './reasons.ts';

const KiB = 1024;
/** All words of a command together. */
export const mostArgvBytes = 32 * KiB;

const hidden: readonly { readonly pattern: RegExp; readonly what: string }[] = [
	{ pattern: /\0/, what: 'a NUL' },
	{ pattern: /\r/, what: 'a carriage return' },
	// Line feed and tab are blanks like any other.
	{ pattern: /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/, what: 'a control character' },
	{ pattern: /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/, what: 'a character that turns the direction of text' },
	{ pattern: /[\u{e0000}-\u{e007f}]/u, what: 'an invisible character' },
	{ pattern: /[\u2028\u2029\ufeff\ufff9-\uffff]/, what: 'an invisible character' },
];

/** A bound check comes first, so that nothing long is searched. */
export function judgeText(texts: readonly string[], maxBytes: number): PolicyReason[] {
	let bytes = 0;
	for (const text of texts) {
		// No text has fewer bytes than characters.
		if (text.length > maxBytes) bytes = maxBytes + 1;
		else bytes += Buffer.byteLength(text);
		if (bytes > maxBytes)
			return [reason('limit', 'deny', 'limit/bytes', `the command has more than ${maxBytes} bytes`)];
	}
	return texts.flatMap((text) => {
		if (/\p{Surrogate}/u.test(text))
			return [reason('syntax', 'deny', 'syntax/characters', 'it holds half of a character')];
		const found = hidden.find(({ pattern }) => pattern.test(text));
		return found ? [reason('syntax', 'deny', 'syntax/characters', `it holds ${found.what}`)] : [];
	});
}

/** Reads JSON of strangers so that no two readers can see different things in it: valid UTF-8, no key twice, not too deep, not too many values. Pure. */
import { z } from 'zod';

/** Why a body was not read, in words that fit behind "the body". */
export type JsonReading = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

/** Nobody needs more, and whatever walks over a value may rely on it. */
const mostDepth = 32;
/** A page of jobs has some thousand; 64 MiB of empty objects would take gigabytes of memory. */
const mostValues = 200_000;

/** A string that is the same text wherever it goes: no half of a surrogate pair, which UTF-8 cannot carry. */
export const wholeText = z.string().refine((text) => !/\p{Surrogate}/u.test(text), 'holds half a character');

export function readJson(bytes: Uint8Array): JsonReading {
	if (!isFewValues(bytes)) return { ok: false, why: `holds more than ${mostValues} values` };
	const text = decode(bytes);
	if (text === undefined) return { ok: false, why: 'is not UTF-8' };
	const parsed = parse(text);
	if (!parsed) return { ok: false, why: 'is not JSON' };
	const why = doubtIn(text);
	return why === undefined ? { ok: true, value: parsed.value } : { ok: false, why };
}

function decode(bytes: Uint8Array): string | undefined {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return undefined;
	}
}

function parse(text: string): { readonly value: unknown } | undefined {
	try {
		return { value: JSON.parse(text) };
	} catch {
		return undefined;
	}
}

const quote = 0x22;
const backslash = 0x5c;
/** What stands before a value, if not a colon: `[`, `{`, `,`. */
const beginnings = new Set([0x5b, 0x7b, 0x2c]);

/** Of bytes that may be anything; each is looked at once, and those of a string by the machine. */
function isFewValues(bytes: Uint8Array): boolean {
	if (bytes.length <= mostValues) return true;
	let values = 0;
	for (let at = 0; at < bytes.length && values <= mostValues; at++) {
		const byte = bytes[at] ?? 0;
		if (byte === quote) at = endOfString(bytes, at);
		else if (beginnings.has(byte)) values++;
	}
	return values <= mostValues;
}

function endOfString(bytes: Uint8Array, start: number): number {
	for (let at = start + 1; ; at++) {
		at = bytes.indexOf(quote, at);
		if (at < 0) return bytes.length;
		let first = at;
		while (first > start + 1 && bytes[first - 1] === backslash) first--;
		if ((at - first) % 2 === 0) return at;
	}
}

/** The strings of text that is known to be JSON, with their quotes, and the brackets and commas around them. */
function* tokensOf(text: string): Generator<string> {
	for (let at = 0; at < text.length; at++) {
		const character = text.charAt(at);
		if ('{}[],'.includes(character)) yield character;
		if (character !== '"') continue;
		const start = at++;
		while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
		yield text.slice(start, at + 1);
	}
}

/** Follows the brackets, with the keys of every object that is open; an array has none. */
function doubtIn(text: string): string | undefined {
	const open: (Set<string> | null)[] = [];
	let keys: Set<string> | null | undefined;
	for (const token of tokensOf(text)) {
		if (token === '{' || token === '[') {
			if (open.push(token === '{' ? new Set() : null) > mostDepth)
				return `is nested more than ${mostDepth} levels deep`;
		} else if (token === '}' || token === ']') open.pop();
		else if (keys && token !== ',' && !isNew(keys, token)) return 'has the same key twice';
		keys = token === '{' || token === ',' ? open.at(-1) : undefined;
	}
	return undefined;
}

function isNew(keys: Set<string>, literal: string): boolean {
	const key: string = JSON.parse(literal);
	if (keys.has(key)) return false;
	keys.add(key);
	return true;
}

/** Reads JSON of strangers so that no two readers can see different things in it: valid UTF-8, no key twice, not too deep. Pure. */
import { z } from 'zod';

/** Why a body was not read, in words that fit behind "the body". */
export type JsonReading = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

/** Nobody needs more, and whatever walks over a value may rely on it. */
const mostDepth = 32;

/** A string that is the same text wherever it goes: no half of a surrogate pair, which UTF-8 cannot carry. */
export const wholeText = z.string().refine((text) => !/\p{Surrogate}/u.test(text), 'holds half a character');

export function readJson(bytes: Uint8Array): JsonReading {
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

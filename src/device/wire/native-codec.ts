/** Between what the native protocol sends and what both sides work with: pages of bytes, answers of newer agents, faults in words. Pure. */
import { z } from 'zod';
import { readJson } from './json.ts';
import type { NativePage } from './native.ts';

interface PageBytes extends Omit<NativePage, 'stream' | 'encoding' | 'text'> {
	readonly bytes: Buffer;
}

/** A page as JSON, without losing a byte. */
export function encodePage(stream: NativePage['stream'], page: PageBytes): NativePage {
	const { bytes, offset, nextOffset, eof, totalBytes, storedBytes } = page;
	const text = utf8(bytes);
	return {
		stream,
		encoding: text === undefined ? 'base64' : 'utf8',
		text: text ?? bytes.toString('base64'),
		...{ offset, nextOffset, eof, totalBytes, storedBytes },
	};
}

export const pageBytes = ({ encoding, text }: Pick<NativePage, 'encoding' | 'text'>): Buffer =>
	Buffer.from(text, encoding);

function utf8(bytes: Buffer): string | undefined {
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		return undefined;
	}
}

/** What a client makes of an answer. Fields that it does not know come from a newer agent and are left out. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

export function decodeAnswer<T extends z.ZodType>(schema: T, body: Uint8Array): Decoded<z.output<T>> {
	const json = readJson(body);
	if (!json.ok) return { ok: false, why: `the answer ${json.why}` };
	const first = schema.safeParse(json.value);
	const parsed = first.success ? first : schema.safeParse(withoutUnknown(json.value, first.error.issues));
	return parsed.success ? { ok: true, value: parsed.data } : { ok: false, why: wordsOf(parsed.error) };
}

/** A body of JSON as an agent reads it: nothing unknown, nothing that two readers could see differently. */
export function decodeBody<T extends z.ZodType>(schema: T, body: Uint8Array): Decoded<z.output<T>> {
	const json = readJson(body);
	if (!json.ok) return { ok: false, why: `the body ${json.why}` };
	if (holdsHalfCharacter(json.value)) return { ok: false, why: 'the body holds half a character' };
	const parsed = schema.safeParse(json.value);
	return parsed.success ? { ok: true, value: parsed.data } : { ok: false, why: wordsOf(parsed.error) };
}

/** The value without the fields that a schema named as unknown to it. */
function withoutUnknown(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
	const known = structuredClone(value);
	for (const issue of issues) {
		if (issue.code !== 'unrecognized_keys') continue;
		const holder = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], known);
		for (const key of issue.keys) delete (holder as Record<string, unknown>)[key];
	}
	return known;
}

const mostWords = 500;
const halves = /\p{Surrogate}/gu;
const holdsHalf = (text: string): boolean => text.search(halves) !== -1;

/** Why a value does not fit, in one line that ends. */
export const wordsOf = (error: z.ZodError): string =>
	z
		.prettifyError(error)
		.replaceAll(/\s*\n\s*/g, ' ')
		.slice(0, mostWords)
		.replaceAll(halves, '\ufffd');

/** Text that UTF-8 cannot carry, anywhere in a value: two readers would see different things in it. */
export function holdsHalfCharacter(value: unknown): boolean {
	if (typeof value === 'string') return holdsHalf(value);
	if (typeof value !== 'object' || value === null) return false;
	return Object.entries(value).some(([key, part]) => holdsHalf(key) || holdsHalfCharacter(part));
}

/** JSON to the byte as Go's encoding/json writes it, which QuickCMD signs; and what Go makes of JSON that it reads. Pure. */

/** Go 1.22 and later write backspace and form feed as `\b` and `\f` (short), before as `\u0008` and `\u000c` (long). */
export type GoSpelling = 'short' | 'long';
export const goSpellings: readonly GoSpelling[] = ['short', 'long'];

/** An object is a map of Go, whose keys are sorted; a Map is a struct, whose fields keep their order. Numbers are float64. */
export type GoValue =
	| null
	| boolean
	| number
	| string
	| readonly GoValue[]
	| ReadonlyMap<string, GoValue>
	| { readonly [key: string]: GoValue };

const shortEscapes: Readonly<Record<string, string>> = {
	'"': '\\"',
	'\\': '\\\\',
	'\n': '\\n',
	'\r': '\\r',
	'\t': '\\t',
};
const shortControls: Readonly<Record<string, string>> = { '\b': '\\b', '\f': '\\f' };

const escaped = /["\\\u0000-\u001f<>&\u2028\u2029]/g;

const hexEscape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Half a surrogate pair is U+FFFD to Go. */
export const goText = (text: string): string => text.replaceAll(/\p{Surrogate}/gu, '\ufffd');

function goString(text: string, spelling: GoSpelling): string {
	const controls = spelling === 'short' ? shortControls : {};
	const write = (character: string) => shortEscapes[character] ?? controls[character] ?? hexEscape(character);
	return `"${goText(text).replaceAll(escaped, write)}"`;
}

/** JavaScript and Go agree on every number but this one. */
const goNumber = (number: number): string => (Object.is(number, -0) ? '-0' : String(number));

/** By the bytes of UTF-8, which is the order of code points; JavaScript's own order puts U+E000 behind what lies above U+FFFF. */
const byBytes = ([a]: readonly [string, GoValue], [b]: readonly [string, GoValue]): number =>
	Buffer.compare(Buffer.from(a), Buffer.from(b));

const isList = (value: GoValue): value is readonly GoValue[] => Array.isArray(value);

const fieldsOf = (value: ReadonlyMap<string, GoValue> | { readonly [key: string]: GoValue }) =>
	value instanceof Map ? [...value] : Object.entries(value).sort(byBytes);

export function goJson(value: GoValue, spelling: GoSpelling = 'short'): string {
	if (value === null || typeof value === 'boolean') return String(value);
	if (typeof value === 'number') return goNumber(value);
	if (typeof value === 'string') return goString(value, spelling);
	if (isList(value)) return `[${value.map((item) => goJson(item, spelling)).join(',')}]`;
	const fields = fieldsOf(value).map(([key, item]) => `${goString(key, spelling)}:${goJson(item, spelling)}`);
	return `{${fields.join(',')}}`;
}

/** A struct whose empty fields are left out are those that are undefined here. */
export const goStruct = (fields: Readonly<Record<string, GoValue | undefined>>): ReadonlyMap<string, GoValue> =>
	new Map(Object.entries(fields).filter((field): field is [string, GoValue] => field[1] !== undefined));

/**
 * What Go holds of JSON that was read into `interface{}`.
 * @returns undefined for what Go cannot hold, or what two readers could read differently: a number that is none of float64, or
 * two keys that become one
 */
export function goValue(value: unknown): GoValue | undefined {
	if (value === null || typeof value === 'boolean') return value;
	if (typeof value === 'string') return goText(value);
	if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
	if (Array.isArray(value)) return allOf(value.map(goValue));
	return typeof value === 'object' ? goMap(Object.entries(value)) : undefined;
}

const allOf = (values: readonly (GoValue | undefined)[]): readonly GoValue[] | undefined =>
	values.every((value) => value !== undefined) ? values : undefined;

function goMap(entries: readonly (readonly [string, unknown])[]): { readonly [key: string]: GoValue } | undefined {
	const keys = entries.map(([key]) => goText(key));
	const values = allOf(entries.map(([, value]) => goValue(value)));
	if (!values || new Set(keys).size < keys.length) return undefined;
	return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? null]));
}

/** How a number was written, by the object and the key that hold it. */
export type NumberSource = (holder: object, key: string) => string | undefined;

type Reviver = (this: object, key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Parses text that is known to be JSON, and remembers how its numbers were written: `1e3` and `1000` are not the same to Go. */
export function parseWithNumbers(text: string): { readonly value: unknown; readonly sourceOf: NumberSource } {
	const sources = new WeakMap<object, Map<string, string>>();
	const remember: Reviver = function (key, value, { source }) {
		if (typeof value !== 'number' || source === undefined) return value;
		const ofHolder = sources.get(this) ?? new Map<string, string>();
		sources.set(this, ofHolder.set(key, source));
		return value;
	};
	const value: unknown = JSON.parse(text, remember as (this: unknown, key: string, value: unknown) => unknown);
	return { value, sourceOf: (holder, key) => sources.get(holder)?.get(key) };
}

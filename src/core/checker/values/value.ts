/** The small domain of values: known texts, names that were resolved, and containers of both. An empty set is unknown. */
import type { FunctionNode } from '../languages/ir.ts';
import type { Scope } from './scope.ts';
import { spend } from './work.ts';

/** Stands for an unknown piece of a text: `"/etc/" + x` still starts with `/etc/`. */
export const HOLE = '\uE0FF';
/** A blank from an unquoted expansion of a shell: words are split at it later. */
export const BLANK = '\uE0FE';

export interface TextValue {
	readonly kind: 'text';
	readonly text: string;
}
export interface NumberValue {
	readonly kind: 'number';
	readonly number: number;
}
/** A resolved name such as `os.system`; `open()` with parentheses is what a call of it gives. */
export interface RefValue {
	readonly kind: 'ref';
	readonly path: string;
}
/** A path object of a library (pathlib). */
export interface PathValue {
	readonly kind: 'path';
	readonly text: string;
}
export interface ListValue {
	readonly kind: 'list';
	items: Values[];
	/** Elements whose place is unknown. */
	rest: Values;
}
/** An object, a dictionary, a class or its instances (which share one value). */
export interface ObjectValue {
	readonly kind: 'object';
	readonly fields: Map<string, Values>;
	/** Values under unknown keys. */
	rest: Values;
	bases: Values;
	readonly isClass: boolean;
}
export interface FunctionValue {
	readonly kind: 'function';
	readonly node: FunctionNode;
	readonly scope: Scope;
	self: Values;
	returns: Values;
}
/** A method taken from a value, not called yet. */
export interface MethodValue {
	readonly kind: 'method';
	readonly self: Value;
	readonly name: string;
}
/** A callable with its first arguments already given. `getter`: takes a member of its argument when called. */
export interface PartialValue {
	readonly kind: 'partial';
	readonly callee: Values;
	readonly args: readonly Values[];
}
export interface GetterValue {
	readonly kind: 'getter';
	readonly name: string;
	/** Given for `methodcaller`: the member is called with these. */
	readonly args: readonly Values[] | null;
}

export type Value =
	| TextValue
	| NumberValue
	| RefValue
	| PathValue
	| ListValue
	| ObjectValue
	| FunctionValue
	| MethodValue
	| PartialValue
	| GetterValue;
export type Values = readonly Value[];

export const longestText = 4096;
/** Elements beyond these are known, but not their places. */
const mostItems = 1024;
const mostValues = 8;
const mostNames = 16;
const longestRef = 200;

export const unknown: Values = [];

/** Long texts keep their beginning; what follows is a hole. */
export const cut = (text: string): string => (text.length <= longestText ? text : text.slice(0, longestText) + HOLE);
/** One text after the other, as far as the result counts. */
export function joinTexts(pieces: readonly string[], separator: string): string {
	let joined = '';
	for (const [i, piece] of pieces.entries()) {
		if (joined.length > longestText) break;
		joined += i === 0 ? piece : separator + piece;
	}
	spend(pieces.length);
	return joined;
}

export function text(value: string): Values {
	spend(1 + value.length / 64);
	return [{ kind: 'text', text: cut(value) }];
}
export const number = (value: number): Values => [{ kind: 'number', number: value }];
export const ref = (path: string): Values => (path.length > longestRef ? unknown : [{ kind: 'ref', path }]);
export function path(value: string): Values {
	spend(1 + value.length / 64);
	return [{ kind: 'path', text: cut(value) }];
}
export function list(items: Values[], rest: Values = unknown): ListValue {
	spend(1 + items.length);
	if (items.length <= mostItems) return { kind: 'list', items, rest };
	const beyond = joinAll(items.slice(mostItems));
	return { kind: 'list', items: items.slice(0, mostItems), rest: join(join(rest, beyond), text(HOLE)) };
}
export const object = (isClass = false): ObjectValue => ({
	kind: 'object',
	fields: new Map(),
	rest: unknown,
	bases: unknown,
	isClass,
});

export function isSame(a: Value, b: Value): boolean {
	spend(1);
	if (a === b) return true;
	if (a.kind === 'text') return b.kind === 'text' && sameText(a.text, b.text);
	if (a.kind === 'ref') return b.kind === 'ref' && a.path === b.path;
	if (a.kind === 'path') return b.kind === 'path' && a.text === b.text;
	if (a.kind === 'number') return b.kind === 'number' && a.number === b.number;
	if (a.kind === 'method') return b.kind === 'method' && a.name === b.name && isSame(a.self, b.self);
	if (a.kind === 'getter') return b.kind === 'getter' && a.name === b.name;
	if (a.kind === 'function') return b.kind === 'function' && a.node === b.node;
	if (a.kind === 'list') return b.kind === 'list' && isSameList(a, b);
	return a.kind === 'partial' && b.kind === 'partial' && sameSets(a.callee, b.callee);
}

function sameText(a: string, b: string): boolean {
	if (a.length !== b.length) return false;
	spend(a.length / 64);
	return a === b;
}

/** Lists inside lists are told apart by identity, so that comparing stays cheap. */
function isSameList(a: ListValue, b: ListValue): boolean {
	if (a.items.length !== b.items.length) return false;
	spend(a.items.length);
	return a.items.every((item, i) => sameFlat(item, b.items[i] as Values)) && sameFlat(a.rest, b.rest);
}
const sameFlat = (a: Values, b: Values): boolean =>
	a === b ||
	(a.length === b.length &&
		a.every((value, i) => value === b[i] || (value.kind !== 'list' && isSame(value, b[i] as Value))));
const sameSets = (a: Values, b: Values): boolean =>
	a.length === b.length && a.every((item, i) => isSame(item, b[i] as Value));

/** What does not fit any more is remembered as a hole, so that nothing is silently lost. References are kept longest. */
export function join(a: Values, b: Values): Values {
	if (a === b || b.length === 0) return a;
	if (a.length === 0) return b;
	let joined: Value[] | null = null;
	for (const value of b) {
		const before: Values = joined ?? a;
		if (before.some((known) => isSame(known, value))) continue;
		if (before.length < mostValues || (isName(value) && before.length < mostNames)) joined = [...before, value];
		else if (!before.some(isOpen) && before.length <= mostNames) joined = [...before, { kind: 'text', text: HOLE }];
	}
	return joined ?? a;
}

const isName = (value: Value): boolean => value.kind === 'ref' && !value.path.includes('()');
const isOpen = (value: Value): boolean => value.kind === 'text' && value.text === HOLE;

export const joinAll = (sets: Iterable<Values>): Values => {
	let joined: Values = unknown;
	for (const set of sets) joined = join(joined, set);
	return joined;
};

/** The texts of a set; numbers are written out, anything else is a hole. */
export function textsOf(values: Values): string[] {
	if (values.length === 0) return [HOLE];
	return [...new Set(values.map(textOf))];
}

export function textOf(value: Value): string {
	if (value.kind === 'text' || value.kind === 'path') return value.text;
	return value.kind === 'number' ? String(value.number) : HOLE;
}

/** Texts without any hole: what is known to the last character. */
export const knownTexts = (values: Values): string[] =>
	values.flatMap((value) =>
		(value.kind === 'text' || value.kind === 'path') && !value.text.includes(HOLE) ? [value.text] : [],
	);

export const numbersOf = (values: Values): number[] =>
	values.flatMap((value) => (value.kind === 'number' ? [value.number] : []));

export const refsOf = (values: Values): string[] =>
	values.flatMap((value) => (value.kind === 'ref' ? [value.path] : []));

function charactersOf(whole: string): Values[] {
	spend(4 * whole.length);
	return [...whole].map((character) => text(character));
}

function itemsOf({ items }: ListValue): Values[] {
	spend(items.length);
	return items;
}

export function keysOf({ fields }: ObjectValue): Values[] {
	spend(8 * fields.size);
	return [...fields.keys()].map((key) => text(key));
}

/** Elements of lists and characters of texts, each as its own set. Null: how many there are is unknown. */
export function elementsOf(values: Values): Values[] | null {
	if (values.length !== 1) return null;
	const [only] = values as [Value];
	if (only.kind === 'text') return only.text.includes(HOLE) ? null : charactersOf(only.text);
	if (only.kind === 'list') return only.rest.length === 0 ? itemsOf(only) : null;
	return only.kind === 'object' && !only.isClass && only.rest.length === 0 ? keysOf(only) : null;
}

/** The element at a place; counted from the end it may be any of those whose place is unknown. */
export function elementAt({ items, rest }: ListValue, index: number): Values {
	const found = items.at(index);
	return found === undefined ? rest : index < 0 && rest.length > 0 ? join(found, rest) : found;
}

/** Everything that iterating over the values may give. */
export function anyElement(values: Values): Values {
	return joinAll(
		values.map((value) => {
			if (value.kind === 'list') return joinAll([...value.items.slice(0, 64), value.rest]);
			if (value.kind === 'ref') return value.path.endsWith('()') ? [value] : unknown;
			if (value.kind === 'text') return value.text.length <= 64 ? joinAll(charactersOf(value.text)) : unknown;
			if (value.kind === 'object' && !value.isClass)
				return joinAll([...value.fields.keys()].slice(0, 64).map((key) => text(key)));
			return unknown;
		}),
	);
}

/** A row of a table under a name that the program chose, which may be the name of something every object has. */
export const rowOf = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
	Object.hasOwn(table, name) ? table[name] : undefined;

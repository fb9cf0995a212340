/** Folds the methods and operators of texts and lists, so that a name that was taken apart is put together again. */
import type { Operator } from '../languages/ir.ts';
import { decode } from './decode.ts';
import { joinedPaths, pathsOf } from './fold-paths.ts';
import {
	cut,
	elementAt,
	elementsOf,
	HOLE,
	joinAll,
	type ListValue,
	list,
	longestText,
	number,
	numbersOf,
	text,
	textsOf,
	unknown,
	type Value,
	type Values,
} from './value.ts';
import { spend } from './work.ts';

const mostWays = 8;
const longestRepeat = 1024;

/** Every way to put one text of each set after the other. */
export function concatenated(sets: readonly Values[]): Values {
	let ways = [''];
	spend(8 * sets.length);
	for (const set of sets) {
		const texts = textsOf(set);
		const longer = ways.length === 1 && texts.length === 1;
		ways = longer
			? [appended(ways[0] as string, texts[0] as string)]
			: ways.flatMap((left) => texts.map((right) => appended(left, right))).slice(0, mostWays);
	}
	return joinAll(ways.map((way) => text(way)));
}

/** What is cut already ends in a hole, and nothing behind it counts. */
const appended = (left: string, right: string): string => (left.length > longestText ? left : cut(left + right));

const known = (value: Values | undefined): string | null => {
	const [only] = value === undefined ? [] : textsOf(value);
	return only === undefined || only.includes(HOLE) ? null : only;
};
const integer = (value: Values | undefined): number | undefined => (value ? numbersOf(value)[0] : undefined);

type TextFold = (self: string, args: readonly Values[]) => Values;

/** Applies to texts without a hole; anything else becomes unknown. */
const whole =
	(fold: (self: string, args: readonly Values[]) => string | Values | null): TextFold =>
	(self, args) => {
		spend(self.length);
		if (self.includes(HOLE)) return unknown;
		const result = fold(self, args);
		return result === null ? unknown : typeof result === 'string' ? text(result) : result;
	};
/** Letter by letter, so that holes may stay. */
const each =
	(fold: (self: string) => string): TextFold =>
	(self) => {
		spend(self.length);
		return text(fold(self));
	};

const texts = (parts: readonly string[]): Values => [list(parts.map((part) => text(part)))];
const split = whole((self, args) => {
	const separator = known(args[0]);
	return texts(separator === null ? self.trim().split(/\s+/) : self.split(separator));
});
const decoded = whole((self, args) => decode(known(args[0]) ?? 'utf-8', self));
/** `"x".encode("rot13")` is as good as decoding it; `encode()` changes nothing that matters here. */
const encoded = whole((self, args) => (args[0] ? (decode(known(args[0]) ?? '', self) ?? self) : self));
const stripped = (atStart: boolean, atEnd: boolean): TextFold =>
	whole((self, args) => {
		const set = known(args[0]) ?? '';
		return set === '' ? trimmed(self, atStart, atEnd) : withoutSigns(self, new Set(set.split('')), atStart, atEnd);
	});
const trimmed = (self: string, atStart: boolean, atEnd: boolean): string =>
	atStart && atEnd ? self.trim() : atStart ? self.trimStart() : self.trimEnd();

function withoutSigns(self: string, signs: ReadonlySet<string>, atStart: boolean, atEnd: boolean): string {
	let [start, end] = [0, self.length];
	while (atStart && start < end && signs.has(self.charAt(start))) start++;
	while (atEnd && end > start && signs.has(self.charAt(end - 1))) end--;
	return self.slice(start, end);
}

const replacedAll = whole((self, args) => {
	const [from, to] = [known(args[0]), known(args[1])];
	return from === null || to === null || from === '' ? null : replacedIn(self, from, to);
});

/** Every place of a text replaced, as far as the result counts. */
export function replacedIn(self: string, from: string, to: string): string {
	let made = '';
	let start = 0;
	for (let at = self.indexOf(from); at >= 0 && made.length <= longestText; at = self.indexOf(from, start)) {
		made += self.slice(start, at) + to;
		start = at + from.length;
	}
	return made + self.slice(start);
}
const replacedOnce = whole((self, args) => {
	const [from, to] = [known(args[0]), known(args[1])];
	return from === null || to === null ? null : self.replace(from, () => to);
});
const sliced = whole((self, args) => self.slice(integer(args[0]), integer(args[1])));

/** `"{} {name}".format(…)`: each field becomes its value or a hole. */
export function formatted(self: string, args: readonly Values[], keywords: ReadonlyMap<string, Values>): Values {
	let next = 0;
	spend(self.length);
	const pieces = self.split(/(\{\{|\}\}|\{[^{}]*\})/).map((piece): Values => {
		if (piece === '{{' || piece === '}}') return text(piece[0] as string);
		if (!/^\{.*\}$/s.test(piece)) return text(piece);
		const name = /^\{([^.[!:}]*)/.exec(piece)?.[1] ?? '';
		if (/[.[]/.test(piece)) return text(HOLE);
		const value = name === '' ? args[next++] : /^\d+$/.test(name) ? args[Number(name)] : keywords.get(name);
		return value ?? text(HOLE);
	});
	return concatenated(pieces);
}

const shared: Readonly<Record<string, TextFold>> = {
	split,
	concat: (self, args) => concatenated([text(self), ...args]),
	toString: each((self) => self),
	valueOf: each((self) => self),
};

export const pythonTextMethods: Readonly<Record<string, TextFold>> = {
	...shared,
	upper: each((self) => self.toUpperCase()),
	lower: each((self) => self.toLowerCase()),
	casefold: each((self) => self.toLowerCase()),
	swapcase: whole((self) => [...self].map((c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase())).join('')),
	capitalize: whole((self) => self.charAt(0).toUpperCase() + self.slice(1).toLowerCase()),
	title: whole((self) => self.toLowerCase().replaceAll(/\b[a-z]/g, (c) => c.toUpperCase())),
	strip: stripped(true, true),
	lstrip: stripped(true, false),
	rstrip: stripped(false, true),
	replace: replacedAll,
	rsplit: split,
	splitlines: whole((self) => texts(self.split('\n'))),
	removeprefix: whole((self, args) =>
		self.startsWith(known(args[0]) ?? HOLE) ? self.slice((known(args[0]) ?? '').length) : self,
	),
	removesuffix: whole((self, args) =>
		self.endsWith(known(args[0]) ?? HOLE) ? self.slice(0, -(known(args[0]) ?? '').length) : self,
	),
	encode: encoded,
	decode: decoded,
	hex: whole((self) => [...self].map((c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('')),
	fromhex: whole((_, args) => decode('hex', known(args[0]) ?? HOLE)),
	join: (self, args) => joined(self, args[0] ?? unknown),
	__add__: (self, args) => concatenated([text(self), ...args]),
	__mod__: (self, args) => percentFormatted(self, args[0] ?? unknown),
	zfill: whole((self, args) => self.padStart(Math.min(longestText + 1, integer(args[0]) ?? 0), '0')),
	partition: whole((self, args) => {
		const separator = known(args[0]);
		const at = separator === null ? -1 : self.indexOf(separator);
		return at < 0
			? null
			: texts([self.slice(0, at), separator as string, self.slice(at + (separator as string).length)]);
	}),
};

export const javaScriptTextMethods: Readonly<Record<string, TextFold>> = {
	...shared,
	toUpperCase: each((self) => self.toUpperCase()),
	toLowerCase: each((self) => self.toLowerCase()),
	split: whole((self, args) => {
		const separator = known(args[0]);
		return args.length === 0
			? texts([self])
			: separator === null
				? null
				: texts(self.slice(0, longestRepeat).split(separator));
	}),
	trim: whole((self) => self.trim()),
	trimStart: whole((self) => self.trimStart()),
	trimEnd: whole((self) => self.trimEnd()),
	replace: replacedOnce,
	replaceAll: replacedAll,
	slice: sliced,
	substring: sliced,
	substr: whole((self, args) =>
		self.slice(integer(args[0]) ?? 0, (integer(args[0]) ?? 0) + (integer(args[1]) ?? self.length)),
	),
	charAt: whole((self, args) => self.charAt(integer(args[0]) ?? 0)),
	at: whole((self, args) => self.at(integer(args[0]) ?? 0) ?? null),
	charCodeAt: whole((self, args) => number(self.charCodeAt(integer(args[0]) ?? 0))),
	codePointAt: whole((self, args) => number(self.codePointAt(integer(args[0]) ?? 0) ?? 0)),
	repeat: whole((self, args) => self.repeat(Math.min(timesThatCount(self), Math.max(0, integer(args[0]) ?? 1)))),
	padStart: whole((self, args) => self.padStart(Math.min(longestRepeat, integer(args[0]) ?? 0), known(args[1]) ?? ' ')),
	normalize: whole((self) => {
		spend(8 * self.length);
		return self.normalize('NFKC');
	}),
};

const timesThatCount = (self: string): number =>
	Math.min(longestRepeat, Math.ceil((longestText + 1) / (self.length || 1)));

/** The elements of a list as one text. */
export function joined(separator: string, values: Values): Values {
	const elements = elementsOf(values);
	if (!elements) return values.length > 0 && values.every((value) => value.kind === 'text') ? values : text(HOLE);
	const pieces = elements.flatMap((element, i) => (i === 0 ? [element] : [text(separator), element]));
	return concatenated(pieces);
}

type ListFold = (self: ListValue, args: readonly Values[]) => Values;

const reversed: ListFold = (self) => [list([...self.items].reverse(), self.rest)];
const combined: ListFold = (self, args) => {
	const others = args.map((arg) => elementsOf(arg));
	return [
		list(
			[...self.items, ...others.flatMap((other) => other ?? [])],
			others.includes(null) ? joinAll([self.rest, text(HOLE)]) : self.rest,
		),
	];
};

/** Methods of lists that give a value and change nothing. */
export const listMethods: Readonly<Record<string, ListFold>> = {
	join: (self, args) => joined(args[0] ? (known(args[0]) ?? HOLE) : ',', [self]),
	toString: (self: ListValue) => joined(',', [self]),
	reverse: reversed,
	toReversed: reversed,
	concat: combined,
	copy: (self) => [self],
	flat: (self) => [
		list(
			self.items.flatMap((item) => elementsOf(item) ?? [item]),
			self.rest,
		),
	],
	slice: (self, args) => [list(self.items.slice(integer(args[0]), integer(args[1])), self.rest)],
	at: (self, args) => elementAt(self, integer(args[0]) ?? 0),
	__getitem__: (self, args) => elementAt(self, integer(args[0]) ?? 0),
	values: (self) => [self],
};

/** Methods that put their arguments into the list. */
export const growingMethods: ReadonlySet<string> = new Set([
	'append',
	'push',
	'add',
	'appendleft',
	'insert',
	'unshift',
	'extend',
]);
/** Methods that take an element out. */
export const takingMethods: ReadonlySet<string> = new Set(['pop', 'shift', 'popleft', 'next', '__next__', 'find']);

const printfField = /%(?:\((\w+)\))?[-+ #0]*(?:[1-9]\d*)?(?:\.\d+)?([sdrxXofi%c])/g;

/** `"%s.%s" % ("os", "system")` */
export function percentFormatted(self: string, args: Values): Values {
	const items = args.length === 1 && args[0]?.kind === 'list' ? args[0].items : [args];
	let next = 0;
	let last = 0;
	const pieces: Values[] = [];
	spend(self.length);
	for (const field of self.matchAll(printfField)) {
		pieces.push(text(self.slice(last, field.index)));
		last = field.index + field[0].length;
		if (field[2] === '%') pieces.push(text('%'));
		else if (field[2] === 'c') pieces.push(asCharacter(items[next++] ?? unknown));
		else pieces.push(field[1] ? text(HOLE) : (items[next++] ?? unknown));
	}
	return concatenated([...pieces, text(self.slice(last))]);
}

export const asCharacter = (values: Values): Values => {
	const codes = numbersOf(values).filter((code) => code >= 0 && code <= 0x10ffff);
	return codes.length > 0 ? joinAll(codes.map((code) => text(String.fromCodePoint(code)))) : values;
};

type Arithmetic = (a: number, b: number) => number;
const arithmetic: Partial<Record<Operator, Arithmetic>> = {
	'+': (a, b) => a + b,
	'-': (a, b) => a - b,
	'*': (a, b) => a * b,
	'/': (a, b) => a / b,
	'//': (a, b) => Math.floor(a / b),
	'%': (a, b) => a % b,
	'^': (a, b) => a ^ b,
	'|': (a, b) => a | b,
	'&': (a, b) => a & b,
	'<<': (a, b) => a << b,
	'>>': (a, b) => a >> b,
	'**': (a, b) => a ** b,
};

/** One operator over the sets of its operands. */
export function fold(operator: Operator, operands: readonly Values[]): Values {
	if (operator === 'concat') return concatenated(operands);
	if (operator === 'slice') return joinAll((operands[0] ?? []).map((value) => slice(value, operands)));
	const [left = unknown, right = unknown] = operands;
	const folded =
		left.length * right.length > 64 ? unknown : joinAll(pairs(left, right, (a, b) => foldPair(operator, a, b)));
	if (operator !== '+' || folded.length > 0) return folded;
	return isText(left) || isText(right) ? concatenated([left, right]) : unknown;
}

const isText = (values: Values): boolean => values.some((value) => value.kind === 'text');

function* pairs(left: Values, right: Values, combine: (a: Value, b: Value | null) => Values): Generator<Values> {
	for (const a of left) {
		if (right.length === 0) yield combine(a, null);
		for (const b of right) yield combine(a, b);
	}
}

function foldPair(operator: Operator, a: Value, b: Value | null): Values {
	if (a.kind === 'path' && operator === '/') return pathsOf(joinedPaths([[a], b ? [b] : unknown]));
	if (a.kind === 'text' && operator === '%') return percentFormatted(a.text, b ? [b] : unknown);
	if (a.kind === 'text' && operator === '*' && b?.kind === 'number') return repeated(a.text, b.number);
	if (a.kind === 'number' && b?.kind === 'number') return calculated(operator, a.number, b.number);
	if (operator !== '+') return unknown;
	if (a.kind === 'text' || b?.kind === 'text') return concatenated([[a], b ? [b] : unknown]);
	return a.kind === 'list' && b?.kind === 'list' ? (listMethods.concat?.(a, [[b]]) ?? unknown) : unknown;
}

function calculated(operator: Operator, a: number, b: number): Values {
	const result = arithmetic[operator]?.(a, b);
	return result === undefined || !Number.isFinite(result) ? unknown : number(result);
}

const repeated = (self: string, times: number): Values =>
	text(self.length * times > longestRepeat ? self.slice(0, longestRepeat) + HOLE : self.repeat(Math.max(0, times)));

/** Python's `value[lower:upper:step]`. */
function slice(value: Value, operands: readonly Values[]): Values {
	const [lower, upper, step = 1] = [integer(operands[1]), integer(operands[2]), integer(operands[3])];
	if (value.kind === 'text') {
		spend(value.text.length);
		if (value.text.includes(HOLE)) return unknown;
		return text(sliceItems([...value.text], lower, upper, step).join(''));
	}
	return value.kind === 'list' ? [list(sliceItems(value.items, lower, upper, step), value.rest)] : unknown;
}

function sliceItems<T>(items: readonly T[], lower: number | undefined, upper: number | undefined, step: number): T[] {
	if (step === 0) return [];
	if (step > 0) return items.slice(lower, upper).filter((_, i) => i % step === 0);
	const from = lower === undefined ? items.length : lower < 0 ? items.length + lower + 1 : lower + 1;
	const to = upper === undefined ? 0 : upper < 0 ? items.length + upper + 1 : upper + 1;
	return items
		.slice(to, from)
		.reverse()
		.filter((_, i) => i % -step === 0);
}

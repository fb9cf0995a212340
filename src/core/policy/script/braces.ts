/** Expands the braces of a word: "{a,b}" is two words, "{1..3}" three. Pure. */
import { NotUnderstood } from './tree.ts';

const mostWords = 1000;

const tooMany = (): never => {
	throw new NotUnderstood('limit', `braces stand for more than ${mostWords} words`);
};

/** All ways of taking one alternative of each part, in the order of bash. */
export function combinations<T>(parts: readonly (readonly T[])[]): T[][] {
	return parts.reduce<T[][]>(
		(ways, alternatives) => {
			if (ways.length * alternatives.length > mostWords) tooMany();
			return ways.flatMap((way) => alternatives.map((one) => [...way, one]));
		},
		[[]],
	);
}

const rangePattern = /^(-?\d{1,9}|[a-zA-Z])\.\.(-?\d{1,9}|[a-zA-Z])(?:\.\.(-?\d{1,9}))?$/;

/** @returns undefined for what is no range */
export function rangeOf(inner: string): string[] | undefined {
	const [, from = '', to = '', by] = rangePattern.exec(inner) ?? [];
	if (from === '') return undefined;
	const isNumeric = /\d/.test(from);
	if (isNumeric !== /\d/.test(to)) return undefined;
	// Letters of both cases pass by signs, some of which mean something to the shell.
	if (!isNumeric && /[a-z]/.test(from) !== /[a-z]/.test(to))
		throw new NotUnderstood('dynamic', `{${inner}} mixes cases`);
	const [first, last] = isNumeric ? [Number(from), Number(to)] : [from.charCodeAt(0), to.charCodeAt(0)];
	const step = Math.abs(Number(by ?? 1)) || 1;
	const count = Math.floor(Math.abs(last - first) / step) + 1;
	if (count > mostWords) tooMany();
	const width = [from, to].some((end) => /^-?0\d/.test(end)) ? Math.max(from.length, to.length) : 0;
	return Array.from({ length: count }, (_, i) => first + (last < first ? -i : i) * step).map((value) =>
		isNumeric ? padded(value, width) : String.fromCharCode(value),
	);
}

function padded(value: number, width: number): string {
	const digits = String(Math.abs(value));
	return value < 0 ? `-${digits.padStart(width - 1, '0')}` : digits.padStart(width, '0');
}

/** Parts of "a,b{c,d},e" at the commas that belong to it; undefined when there is none. The text has no quotes. */
export function alternativesOf(inner: string): string[] | undefined {
	const pieces = [''];
	let depth = 0;
	for (const character of inner) {
		if (character === '{') depth++;
		if (character === '}') depth--;
		if (character === ',' && depth === 0) pieces.push('');
		else pieces[pieces.length - 1] += character;
	}
	return pieces.length === 1 ? undefined : pieces;
}

/** Translates the parser's lines and UTF-8 columns into offsets of the text. */
import type { Span } from './ir.ts';

interface Located {
	readonly lineno?: number;
	readonly col_offset?: number;
	readonly end_lineno?: number;
	readonly end_col_offset?: number;
}

export type SpanOf = (node: Located) => Span;

const utf8Length = (code: number): number => (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4);

/** For every column counted in UTF-8 bytes the index of the UTF-16 unit that stands there, or behind it. */
function unitsOf(line: string): number[] {
	const units = [0];
	let unit = 0;
	for (const character of line) {
		unit += character.length;
		for (let bytes = utf8Length(character.codePointAt(0) ?? 0); bytes > 0; bytes--) units.push(unit);
	}
	return units;
}

export function spansOf(text: string): SpanOf {
	const lines = text.split('\n');
	const starts = [0];
	for (const line of lines) starts.push((starts[starts.length - 1] as number) + line.length + 1);
	const units = lines.map((line) => (/[^\0-\x7F]/.test(line) ? unitsOf(line) : null));
	const offset = (line: number, column: number): number => {
		const index = Math.min(Math.max(line - 1, 0), lines.length - 1);
		const known = units[index];
		const unit = known ? (known[column] ?? (lines[index] as string).length) : column;
		return Math.min(text.length, (starts[index] as number) + unit);
	};
	return ({ lineno = 1, col_offset = 0, end_lineno = lineno, end_col_offset = col_offset }) => ({
		from: offset(lineno, col_offset),
		to: offset(end_lineno, end_col_offset),
	});
}

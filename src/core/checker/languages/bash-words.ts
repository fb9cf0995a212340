/** Lowers the words of a Bash script: quotes, expansions and braces. */
import {
	forEachChild,
	type ParameterOperation,
	type ParsedScript,
	parse,
	type SyntaxNode,
	type Word,
	type WordPart,
} from 'unbash';
import { spend } from '../values/work.ts';
import type { Mention, Node, ShellOperation, Span } from './ir.ts';

export interface BashLowering {
	readonly mentions: Mention[];
	readonly script: (script: ParsedScript) => Node[];
	/** Set while text is lowered that does not stand in the script as it is. */
	at: Span | null;
}

const mostBraces = 64;

const spanOf = (l: BashLowering, node: { pos: number; end: number }): Span => l.at ?? { from: node.pos, to: node.end };

/** Words with their braces expanded: `{rm,-rf}` is two words. */
export function lowerWords(l: BashLowering, words: readonly Word[]): Node[] {
	return words.flatMap((word) => {
		if (!word.parts?.some((part) => part.type === 'BraceExpansion')) return [lowerWord(l, word)];
		return braceWays(word.parts).map((way) => within(l, spanOf(l, word), () => lowerWord(l, wordFrom(way))));
	});
}

function within<T>(l: BashLowering, span: Span, lower: () => T): T {
	const outer = l.at;
	l.at = span;
	const result = lower();
	l.at = outer;
	return result;
}

const unitsOfParsing = 20;

function wordFrom(text: string): Word {
	spend(unitsOfParsing * text.length);
	const command = parse(`_ ${text}`).commands[0]?.command;
	const word = command?.type === 'Command' ? command.suffix[0] : undefined;
	return word?.type === 'Word' ? word : { type: 'Word', text, value: text, pos: 0, end: text.length };
}

function braceWays(parts: readonly WordPart[]): string[] {
	return parts.reduce<string[]>(
		(ways, part) => {
			const texts = part.type === 'BraceExpansion' ? alternatives(part.text).slice(0, mostBraces) : [part.text];
			return ways.flatMap((way) => texts.map((one) => way + one)).slice(0, mostBraces);
		},
		[''],
	);
}

/** The alternatives of `{a,b{c,d},e}` or `{1..3}`. */
function alternatives(text: string): string[] {
	const inner = text.slice(1, -1);
	const range = /^(-?\d+|[a-z])\.\.(-?\d+|[a-z])$/i.exec(inner);
	if (range) return rangeOf(range[1] as string, range[2] as string);
	const pieces = [''];
	let depth = 0;
	for (const character of inner) {
		if (character === '{') depth++;
		if (character === '}') depth--;
		if (character === ',' && depth === 0) pieces.push('');
		else pieces[pieces.length - 1] += character;
	}
	return pieces.flatMap((piece) => (hasBraces(piece) ? nested(piece) : [piece]));
}

function hasBraces(piece: string): boolean {
	const comma = piece.indexOf(',', piece.indexOf('{'));
	return piece.includes('{') && comma >= 0 && piece.includes('}', comma);
}

const nested = (piece: string): string[] =>
	braceWays(wordFrom(piece).parts ?? [{ type: 'Literal', value: piece, text: piece, pos: 0, end: 0 }]);

function rangeOf(from: string, to: string): string[] {
	const isNumeric = /\d/.test(from);
	const [first, last] = isNumeric ? [Number(from), Number(to)] : [from.charCodeAt(0), to.charCodeAt(0)];
	const length = Math.min(mostBraces, Math.abs(last - first) + 1);
	const step = last < first ? -1 : 1;
	return Array.from({ length }, (_, i) => first + i * step).map((n) =>
		isNumeric ? String(n) : String.fromCharCode(n),
	);
}

/** `quoted`: the result stays one word whatever it holds. */
export function lowerWord(l: BashLowering, word: Word, quoted = false): Node {
	const span = spanOf(l, word);
	if (!word.parts) return { kind: 'const', value: word.value, ...span };
	return concat(
		span,
		word.parts.map((part) => lowerPart(l, part, quoted)),
	);
}

function concat(span: Span, operands: readonly Node[]): Node {
	return operands.length === 1 ? (operands[0] as Node) : { kind: 'fold', operator: 'concat', operands, ...span };
}

function lowerPart(l: BashLowering, part: WordPart, quoted: boolean): Node {
	const span = spanOf(l, part);
	switch (part.type) {
		case 'Literal':
		case 'SingleQuoted':
		case 'AnsiCQuoted':
		case 'Glob':
			return { kind: 'const', value: part.value, ...span };
		case 'DoubleQuoted':
		case 'LocaleString':
			return {
				kind: 'fold',
				operator: 'concat',
				operands: part.parts.map((inner) => lowerPart(l, inner, true)),
				...span,
			};
		case 'SimpleExpansion':
			return { kind: 'variable', name: part.text.slice(1), quoted, operation: null, ...span };
		case 'ParameterExpansion':
			return lowerParameter(l, part, quoted);
		case 'CommandExpansion':
		case 'ProcessSubstitution':
			return {
				kind: 'output',
				body: part.script ? scriptOf(l, part.script, span) : [],
				quoted,
				file: part.type === 'ProcessSubstitution',
				...span,
			};
		case 'ArithmeticExpansion':
			return lowerArithmetic(l, part, span);
		case 'ExtendedGlob':
		case 'BraceExpansion':
			return { kind: 'const', value: part.text, ...span };
	}
}

/** Positions inside escaped backticks count in a text of their own. */
const scriptOf = (l: BashLowering, script: ParsedScript, span: Span): Node[] =>
	script.source === undefined ? l.script(script) : within(l, span, () => l.script(script));

function lowerParameter(
	l: BashLowering,
	part: Extract<WordPart, { type: 'ParameterExpansion' }>,
	quoted: boolean,
): Node {
	const span = spanOf(l, part);
	const operation = part.operation ? operationOf(l, part.operation) : null;
	const index = part.index ? { operator: '[]', operands: [lowerWord(l, part.index)] } : null;
	const prefix = part.prefix === undefined ? null : { operator: part.prefix, operands: [] };
	return { kind: 'variable', name: part.parameter, quoted, operation: prefix ?? operation ?? index, ...span };
}

function operationOf(l: BashLowering, operation: ParameterOperation): ShellOperation {
	const words: (Word | undefined)[] = [];
	if ('operand' in operation) words.push(operation.operand);
	if (operation.type === 'Replace') words.push(operation.pattern, operation.replacement);
	if (operation.type === 'Slice') words.push(operation.offset, operation.length);
	const operands = words.flatMap((word) => (word ? [lowerWord(l, word, true)] : []));
	return { operator: operation.operator, operands };
}

/** A plain number is known; otherwise only the commands inside matter. */
function lowerArithmetic(l: BashLowering, part: Extract<WordPart, { type: 'ArithmeticExpansion' }>, span: Span): Node {
	const number = /^\$\(\(\s*(\d+)\s*\)\)$/.exec(part.text)?.[1] ?? null;
	return { kind: 'sequence', nodes: [...embedded(l, part), { kind: 'const', value: number, ...span }], ...span };
}

/** Commands inside tests and arithmetic: `[[ $(x) ]]`, `$(( $(x) ))`. */
export function embedded(l: BashLowering, root: SyntaxNode): Node[] {
	const found: Node[] = [];
	const visit = (node: SyntaxNode): void => {
		if (node.type === 'CompoundList') return;
		if (node.type === 'Word') found.push(lowerWord(l, node));
		else if (node.type === 'ArithmeticCommandExpansion' && node.script) found.push(...l.script(node.script));
		else forEachChild(node, visit);
	};
	forEachChild(root, visit);
	return found;
}

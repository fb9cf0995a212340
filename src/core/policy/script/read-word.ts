/** Reads the words of a script into pieces; what is only known when it runs is refused, or kept by name where the policy allows it. Pure. */
import type { ArithmeticExpression, DoubleQuotedChild, Word as ShellWord, WordPart } from 'unbash';
import { parse } from '../../checker/languages/parse.ts';
import type { SyntaxKind } from '../schema.ts';
import { alternativesOf, combinations, rangeOf } from './braces.ts';
import { type List, NotUnderstood, type Piece, type Word } from './tree.ts';

export interface WordReading {
	allows(kind: SyntaxKind): boolean;
	/** Reads the commands of a substitution. */
	readScript(script: Extract<WordPart, { type: 'CommandExpansion' }>['script']): List;
}

const refuse = (what: string): never => {
	throw new NotUnderstood('dynamic', `${what} is only known when it runs`);
};

/** One word of the text; several where it has braces. */
export function readWords(reading: WordReading, word: ShellWord): Word[] {
	const { parts } = word;
	if (!parts?.some(({ type }) => type === 'BraceExpansion')) return [readWord(reading, word)];
	const ways = combinations(
		parts.map((part) => (part.type === 'BraceExpansion' ? braceWords(reading, part.text) : [readPart(reading, part)])),
	);
	// An alternative without anything in it is no word.
	return ways.map((way) => ({ pieces: joined(way.flat()) })).filter(({ pieces }) => pieces.length > 0);
}

/** The alternatives of "{…}", each as pieces. Quotes and expansions inside would have to be read again, so they are refused. */
function braceWords(reading: WordReading, text: string): Piece[][] {
	const inner = text.slice(1, -1);
	if (/["'`$\\]/.test(inner)) return refuse('a quoted or variable word in braces');
	const range = rangeOf(inner);
	if (range) return range.map((one) => [{ kind: 'text', text: one }]);
	const alternatives = alternativesOf(inner) ?? refuse('a word in braces');
	return alternatives.flatMap((one) =>
		one === '' ? [[]] : readWords(reading, parsedWord(one)).map(({ pieces }) => [...pieces]),
	);
}

function parsedWord(text: string): ShellWord {
	const { parsed } = parse('bash', `: ${text}`);
	const commands = parsed?.language === 'bash' ? parsed.tree.commands : [];
	const command = commands[0]?.command;
	const word = command?.type === 'Command' && command.suffix.length === 1 ? command.suffix[0] : undefined;
	if (commands.length !== 1 || word?.type !== 'Word') return refuse('a word in braces');
	return word;
}

export function readWord(reading: WordReading, word: ShellWord): Word {
	if (word.text.startsWith('~')) return readHome(reading, word);
	const pieces = word.parts
		? word.parts.flatMap((part) => readPart(reading, part))
		: [{ kind: 'text' as const, text: word.value }];
	return { pieces: joined(pieces) };
}

/** "~" and "~/x" are the home folder; "~name", "~+" and "~-" are others' or move. */
function readHome(reading: WordReading, word: ShellWord): Word {
	if (!/^~(\/|$)/.test(word.text)) return refuse(`"${word.text.slice(0, 40)}"`);
	const [first, ...others] = word.parts ?? [
		{ type: 'Literal' as const, value: word.value, text: word.text, pos: 0, end: 0 },
	];
	if (first?.type !== 'Literal') return refuse(`"${word.text.slice(0, 40)}"`);
	const rest = others.flatMap((part) => readPart(reading, part));
	return { pieces: joined([{ kind: 'home' }, { kind: 'text', text: first.value.slice(1) }, ...rest]) };
}

function readPart(reading: WordReading, part: WordPart): Piece[] {
	switch (part.type) {
		case 'Literal':
		case 'SingleQuoted':
		case 'AnsiCQuoted':
			return [{ kind: 'text', text: part.value }];
		case 'DoubleQuoted':
		case 'LocaleString':
			return part.parts.flatMap((inner) => readExpansion(reading, inner, true));
		case 'Glob':
			return [readGlob(reading, part)];
		case 'SimpleExpansion':
		case 'ParameterExpansion':
		case 'CommandExpansion':
		case 'ArithmeticExpansion':
			return readExpansion(reading, part, false);
		case 'ProcessSubstitution':
			return refuse('a process substitution');
		case 'ExtendedGlob':
			return refuse('an extended wildcard');
		case 'BraceExpansion':
			return refuse('a word in braces');
	}
}

function readGlob(reading: WordReading, part: Extract<WordPart, { type: 'Glob' }>): Piece {
	if (!reading.allows('wildcards')) throw new NotUnderstood('dynamic', 'wildcards are not allowed');
	// Quotes, classes and expansions inside brackets would have to be read again.
	if (part.kind === 'bracket' && !/^\[[!^]?[A-Za-z0-9_., -]+\]$/.test(part.text)) return refuse('a wildcard like this');
	return { kind: 'glob', text: part.text };
}

function readExpansion(reading: WordReading, part: DoubleQuotedChild, isQuoted: boolean): Piece[] {
	switch (part.type) {
		case 'Literal':
			return [{ kind: 'text', text: part.value }];
		case 'SimpleExpansion':
			return [readVariable(reading, part.text.slice(1), isQuoted)];
		case 'ParameterExpansion':
			if (part.operation || part.index || part.prefix) return refuse(`"${part.text.slice(0, 40)}"`);
			return [readVariable(reading, part.parameter, isQuoted)];
		case 'CommandExpansion':
			if (!reading.allows('substitutions')) return refuse('the output of a command inside a word');
			return [{ kind: 'output', body: reading.readScript(part.script), isQuoted }];
		case 'ArithmeticExpansion':
			return [readArithmetic(part)];
	}
}

function readVariable(reading: WordReading, name: string, isQuoted: boolean): Piece {
	if (!reading.allows('variables')) throw new NotUnderstood('dynamic', 'variables are not allowed');
	if (name === '?' || name === '$' || name === '#') return { kind: 'status', name };
	if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return refuse(`"$${name.slice(0, 40)}"`);
	return { kind: 'variable', name, isQuoted };
}

/** Numbers only: a name in arithmetic is evaluated, and its value may hold a command. */
function readArithmetic(part: Extract<WordPart, { type: 'ArithmeticExpansion' }>): Piece {
	if (!part.text.startsWith('$((') || !part.expression) return refuse('arithmetic');
	return { kind: 'arithmetic', text: arithmeticText(part.expression) };
}

const unaryOperators = ['+', '-', '!', '~'];
const binaryOperators = '+ - * / % ** << >> < > <= >= == != & | ^ && ||'.split(' ');

function arithmeticText(node: ArithmeticExpression): string {
	switch (node.type) {
		case 'ArithmeticWord':
			return /^(0x[0-9a-fA-F]{1,16}|\d{1,19})$/.test(node.value) ? node.value : refuse('arithmetic with names');
		case 'ArithmeticGroup':
			return arithmeticText(node.expression);
		case 'ArithmeticUnary':
			if (!node.prefix || !unaryOperators.includes(node.operator)) return refuse('arithmetic that changes a name');
			return `( ${node.operator} ${arithmeticText(node.operand)} )`;
		case 'ArithmeticBinary':
			if (!binaryOperators.includes(node.operator)) return refuse('arithmetic that changes a name');
			return `( ${arithmeticText(node.left)} ${node.operator} ${arithmeticText(node.right)} )`;
		case 'ArithmeticTernary':
			return `( ${arithmeticText(node.test)} ? ${arithmeticText(node.consequent)} : ${arithmeticText(node.alternate)} )`;
		case 'ArithmeticCommandExpansion':
			return refuse('arithmetic with commands');
	}
}

/** Neighbouring texts become one, empty ones go. */
function joined(pieces: readonly Piece[]): Piece[] {
	const result: Piece[] = [];
	for (const piece of pieces) {
		const last = result.at(-1);
		if (piece.kind === 'text' && piece.text === '') continue;
		if (piece.kind === 'text' && last?.kind === 'text')
			result[result.length - 1] = { kind: 'text', text: last.text + piece.text };
		else result.push(piece);
	}
	return result;
}

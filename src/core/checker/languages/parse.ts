/** Turns text into the trees of the three parsers, after closing the gaps between them and the real interpreters. */
import { tsPlugin } from '@sveltejs/acorn-typescript';
import { type Program as JavaScriptTree, type Options, Parser } from 'acorn';
import { type Module as PythonTree, parse as parsePythonText } from 'py-ast';
import { type ParsedScript as BashTree, forEachChild, parse as parseBashText, type SyntaxNode } from 'unbash';
import type { Dialect, Language } from '../../../contract/language.ts';

export { forEachChild };

export interface SyntaxProblem {
	readonly message: string;
	readonly offset: number;
	/** The parser ran out of stack, which says nothing about the grammar. */
	readonly isDepth: boolean;
}

export type Parsed =
	| { readonly language: 'python'; readonly tree: PythonTree; readonly text: string }
	| { readonly language: 'javascript'; readonly tree: JavaScriptTree; readonly text: string; readonly dialect: Dialect }
	| { readonly language: 'bash'; readonly tree: BashTree; readonly text: string };

export type ParseOutcome =
	| { readonly parsed: Parsed; readonly problem: null }
	| { readonly parsed: null; readonly problem: SyntaxProblem; readonly text: string };

/** The text as the interpreter will read it. Line numbers stay as they were sent. */
export function normalise(language: Language, text: string): string {
	const plain = text.replace(/^\uFEFF/, '');
	if (language === 'bash') return plain.replaceAll('\r\n', '\n');
	const lines = plain.replaceAll(/\r\n?/g, '\n');
	return language === 'python' ? lines.replaceAll('\f', ' ') : lines;
}

export function parse(language: Language, code: string): ParseOutcome {
	const text = normalise(language, code);
	try {
		return { parsed: parsers[language](text), problem: null };
	} catch (error) {
		return { parsed: null, problem: problemOf(error, text), text };
	}
}

const parsers: Record<Language, (text: string) => Parsed> = {
	python: parsePython,
	javascript: parseJavaScript,
	bash: parseBash,
};

const hasAstral = /[\u{10000}-\u{10FFFF}]/u;

/** Formats inside formats are read again for each one around them; Python itself refuses this many braces inside each other. */
const mostBraces = /(?:\{[^{}]*){200}/;

/** Python reads names in their NFKC form; the parser knows no letters beyond the basic plane. */
function parsePython(text: string): Parsed {
	if (mostBraces.test(text)) throw new RangeError('too many braces inside each other');
	try {
		return { language: 'python', tree: parsePythonText(text), text };
	} catch (error) {
		const folded = text.normalize('NFKC');
		if (!hasAstral.test(text) || folded === text) throw error;
		return { language: 'python', tree: parsePythonText(folded), text: folded };
	}
}

const common: Options = {
	ecmaVersion: 'latest',
	allowHashBang: true,
	allowReturnOutsideFunction: true,
	allowAwaitOutsideFunction: true,
};

/**
 * The plugin for TypeScript tries several readings of what may be a type, each of which may try several again: `a<b<c>(d<` a few times
 * is never read to its end. So many signs are read for one character of the text, and no more.
 */
const mostReadings = 6;

function patient(Base: typeof Parser): typeof Parser {
	// The types of the parser do not tell of this member.
	const { nextToken } = Base.prototype as unknown as { nextToken: (this: Parser) => void };
	return class extends Base {
		#read = 0;

		nextToken(): void {
			if (++this.#read > mostReadings * (this.input.length + 100)) throw new RangeError('too many ways to read it');
			nextToken.call(this);
		}
	};
}

const TypeScriptParser = Parser.extend(tsPlugin(), patient);

const javaScriptAttempts: readonly { dialect: Dialect; parse: (text: string) => JavaScriptTree }[] = [
	{ dialect: 'javascript', parse: (text) => Parser.parse(text, { ...common, sourceType: 'module' }) },
	{ dialect: 'javascript', parse: (text) => Parser.parse(text, { ...common, sourceType: 'script' }) },
	{
		dialect: 'typescript',
		parse: (text) => TypeScriptParser.parse(text, { ...common, sourceType: 'module', locations: true }),
	},
];

/** The error that is told is the one of the attempt that came furthest. */
function parseJavaScript(text: string): Parsed {
	let furthest: unknown;
	for (const attempt of javaScriptAttempts) {
		try {
			return { language: 'javascript', tree: attempt.parse(text), text, dialect: attempt.dialect };
		} catch (error) {
			if (error instanceof RangeError) throw error;
			if (furthest === undefined || offsetOf(error) > offsetOf(furthest)) furthest = error;
		}
	}
	throw furthest;
}

const offsetOf = (error: unknown): number => Number((error as { pos?: number }).pos ?? 0);

class BashSyntaxError extends Error {
	readonly pos: number;
	constructor(message: string, pos: number) {
		super(message);
		this.pos = pos;
	}
}

function parseBash(text: string): Parsed {
	const tree = parseBashText(text);
	const error = tree.errors?.[0] ?? nestedError(tree);
	if (error) throw new BashSyntaxError(error.message, error.pos);
	return { language: 'bash', tree, text };
}

/** A script inside a substitution keeps its errors to itself. */
function nestedError(root: BashTree): { message: string; pos: number } | undefined {
	const pending: SyntaxNode[] = [root];
	for (let node = pending.pop(); node; node = pending.pop()) {
		if (node.type === 'Script' && 'errors' in node && node.errors?.[0]) return node.errors[0];
		forEachChild(node, (child) => {
			pending.push(child);
		});
	}
	return undefined;
}

interface PositionedError {
	readonly message?: string;
	readonly pos?: number;
	readonly lineno?: number;
	readonly col_offset?: number;
}

function problemOf(error: unknown, text: string): SyntaxProblem {
	if (error instanceof RangeError) return { message: 'the code is nested too deeply', offset: 0, isDepth: true };
	const { message = String(error), pos, lineno, col_offset: column } = error as PositionedError;
	const plain = message.replace(/ at line \d+, column \d+$/, '').replace(/ \(\d+:\d+\)$/, '');
	const isDepth = /stack space|nesting depth/.test(plain);
	if (pos !== undefined) return { message: plain, offset: pos, isDepth };
	const written = / at line (\d+), column (\d+)$/.exec(message);
	const line = lineno ?? Number(written?.[1] ?? 1);
	return { message: plain, offset: offsetAt(text, line, column ?? Number(written?.[2] ?? 0)), isDepth: false };
}

function offsetAt(text: string, line: number, column: number): number {
	let start = 0;
	for (let n = 1; n < line; n++) {
		const next = text.indexOf('\n', start);
		if (next < 0) break;
		start = next + 1;
	}
	return Math.min(text.length, start + column);
}

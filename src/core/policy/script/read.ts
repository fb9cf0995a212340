/** Reads a script into the policy's own tree. What it does not understand to the last word it refuses. Pure. */
import type {
	CompoundList,
	ParsedScript,
	Redirection,
	Assignment as ShellAssignment,
	Command as ShellCommand,
	CommandNode as ShellNode,
	PipelineNode as ShellPipeline,
	Word as ShellWord,
	Statement,
} from 'unbash';
import type { PolicyShape, SyntaxKind } from '../schema.ts';
import { parseScript } from './measure.ts';
import { readCondition } from './read-condition.ts';
import { readWord, readWords, type WordReading } from './read-word.ts';
import {
	type Assignment,
	type Case,
	type For,
	type Group,
	type If,
	type List,
	type ListItem,
	type Node,
	NotUnderstood,
	type Pipeline,
	type Redirect,
	type Simple,
	type While,
	wordOf,
} from './tree.ts';

interface Reading extends WordReading {
	need(kind: SyntaxKind): void;
}

/** @throws NotUnderstood */
export function readScript(text: string, limits: PolicyShape['scripts']): List {
	const allows = (kind: SyntaxKind): boolean => limits.syntax.includes(kind);
	const reading: Reading = {
		allows,
		need(kind) {
			if (!allows(kind)) throw new NotUnderstood('dynamic', `${kind} are not allowed in scripts here`);
		},
		readScript: (script) => readTree(reading, script),
	};
	return readTree(reading, parseScript(text, limits));
}

function readTree(reading: Reading, tree: ParsedScript | undefined): List {
	const [error] = tree?.errors ?? [];
	if (!tree || error) throw new NotUnderstood('syntax', error?.message ?? 'a command is missing');
	return readStatements(reading, tree.commands);
}

const readList = (reading: Reading, { commands }: CompoundList): List => readStatements(reading, commands);

function readStatements(reading: Reading, statements: readonly Statement[]): List {
	return { kind: 'list', items: statements.flatMap((statement) => readStatement(reading, statement)) };
}

function readStatement(reading: Reading, { command, background }: Statement): ListItem[] {
	if (background === true) reading.need('background');
	const end = background === true ? '&' : ';';
	if (command.type !== 'AndOr') return [{ node: readPipeline(reading, command), operator: end }];
	const items = command.commands.map(
		(node, i): ListItem => ({ node: readPipeline(reading, node), operator: command.operators[i] ?? ';' }),
	);
	// "a && b &" runs the whole line in the background.
	return background === true ? [{ node: { kind: 'list', items }, operator: '&' }] : items;
}

function readPipeline(reading: Reading, node: ShellPipeline): Node {
	if (node.type !== 'Pipeline') return readNode(reading, node);
	if (node.commands.length > 1) reading.need('pipelines');
	const stages = node.commands.map((stage, i) => {
		const read = readNode(reading, stage);
		return node.operators[i] === '|&' ? withStderr(read) : read;
	});
	const times = node.prefixes.filter(({ type }) => type === 'Time').length;
	const negations = node.prefixes.length - times;
	const pipeline: Pipeline = { kind: 'pipeline', isNegated: negations % 2 === 1, isTimed: times > 0, stages };
	return pipeline;
}

const withStderr = (node: Node): Node => ({
	kind: 'redirected',
	node,
	redirects: [{ kind: 'duplicate', descriptor: 2, from: 1, isInput: false }],
});

function readNode(reading: Reading, node: ShellNode): Node {
	switch (node.type) {
		case 'Command':
			return readSimple(reading, node);
		case 'Redirected':
			return {
				kind: 'redirected',
				node: readNode(reading, node.command),
				redirects: readRedirects(reading, node.redirects),
			};
		case 'If':
			return readIf(reading, node);
		case 'For':
			return readFor(reading, node);
		case 'While':
			return readWhile(reading, node);
		case 'Case':
			return readCase(reading, node);
		case 'Subshell':
			reading.need('subshells');
			return readGroup(reading, 'subshell', node.body);
		case 'BraceGroup':
			return readGroup(reading, 'braces', node.body);
		case 'TestCommand':
			reading.need('conditions');
			return { kind: 'test', condition: readCondition(reading, node.expression) };
		case 'Function':
			throw new NotUnderstood('dynamic', 'a function gives a name another meaning');
		case 'Coproc':
		case 'Select':
		case 'ArithmeticFor':
		case 'ArithmeticCommand':
			throw new NotUnderstood('dynamic', `${names[node.type]} is only known when it runs`);
	}
}

const names = {
	Coproc: 'a coprocess',
	Select: 'a menu',
	ArithmeticFor: 'a loop over arithmetic',
	ArithmeticCommand: 'arithmetic with names',
} as const;

const readGroup = (reading: Reading, kind: Group['kind'], body: CompoundList): Group => ({
	kind,
	body: nonEmpty(readList(reading, body)),
});

function nonEmpty(list: List): List {
	if (list.items.length === 0) throw new NotUnderstood('syntax', 'a command is missing');
	return list;
}

function readIf(reading: Reading, node: Extract<ShellNode, { type: 'If' }>): If {
	reading.need('conditions');
	const branches = [node, ...node.elif].map((branch) => ({
		test: nonEmpty(readList(reading, branch.clause)),
		body: nonEmpty(readList(reading, branch.then)),
	}));
	return { kind: 'if', branches, otherwise: node.else ? nonEmpty(readList(reading, node.else)) : null };
}

function readFor(reading: Reading, node: Extract<ShellNode, { type: 'For' }>): For {
	reading.need('loops');
	reading.need('variables');
	if (!node.wordlist) throw new NotUnderstood('dynamic', 'a loop over the arguments of the script');
	const words = node.wordlist.flatMap((word) => readWords(reading, word));
	return { kind: 'for', name: readName(node.name.value), words, body: nonEmpty(readList(reading, node.body)) };
}

function readWhile(reading: Reading, node: Extract<ShellNode, { type: 'While' }>): While {
	reading.need('loops');
	const test = nonEmpty(readList(reading, node.clause));
	return { kind: node.kind, test, body: nonEmpty(readList(reading, node.body)) };
}

function readCase(reading: Reading, node: Extract<ShellNode, { type: 'Case' }>): Case {
	reading.need('conditions');
	const items = node.items.map(({ pattern, body, terminator }) => ({
		patterns: pattern.map((word) => readWord(reading, word)),
		body: readList(reading, body),
		end: terminator ?? ';;',
	}));
	return { kind: 'case', word: readWord(reading, node.word), items };
}

function readName(name: string): string {
	if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
		throw new NotUnderstood('dynamic', `"${name.slice(0, 40)}" is no plain name`);
	return name;
}

function readSimple(reading: Reading, node: ShellCommand): Simple {
	const assignments = node.prefix.flatMap((one) => (one.type === 'Assignment' ? [readAssignment(reading, one)] : []));
	if (assignments.length > 0) reading.need('variables');
	const given = [...(node.name ? [node.name] : []), ...node.args];
	const words = given.flatMap((word) =>
		word.type === 'Assignment' ? [asWord(reading, word)] : readWords(reading, word),
	);
	return { kind: 'simple', assignments, words, redirects: readRedirects(reading, node.redirects) };
}

function readAssignment(reading: Reading, node: ShellAssignment): Assignment {
	if (node.index || node.value.type === 'ArrayValue') throw new NotUnderstood('dynamic', 'an array');
	return { name: readName(node.name), value: readWord(reading, node.value), isAppended: node.append === true };
}

/** "export A=1": the assignment is a word of the command. */
function asWord(reading: Reading, node: ShellAssignment) {
	const { name, value, isAppended } = readAssignment(reading, node);
	return { pieces: [...wordOf(`${name}${isAppended ? '+=' : '='}`).pieces, ...value.pieces] };
}

const readRedirects = (reading: Reading, nodes: readonly Redirection[]): Redirect[] =>
	nodes.map((node) => readRedirect(reading, node));

function descriptorOf(node: Redirection, fallback: number): number {
	const { descriptor } = node;
	if (!descriptor) return fallback;
	if (descriptor.type !== 'FileDescriptor' || descriptor.value > 9)
		throw new NotUnderstood('dynamic', 'a descriptor that is not a digit');
	return descriptor.value;
}

function readRedirect(reading: Reading, node: Redirection): Redirect {
	reading.need('redirections');
	if (node.type === 'HereDoc') return { kind: 'text', descriptor: descriptorOf(node, 0), text: wordOf(hereText(node)) };
	if (!node.target) throw new NotUnderstood('syntax', 'a file is missing');
	const word = readOne(reading, node.target);
	if (node.type === 'HereString')
		return {
			kind: 'text',
			descriptor: descriptorOf(node, 0),
			text: { pieces: [...word.pieces, { kind: 'text', text: '\n' }] },
		};
	const descriptor = (fallback: number) => descriptorOf(node, fallback);
	switch (node.operator) {
		case '<':
			return { kind: 'read', descriptor: descriptor(0), file: word };
		case '>':
		case '>|':
		case '<>':
			return { kind: 'write', descriptor: descriptor(node.operator === '<>' ? 0 : 1), file: word };
		case '>>':
			return { kind: 'append', descriptor: descriptor(1), file: word };
		case '&>':
			return { kind: 'both', descriptor: 1, file: word };
		case '&>>':
			return { kind: 'both-append', descriptor: 1, file: word };
		case '<&':
			return readDuplicate(node.target, descriptor(0), true) ?? refuseDescriptor();
		case '>&':
			return readDuplicate(node.target, descriptor(1), false) ?? bothInto(node, word);
	}
}

const refuseDescriptor = (): never => {
	throw new NotUnderstood('dynamic', 'a descriptor that is not a digit');
};

function bothInto(node: Redirection, file: Simple['words'][number]): Redirect {
	if (node.descriptor) return refuseDescriptor();
	return { kind: 'both', descriptor: 1, file };
}

function readDuplicate(target: ShellWord, descriptor: number, isInput: boolean): Redirect | undefined {
	if (target.text === '-') return { kind: 'duplicate', descriptor, from: 'close', isInput };
	return /^[0-9]$/.test(target.text)
		? { kind: 'duplicate', descriptor, from: Number(target.text), isInput }
		: undefined;
}

function readOne(reading: Reading, word: ShellWord) {
	const [only, ...others] = readWords(reading, word);
	if (!only || others.length > 0) throw new NotUnderstood('dynamic', 'a file with several names');
	return only;
}

/** The text of a here-document in which nothing is expanded. */
function hereText(node: Extract<Redirection, { type: 'HereDoc' }>): string {
	if (!node.closing) throw new NotUnderstood('syntax', 'the end of a here-document is missing');
	const { body, delimiter, operator } = node;
	const isPlain = body.parts?.every(({ type }) => type === 'Literal') ?? true;
	if (delimiter?.quoted !== true && (!isPlain || /[\\$`]/.test(body.text)))
		throw new NotUnderstood('dynamic', 'a here-document with expansions');
	return operator === '<<-' ? body.text.replaceAll(/^\t+/gm, '') : body.text;
}

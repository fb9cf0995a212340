/** Lowers the commands of a Bash script. Functions and aliases live beside the variables under names of their own. */
import type {
	Assignment,
	Command,
	CompoundList,
	ParsedScript,
	Redirection,
	CommandNode as ShellCommand,
	Statement,
	Word,
} from 'unbash';
import { isEndlessBackground, isForkBomb } from './bash-shapes.ts';
import { type BashLowering, embedded, lowerWord, lowerWords } from './bash-words.ts';
import type { BindNode, Node, Parameter, Program, ShellRedirect, Span } from './ir.ts';

export function lowerBash(tree: ParsedScript): Program {
	const lowering: BashLowering = {
		mentions: [],
		script: (script) => lowerStatements(lowering, script.commands),
		at: null,
	};
	return { body: lowerStatements(lowering, tree.commands), locals: new Set(), mentions: lowering.mentions };
}

/** The name under which a function is kept. */
const functionName = (name: string): string => `()${name}`;

type Body = ShellCommand | Statement['command'] | CompoundList;

const spanOf = (l: BashLowering, node: { pos: number; end: number }): Span => l.at ?? { from: node.pos, to: node.end };
const sequence = (span: Span, nodes: readonly Node[]): Node => ({
	kind: 'sequence',
	nodes,
	from: span.from,
	to: span.to,
});

function lowerStatements(l: BashLowering, statements: readonly Statement[]): Node[] {
	return statements.map((statement) => lowerBody(l, statement.command, statement.background === true));
}

const lowerList = (l: BashLowering, list: CompoundList | undefined): Node[] =>
	list ? lowerStatements(l, list.commands) : [];

function lowerBody(l: BashLowering, node: Body, background = false): Node {
	const span = spanOf(l, node);
	switch (node.type) {
		case 'Command':
			return lowerCommand(l, node, background);
		case 'Pipeline': {
			const stages = node.commands.map((stage) => lowerBody(l, stage));
			return stages.length === 1 ? (stages[0] as Node) : { kind: 'pipeline', stages, background, ...span };
		}
		case 'AndOr':
			return lowerAndOr(l, node, span);
		case 'Redirected':
			return { kind: 'group', body: [lowerBody(l, node.command)], ...redirections(l, node.redirects), ...span };
		case 'Function':
			return lowerFunction(l, node, span);
		case 'Coproc':
			return lowerBody(l, node.body as Body, true);
		case 'CompoundList':
			return sequence(span, lowerList(l, node));
		default:
			return lowerCompound(l, node, span);
	}
}

/** What follows `&&` or `||` may not happen. */
function lowerAndOr(l: BashLowering, node: Extract<Body, { type: 'AndOr' }>, span: Span): Node {
	const [first, ...others] = node.commands.map((command) => lowerBody(l, command));
	return sequence(span, [
		first as Node,
		...others.map((other): Node => ({ kind: 'branch', arms: [[other], []], ...span })),
	]);
}

type Compound = Exclude<
	Body,
	{ type: 'Command' | 'Pipeline' | 'AndOr' | 'Redirected' | 'Function' | 'Coproc' | 'CompoundList' }
>;

function lowerCompound(l: BashLowering, node: Compound, span: Span): Node {
	switch (node.type) {
		case 'If': {
			const [clause, then] = [lowerList(l, node.clause), lowerList(l, node.then)];
			const elifs = node.elif.map((elif) => [...lowerList(l, elif.clause), ...lowerList(l, elif.then)]);
			return sequence(span, [...clause, { kind: 'branch', arms: [then, ...elifs, lowerList(l, node.else)], ...span }]);
		}
		case 'For':
		case 'Select':
			return lowerFor(l, node, span);
		case 'While':
			if (isEndlessBackground(node)) l.mentions.push({ shape: 'endless-background', ...span });
			return {
				kind: 'loop',
				body: [...lowerList(l, node.clause), ...lowerList(l, node.body)],
				...span,
			};
		case 'ArithmeticFor':
			return { kind: 'loop', body: [...embedded(l, node), ...lowerList(l, node.body)], ...span };
		case 'Case': {
			const arms = node.items.map((item) => [
				...item.pattern.map((word) => lowerWord(l, word)),
				...lowerList(l, item.body),
			]);
			return sequence(span, [lowerWord(l, node.word), { kind: 'branch', arms: [...arms, []], ...span }]);
		}
		case 'Subshell':
		case 'BraceGroup':
			return { kind: 'group', body: lowerList(l, node.body), redirects: [], input: null, ...span };
		case 'TestCommand':
		case 'ArithmeticCommand':
			return { kind: 'inert', nodes: embedded(l, node), ...span };
	}
}

function lowerFor(l: BashLowering, node: Extract<Compound, { type: 'For' | 'Select' }>, span: Span): Node {
	const items: Node[] = node.wordlist
		? lowerWords(l, node.wordlist)
		: [{ kind: 'variable', name: '@', quoted: false, operation: null, ...span }];
	const target: Node = { kind: 'name', name: node.name.value, ...spanOf(l, node.name) };
	const element: Node = { kind: 'element', of: { kind: 'list', items, ...span }, ...span };
	const body: Node[] = [
		{ kind: 'bind', target, value: element, by: 'assignment', ...span },
		...lowerList(l, node.body),
	];
	return { kind: 'loop', body, ...span };
}

const positional = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

function lowerFunction(l: BashLowering, node: Extract<Body, { type: 'Function' }>, span: Span): Node {
	const name = node.name.value;
	if (isForkBomb(name, node)) l.mentions.push({ shape: 'fork-bomb', ...span });
	const target = (parameter: string): Node => ({ kind: 'name', name: parameter, ...span });
	const params: Parameter[] = [
		...positional.map((one): Parameter => ({ target: target(one), fallback: null, takes: 'one' })),
		{ target: target('@'), fallback: null, takes: 'all' },
	];
	const body = [lowerBody(l, node.body)];
	const made: Node = {
		kind: 'function',
		name,
		params,
		body,
		locals: new Set([...positional, '@']),
		ownThis: false,
		...span,
	};
	return {
		kind: 'bind',
		target: { kind: 'name', name: functionName(name), ...span },
		value: made,
		by: 'definition',
		...span,
	};
}

/** Assignment arguments of `export`, `alias` and the like are words as well. */
function lowerCommand(l: BashLowering, node: Command, background: boolean): Node {
	const assignments = node.prefix.filter((one) => one.type === 'Assignment').map((one) => lowerAssignment(l, one));
	const declares = node.name && /^(declare|local|export|readonly|typeset)$/.test(node.name.value);
	const declared = node.args.flatMap((arg) => (arg.type === 'Assignment' && declares ? [lowerAssignment(l, arg)] : []));
	const words = [
		...(node.name ? lowerWords(l, [node.name]) : []),
		...node.args.flatMap((arg) => (arg.type === 'Assignment' ? [assignmentWord(l, arg)] : lowerWords(l, [arg]))),
	];
	const span = spanOf(l, node);
	const command: Node = {
		kind: 'command',
		words,
		assignments,
		...redirections(l, node.redirects),
		background,
		...span,
	};
	return declared.length > 0 ? sequence(span, [...declared, command]) : command;
}

function lowerAssignment(l: BashLowering, node: Assignment): BindNode {
	const span = spanOf(l, node);
	const name: Node = { kind: 'name', name: node.name, ...span };
	const target: Node = node.index
		? { kind: 'member', object: name, key: lowerWord(l, node.index), item: true, ...span }
		: name;
	const given = assigned(l, node, span);
	const before: Node = { kind: 'variable', name: node.name, quoted: true, operation: null, ...span };
	const value: Node = node.append ? { kind: 'fold', operator: '+', operands: [before, given], ...span } : given;
	return { kind: 'bind', target, value, by: 'assignment', ...span };
}

function assigned(l: BashLowering, node: Assignment, span: Span): Node {
	if (node.value.type === 'ArrayValue') return { kind: 'list', items: lowerWords(l, node.value.elements), ...span };
	return lowerWord(l, node.value, true);
}

function assignmentWord(l: BashLowering, node: Assignment): Node {
	const span = spanOf(l, node);
	const operands: Node[] = [{ kind: 'const', value: `${node.name}=`, ...span }, assigned(l, node, span)];
	return { kind: 'fold', operator: 'concat', operands, ...span };
}

function redirections(
	l: BashLowering,
	nodes: readonly Redirection[],
): { redirects: ShellRedirect[]; input: Node | null } {
	const redirects: ShellRedirect[] = [];
	let input: Node | null = null;
	for (const node of nodes) {
		if (node.type === 'HereDoc') input = hereDocument(l, node);
		else if (node.type === 'HereString') input = node.target ? lowerWord(l, node.target, true) : null;
		else if (node.target) redirects.push(redirect(l, node, node.target));
	}
	return { redirects, input };
}

function redirect(l: BashLowering, node: Extract<Redirection, { type: 'Redirect' }>, target: Word): ShellRedirect {
	const descriptor = node.descriptor?.type === 'FileDescriptor' ? node.descriptor.value : null;
	return { operator: node.operator, descriptor, target: lowerWord(l, target, true), ...spanOf(l, node) };
}

function hereDocument(l: BashLowering, node: Extract<Redirection, { type: 'HereDoc' }>): Node {
	const { body } = node;
	const span = spanOf(l, body);
	if (!body.parts) return { kind: 'const', value: body.text, ...span };
	return lowerWord(
		l,
		{ type: 'Word', text: body.text, value: body.text, pos: body.pos, end: body.end, parts: body.parts },
		true,
	);
}

/** Lowers the statements of a Python program. */
import type { Arguments, Module, StmtNode } from 'py-ast';
import { Frames } from './frames.ts';
import type { BindNode, Node, Parameter, Program, Span } from './ir.ts';
import { binaryOperators, claim, lowerExpression, nameOf, type PythonLowering } from './python-expressions.ts';
import { spansOf } from './python-positions.ts';

export function lowerPython(tree: Module, text: string): Program {
	const lowering: PythonLowering = { frames: new Frames(), spanOf: spansOf(text), mentions: [], parameters };
	return { body: lowerBody(lowering, tree.body), locals: new Set(), mentions: lowering.mentions };
}

type PatternNode = Extract<StmtNode, { nodeType: 'Match' }>['cases'][number]['pattern'];
type Statements = {
	[K in StmtNode['nodeType']]: (l: PythonLowering, node: Extract<StmtNode, { nodeType: K }>) => Node;
};

const lowerBody = (l: PythonLowering, body: readonly StmtNode[]): Node[] => body.map((node) => lowerStatement(l, node));

function lowerStatement(l: PythonLowering, node: StmtNode): Node {
	return (statements[node.nodeType] as (l: PythonLowering, node: StmtNode) => Node)(l, node);
}

const sequence = (span: Span, nodes: readonly Node[]): Node => ({
	kind: 'sequence',
	nodes,
	from: span.from,
	to: span.to,
});
const nothing = (l: PythonLowering, node: StmtNode): Node => sequence(l.spanOf(node), []);

function bind(l: PythonLowering, span: Span, target: Node, value: Node, by: BindNode['by'] = 'assignment'): Node {
	claim(l, target);
	return { kind: 'bind', target, value, by, ...span };
}

const name = (span: Span, id: string): Node => ({ kind: 'name', name: nameOf(id), from: span.from, to: span.to });

function parameters(l: PythonLowering, args: Arguments): { params: Parameter[]; defaults: Node[] } {
	const positional = [...args.posonlyargs, ...args.args];
	const firstDefault = positional.length - args.defaults.length;
	const parameter = (arg: Arguments['args'][number], takes: Parameter['takes'], fallback: Node | null): Parameter => {
		l.frames.bind(nameOf(arg.arg));
		return { target: name(l.spanOf(arg), arg.arg), fallback, takes };
	};
	const expression = (node: Parameters<typeof lowerExpression>[1] | null | undefined) =>
		node ? lowerExpression(l, node) : null;
	const params = [
		...positional.map((arg, i) => parameter(arg, 'one', expression(args.defaults[i - firstDefault]))),
		...(args.vararg ? [parameter(args.vararg, 'rest', null)] : []),
		...args.kwonlyargs.map((arg, i) => parameter(arg, 'one', expression(args.kw_defaults[i]))),
		...(args.kwarg ? [parameter(args.kwarg, 'keywords', null)] : []),
	];
	const annotations = [...positional, ...args.kwonlyargs].flatMap((arg) =>
		arg.annotation ? [lowerExpression(l, arg.annotation)] : [],
	);
	return { params, defaults: annotations };
}

function lowerFunction(
	l: PythonLowering,
	node: Extract<StmtNode, { nodeType: 'FunctionDef' | 'AsyncFunctionDef' }>,
): Node {
	const span = l.spanOf(node);
	const { result, locals } = l.frames.within(() => ({
		...parameters(l, node.args),
		body: lowerBody(l, node.body),
	}));
	const made: Node = {
		kind: 'function',
		name: node.name,
		params: result.params,
		body: result.body,
		locals,
		ownThis: true,
		...span,
	};
	const before = [...result.defaults, ...(node.returns ? [lowerExpression(l, node.returns)] : [])];
	const value = decorated(l, node.decorator_list, made);
	return sequence(span, [...before, bind(l, span, name(span, node.name), value, 'definition')]);
}

/** A decorated definition is the thing itself or whatever its decorator makes of it. */
function decorated(l: PythonLowering, decorators: readonly Parameters<typeof lowerExpression>[1][], made: Node): Node {
	return [...decorators].reverse().reduce<Node>((value, decorator) => {
		const span = l.spanOf(decorator);
		const callee = lowerExpression(l, decorator);
		const call: Node = { kind: 'call', callee, args: [value], keywords: [], isNew: false, ...span };
		return { kind: 'alt', choices: [made, call], ...span };
	}, made);
}

function lowerClass(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'ClassDef' }>): Node {
	const span = l.spanOf(node);
	const { result, locals } = l.frames.within(() => lowerBody(l, node.body));
	const bases = [...node.bases, ...node.keywords.map((keyword) => keyword.value)].map((base) =>
		lowerExpression(l, base),
	);
	const made: Node = { kind: 'class', name: node.name, bases, body: result, locals, ...span };
	return bind(l, span, name(span, node.name), decorated(l, node.decorator_list, made), 'definition');
}

function lowerLoop(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'For' | 'AsyncFor' }>): Node {
	const span = l.spanOf(node);
	const element: Node = { kind: 'element', of: lowerExpression(l, node.iter), ...span };
	const body = [bind(l, span, lowerExpression(l, node.target), element), ...lowerBody(l, node.body)];
	return sequence(span, [{ kind: 'loop', body, ...span }, ...lowerBody(l, node.orelse)]);
}

function lowerWhile(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'While' }>): Node {
	const span = l.spanOf(node);
	const body = [lowerExpression(l, node.test), ...lowerBody(l, node.body)];
	return sequence(span, [{ kind: 'loop', body, ...span }, ...lowerBody(l, node.orelse)]);
}

function lowerWith(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'With' | 'AsyncWith' }>): Node {
	const items = node.items.map((item) => {
		const value = lowerExpression(l, item.context_expr);
		return item.optional_vars ? bind(l, value, lowerExpression(l, item.optional_vars), value) : value;
	});
	return sequence(l.spanOf(node), [...items, ...lowerBody(l, node.body)]);
}

/** A handler may start anywhere in the body, so the body counts as one that may not have run. */
function lowerTry(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'Try' | 'TryStar' }>): Node {
	const span = l.spanOf(node);
	const tried = [...lowerBody(l, node.body), ...lowerBody(l, node.orelse)];
	const handlers = node.handlers.map((handler) => [
		...(handler.type ? [{ kind: 'inert', nodes: [lowerExpression(l, handler.type)], ...span } as Node] : []),
		...(handler.name ? [bind(l, span, name(span, handler.name), { kind: 'const', value: null, ...span })] : []),
		...lowerBody(l, handler.body),
	]);
	return sequence(span, [
		{ kind: 'branch', arms: [tried, []], ...span },
		{ kind: 'branch', arms: [...handlers, []], ...span },
		...lowerBody(l, node.finalbody),
	]);
}

function lowerMatch(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'Match' }>): Node {
	const span = l.spanOf(node);
	const subject = lowerExpression(l, node.subject);
	const arms = node.cases.map((arm) => [
		...lowerPattern(l, arm.pattern, subject),
		...(arm.guard ? [lowerExpression(l, arm.guard)] : []),
		...lowerBody(l, arm.body),
	]);
	return sequence(span, [subject, { kind: 'branch', arms: [...arms, []], ...span }]);
}

/** Names in a pattern are bound to the subject or, through a keyword, to its attribute. */
function lowerPattern(l: PythonLowering, pattern: PatternNode, subject: Node): Node[] {
	const span = 'lineno' in pattern ? l.spanOf(pattern) : subject;
	const within = (inner: PatternNode, of: Node): Node[] => lowerPattern(l, inner, of);
	switch (pattern.nodeType) {
		case 'MatchClass': {
			const attributes = pattern.kwd_patterns.flatMap((inner, i) => {
				const key: Node = { kind: 'const', value: nameOf(pattern.kwd_attrs[i] ?? ''), ...span };
				return within(inner, { kind: 'member', object: subject, key, item: false, ...span });
			});
			for (const attribute of pattern.kwd_attrs) l.mentions.push({ attribute: nameOf(attribute), ...span });
			const cls: Node = { kind: 'inert', nodes: [lowerExpression(l, pattern.cls)], ...span };
			return [cls, ...attributes, ...pattern.patterns.flatMap((inner) => within(inner, subject))];
		}
		case 'MatchAs': {
			const bound = pattern.name ? [bind(l, span, name(span, pattern.name), subject)] : [];
			return [...(pattern.pattern ? within(pattern.pattern, subject) : []), ...bound];
		}
		case 'MatchSequence':
		case 'MatchOr':
			return pattern.patterns.flatMap((inner) => within(inner, { kind: 'alt', choices: [subject], ...span }));
		case 'MatchMapping':
			return pattern.patterns.flatMap((inner, i) => {
				const key = lowerExpression(l, pattern.keys[i] as Parameters<typeof lowerExpression>[1]);
				return within(inner, { kind: 'member', object: subject, key, item: true, ...span });
			});
		case 'MatchStar':
			return pattern.name ? [bind(l, span, name(span, pattern.name), subject)] : [];
		case 'MatchValue':
			return [lowerExpression(l, pattern.value)];
		case 'MatchSingleton':
			return [];
	}
}

function lowerImport(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'Import' }>): Node {
	const binds = node.names.map((alias) => {
		const span = l.spanOf(alias);
		const module = nameOf(alias.name);
		const root = module.split('.')[0] as string;
		const value: Node = { kind: 'import', module, gives: alias.asname ? module : root, ...span };
		return bind(l, span, name(span, alias.asname ?? root), value, 'import');
	});
	return sequence(l.spanOf(node), binds);
}

function lowerImportFrom(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'ImportFrom' }>): Node {
	const span = l.spanOf(node);
	const module = '.'.repeat(node.level ?? 0) + nameOf(node.module ?? '');
	const source: Node = { kind: 'import', module, gives: module, ...span };
	const binds = node.names.map((alias): Node => {
		const at = l.spanOf(alias);
		if (alias.name === '*') return { kind: 'star', module, ...span };
		const key: Node = { kind: 'const', value: nameOf(alias.name), ...at };
		const value: Node = { kind: 'member', object: source, key, item: false, ...at };
		return bind(l, span, name(at, alias.asname ?? alias.name), value, 'import');
	});
	return sequence(span, binds);
}

function lowerAugmented(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'AugAssign' }>): Node {
	const span = l.spanOf(node);
	const target = lowerExpression(l, node.target);
	const operands = [target, lowerExpression(l, node.value)];
	const operator = binaryOperators[node.op.nodeType];
	return bind(l, span, target, operator ? { kind: 'fold', operator, operands, ...span } : sequence(span, operands));
}

function lowerAssign(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'Assign' }>): Node {
	const span = l.spanOf(node);
	const value = lowerExpression(l, node.value);
	const [first, ...others] = node.targets.map((target) => lowerExpression(l, target));
	const copies = others.map((target) => bind(l, span, target, value));
	return sequence(span, [bind(l, span, first as Node, value), ...copies]);
}

function lowerAnnotated(l: PythonLowering, node: Extract<StmtNode, { nodeType: 'AnnAssign' }>): Node {
	const span = l.spanOf(node);
	const target = lowerExpression(l, node.target);
	const bound = node.value ? [bind(l, span, target, lowerExpression(l, node.value))] : [];
	return sequence(span, [lowerExpression(l, node.annotation), ...bound]);
}

const outerNames = (l: PythonLowering, node: Extract<StmtNode, { nodeType: 'Global' | 'Nonlocal' }>): Node => {
	for (const id of node.names) l.frames.declareOuter(nameOf(id));
	return nothing(l, node);
};

const expressionsOf = (
	l: PythonLowering,
	span: Span,
	nodes: readonly (Parameters<typeof lowerExpression>[1] | undefined)[],
) =>
	sequence(
		span,
		nodes.flatMap((node) => (node ? [lowerExpression(l, node)] : [])),
	);

const statements: Statements = {
	FunctionDef: lowerFunction,
	AsyncFunctionDef: lowerFunction,
	ClassDef: lowerClass,
	Return: (l, node) => {
		const span = l.spanOf(node);
		const value: Node = node.value ? lowerExpression(l, node.value) : { kind: 'const', value: null, ...span };
		return { kind: 'return', value, ...span };
	},
	Delete: (l, node) =>
		sequence(
			l.spanOf(node),
			node.targets.map((target) => ({ kind: 'remove', target: lowerExpression(l, target), ...l.spanOf(target) })),
		),
	Assign: lowerAssign,
	TypeAlias: nothing,
	AugAssign: lowerAugmented,
	AnnAssign: lowerAnnotated,
	For: lowerLoop,
	AsyncFor: lowerLoop,
	While: lowerWhile,
	If: (l, node) => {
		const span = l.spanOf(node);
		const test = lowerExpression(l, node.test);
		return sequence(span, [
			test,
			{ kind: 'branch', arms: [lowerBody(l, node.body), lowerBody(l, node.orelse)], ...span },
		]);
	},
	With: lowerWith,
	AsyncWith: lowerWith,
	Match: lowerMatch,
	Raise: (l, node) => expressionsOf(l, l.spanOf(node), [node.exc, node.cause]),
	Try: lowerTry,
	TryStar: lowerTry,
	Assert: (l, node) => expressionsOf(l, l.spanOf(node), [node.test, node.msg]),
	Import: lowerImport,
	ImportFrom: lowerImportFrom,
	Global: outerNames,
	Nonlocal: outerNames,
	Expr: (l, node) => lowerExpression(l, node.value),
	Pass: nothing,
	Break: nothing,
	Continue: nothing,
	Comment: nothing,
};

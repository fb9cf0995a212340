/** Lowers the expressions, patterns, functions and classes of a JavaScript or TypeScript program. */
import type { Frames } from './frames.ts';
import type { BindNode, Entry, Node, Operator, Parameter, Span } from './ir.ts';

/** A node of the tree. TypeScript's nodes have no types of their own, so all are read by the names of their fields. */
export interface Loose {
	readonly type: string;
	readonly start: number;
	readonly end: number;
	readonly [field: string]: unknown;
}

export interface JavaScriptLowering {
	readonly frames: Frames;
	readonly body: (l: JavaScriptLowering, body: readonly Loose[]) => Node[];
}

export const child = (node: Loose, field: string): Loose | null => (node[field] as Loose | null | undefined) ?? null;
export const children = (node: Loose, field: string): Loose[] =>
	((node[field] as (Loose | null)[] | undefined) ?? []).filter((one) => one !== null);
export const word = (node: Loose, field: string): string => String(node[field] ?? '');
export const spanOf = (node: Loose): Span => ({ from: node.start, to: node.end });
export const sequence = (node: Loose, nodes: readonly Node[]): Node => ({ kind: 'sequence', nodes, ...spanOf(node) });
export const constant = (node: Loose, value: string | number | null): Node => ({
	kind: 'const',
	value,
	...spanOf(node),
});
export const nameNode = (node: Loose, name: string): Node => ({ kind: 'name', name, ...spanOf(node) });
export const bind = (node: Loose, target: Node, value: Node, by: BindNode['by'] = 'assignment'): Node => ({
	kind: 'bind',
	target,
	value,
	by,
	...spanOf(node),
});

type Lower = (l: JavaScriptLowering, node: Loose) => Node;

export function lowerExpression(l: JavaScriptLowering, node: Loose): Node {
	const lower = Object.hasOwn(expressions, node.type) ? expressions[node.type] : undefined;
	return lower ? lower(l, node) : sequence(node, []);
}

const all = (l: JavaScriptLowering, nodes: readonly Loose[]): Node[] => nodes.map((node) => lowerExpression(l, node));
const field = (l: JavaScriptLowering, node: Loose, name: string): Node =>
	lowerExpression(l, child(node, name) as Loose);

type Declare = 'var' | 'let' | null;

/** A target of an assignment or declaration. */
export function lowerPattern(l: JavaScriptLowering, node: Loose, declare: Declare): Node {
	const inner = (one: Loose): Node => lowerPattern(l, one, declare);
	switch (node.type) {
		case 'Identifier': {
			const name = word(node, 'name');
			if (declare === 'var') l.frames.bindInFunction(name);
			else if (declare) l.frames.bind(name);
			return nameNode(node, name);
		}
		case 'ArrayPattern': {
			const items = ((node.elements as (Loose | null)[]) ?? []).map((one) => (one ? inner(one) : constant(node, null)));
			return { kind: 'list', items, ...spanOf(node) };
		}
		case 'ObjectPattern':
			return {
				kind: 'entries',
				entries: children(node, 'properties').map((one) => patternEntry(l, one, declare)),
				...spanOf(node),
			};
		case 'AssignmentPattern': {
			const choices = [inner(child(node, 'left') as Loose), field(l, node, 'right')];
			return { kind: 'alt', choices, ...spanOf(node) };
		}
		case 'RestElement':
			return { kind: 'spread', value: inner(child(node, 'argument') as Loose), ...spanOf(node) };
		case 'TSParameterProperty':
			return inner(child(node, 'parameter') as Loose);
		default:
			return lowerExpression(l, node);
	}
}

function patternEntry(l: JavaScriptLowering, node: Loose, declare: Declare): Entry {
	if (node.type === 'RestElement')
		return { key: null, value: lowerPattern(l, child(node, 'argument') as Loose, declare) };
	return { key: keyOf(l, node), value: lowerPattern(l, child(node, 'value') as Loose, declare) };
}

/** The key of a property, as text unless it is computed. */
function keyOf(l: JavaScriptLowering, node: Loose): Node {
	const key = child(node, 'key') as Loose;
	return node.computed ? lowerExpression(l, key) : constant(key, String(key.name ?? key.value ?? ''));
}

function lowerParameter(l: JavaScriptLowering, node: Loose): Parameter {
	if (node.type === 'RestElement') {
		return { target: lowerPattern(l, child(node, 'argument') as Loose, 'let'), fallback: null, takes: 'rest' };
	}
	const plain = node.type === 'TSParameterProperty' ? (child(node, 'parameter') as Loose) : node;
	if (plain.type !== 'AssignmentPattern')
		return { target: lowerPattern(l, plain, 'let'), fallback: null, takes: 'one' };
	const target = lowerPattern(l, child(plain, 'left') as Loose, 'let');
	return { target, fallback: field(l, plain, 'right'), takes: 'one' };
}

export function lowerFunction(l: JavaScriptLowering, node: Loose): Node {
	const { result, locals } = l.frames.within(() => {
		const params = children(node, 'params').map((param) => lowerParameter(l, param));
		return { params, body: functionBody(l, child(node, 'body')) };
	});
	const ownThis = node.type !== 'ArrowFunctionExpression';
	const name = child(node, 'id');
	return { kind: 'function', name: name ? word(name, 'name') : '', ...result, locals, ownThis, ...spanOf(node) };
}

function functionBody(l: JavaScriptLowering, body: Loose | null): Node[] {
	if (!body) return [];
	if (body.type === 'BlockStatement') return l.body(l, children(body, 'body'));
	return [{ kind: 'return', value: lowerExpression(l, body), ...spanOf(body) }];
}

export function lowerClass(l: JavaScriptLowering, node: Loose): Node {
	const parent = child(node, 'superClass');
	const { result, locals } = l.frames.within(() =>
		children(child(node, 'body') as Loose, 'body').map((one) => classMember(l, one)),
	);
	const decorators = all(
		l,
		children(node, 'decorators').map((one) => child(one, 'expression') as Loose),
	);
	const name = child(node, 'id');
	const bases = parent ? [lowerExpression(l, parent)] : [];
	const made: Node = {
		kind: 'class',
		name: name ? word(name, 'name') : '',
		bases,
		body: result,
		locals,
		...spanOf(node),
	};
	return decorators.length > 0 ? sequence(node, [...decorators, made]) : made;
}

function classMember(l: JavaScriptLowering, node: Loose): Node {
	if (node.type === 'StaticBlock') return sequence(node, l.body(l, children(node, 'body')));
	const key = child(node, 'key');
	if (!key) return sequence(node, []);
	const value = child(node, 'value');
	const lowered = value ? lowerExpression(l, value) : constant(node, null);
	const found: Node =
		node.kind === 'get'
			? { kind: 'call', callee: lowered, args: [], keywords: [], isNew: false, ...spanOf(node) }
			: lowered;
	if (node.computed) return sequence(node, [lowerExpression(l, key), found]);
	const name = String(key.name ?? key.value ?? '');
	l.frames.bind(name);
	return bind(node, nameNode(key, name), found, 'definition');
}

const folding: Record<string, Operator> = {
	'+': '+',
	'-': '-',
	'*': '*',
	'/': '/',
	'%': '%',
	'^': '^',
	'|': '|',
	'&': '&',
	'<<': '<<',
	'>>': '>>',
	'>>>': '>>',
	'**': '**',
};

function lowerBinary(l: JavaScriptLowering, node: Loose): Node {
	const operands = [field(l, node, 'left'), field(l, node, 'right')];
	const operator = folding[word(node, 'operator')];
	return operator
		? { kind: 'fold', operator, operands, ...spanOf(node) }
		: { kind: 'inert', nodes: operands, ...spanOf(node) };
}

function lowerUnary(l: JavaScriptLowering, node: Loose): Node {
	const argument = field(l, node, 'argument');
	const isNumber = argument.kind === 'const' && typeof argument.value === 'number';
	if (node.operator === '-' && isNumber) return constant(node, -Number(argument.value));
	return { kind: 'inert', nodes: [argument], ...spanOf(node) };
}

/** `x += y` gives x a folded value, `x ||= y` one of two. */
function lowerAssignment(l: JavaScriptLowering, node: Loose): Node {
	const target = lowerPattern(l, child(node, 'left') as Loose, null);
	const value = field(l, node, 'right');
	const operator = word(node, 'operator').slice(0, -1);
	if (operator === '') return bind(node, target, value);
	const choices = [target, value];
	const folded = folding[operator];
	return bind(
		node,
		target,
		folded
			? { kind: 'fold', operator: folded, operands: choices, ...spanOf(node) }
			: { kind: 'alt', choices, ...spanOf(node) },
	);
}

function lowerMember(l: JavaScriptLowering, node: Loose): Node {
	const property = child(node, 'property') as Loose;
	const key = node.computed ? lowerExpression(l, property) : constant(property, word(property, 'name'));
	return { kind: 'member', object: field(l, node, 'object'), key, item: Boolean(node.computed), ...spanOf(node) };
}

const call = (node: Loose, callee: Node, args: readonly Node[], isNew = false): Node => ({
	kind: 'call',
	callee,
	args,
	keywords: [],
	isNew,
	...spanOf(node),
});

function lowerTemplate(l: JavaScriptLowering, node: Loose): Node {
	const expressionsOf = children(node, 'expressions');
	const operands = children(node, 'quasis').flatMap((quasi, i) => {
		const cooked = (quasi.value as { cooked?: string; raw: string }).cooked ?? null;
		const expression = expressionsOf[i];
		return [constant(quasi, cooked), ...(expression ? [lowerExpression(l, expression)] : [])];
	});
	return { kind: 'fold', operator: 'concat', operands, ...spanOf(node) };
}

function lowerObject(l: JavaScriptLowering, node: Loose): Node {
	const entries = children(node, 'properties').map((property): Entry => {
		if (property.type === 'SpreadElement') return { key: null, value: field(l, property, 'argument') };
		const value = field(l, property, 'value');
		return { key: keyOf(l, property), value: property.kind === 'get' ? call(property, value, []) : value };
	});
	return { kind: 'entries', entries, ...spanOf(node) };
}

function lowerLiteral(_: JavaScriptLowering, node: Loose): Node {
	const { value } = node;
	if (typeof value === 'string' || typeof value === 'number') return constant(node, value);
	return constant(node, typeof value === 'boolean' ? Number(value) : null);
}

const inner =
	(name: string): Lower =>
	(l, node) => {
		const found = child(node, name);
		return found ? lowerExpression(l, found) : constant(node, null);
	};
const nothing: Lower = (_, node) => constant(node, null);
const choices =
	(...names: string[]): Lower =>
	(l, node) => ({ kind: 'alt', choices: names.map((name) => field(l, node, name)), ...spanOf(node) });

const expressions: Record<string, Lower> = {
	Identifier: (_, node) => nameNode(node, word(node, 'name')),
	ThisExpression: (_, node) => nameNode(node, 'this'),
	Super: nothing,
	Literal: lowerLiteral,
	TemplateLiteral: lowerTemplate,
	TaggedTemplateExpression: (l, node) => call(node, field(l, node, 'tag'), [field(l, node, 'quasi')]),
	ArrayExpression: (l, node) => {
		const items = ((node.elements as (Loose | null)[]) ?? []).map((one) =>
			one ? lowerExpression(l, one) : constant(node, null),
		);
		return { kind: 'list', items, ...spanOf(node) };
	},
	ObjectExpression: lowerObject,
	FunctionExpression: lowerFunction,
	ArrowFunctionExpression: lowerFunction,
	FunctionDeclaration: lowerFunction,
	ClassExpression: lowerClass,
	ClassDeclaration: lowerClass,
	UnaryExpression: lowerUnary,
	UpdateExpression: (l, node) => ({ kind: 'inert', nodes: [field(l, node, 'argument')], ...spanOf(node) }),
	BinaryExpression: lowerBinary,
	LogicalExpression: choices('left', 'right'),
	ConditionalExpression: (l, node) =>
		sequence(node, [field(l, node, 'test'), choices('consequent', 'alternate')(l, node)]),
	AssignmentExpression: lowerAssignment,
	MemberExpression: lowerMember,
	CallExpression: (l, node) => call(node, field(l, node, 'callee'), all(l, children(node, 'arguments'))),
	NewExpression: (l, node) => call(node, field(l, node, 'callee'), all(l, children(node, 'arguments')), true),
	ImportExpression: (l, node) => call(node, nameNode(node, 'import'), [field(l, node, 'source')]),
	SequenceExpression: (l, node) => sequence(node, all(l, children(node, 'expressions'))),
	SpreadElement: (l, node) => ({ kind: 'spread', value: field(l, node, 'argument'), ...spanOf(node) }),
	YieldExpression: inner('argument'),
	AwaitExpression: inner('argument'),
	ChainExpression: inner('expression'),
	ParenthesizedExpression: inner('expression'),
	TSAsExpression: inner('expression'),
	TSSatisfiesExpression: inner('expression'),
	TSNonNullExpression: inner('expression'),
	TSTypeAssertion: inner('expression'),
	TSInstantiationExpression: inner('expression'),
	MetaProperty: nothing,
};

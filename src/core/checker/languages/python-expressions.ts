/** Lowers the expressions of a Python program. */
import type { Arguments, Comprehension, ExprNode } from 'py-ast';
import type { Frames } from './frames.ts';
import type { Clause, Mention, Node, Operator, Parameter, Span } from './ir.ts';
import type { SpanOf } from './python-positions.ts';

export interface PythonLowering {
	readonly frames: Frames;
	readonly spanOf: SpanOf;
	readonly mentions: Mention[];
	readonly parameters: (l: PythonLowering, args: Arguments) => { params: Parameter[]; defaults: Node[] };
}

/** Python compares names in their NFKC form. */
export const nameOf = (id: string): string => (/[^\0-\x7F]/.test(id) ? id.normalize('NFKC') : id);

type Expressions = {
	[K in ExprNode['nodeType']]: (l: PythonLowering, node: Extract<ExprNode, { nodeType: K }>) => Node;
};

export function lowerExpression(l: PythonLowering, node: ExprNode): Node {
	return (expressions[node.nodeType] as (l: PythonLowering, node: ExprNode) => Node)(l, node);
}

const all = (l: PythonLowering, nodes: readonly ExprNode[]): Node[] => nodes.map((node) => lowerExpression(l, node));

/** The parser leaves `\N{…}` as it is written, so such a text counts as unknown. */
function constant(value: unknown): string | number | null {
	if (typeof value === 'string') return value.includes('\\N{') ? null : value;
	if (typeof value === 'number') return value;
	if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
	return null;
}

export const binaryOperators: Record<string, Operator> = {
	Add: '+',
	Sub: '-',
	Mult: '*',
	Div: '/',
	FloorDiv: '//',
	Mod: '%',
	BitXor: '^',
	BitOr: '|',
	BitAnd: '&',
	LShift: '<<',
	RShift: '>>',
	Pow: '**',
};

function lowerBinary(l: PythonLowering, node: Extract<ExprNode, { nodeType: 'BinOp' }>): Node {
	const span = l.spanOf(node);
	const operands = [lowerExpression(l, node.left), lowerExpression(l, node.right)];
	const operator = binaryOperators[node.op.nodeType];
	return operator ? { kind: 'fold', operator, operands, ...span } : { kind: 'inert', nodes: operands, ...span };
}

function lowerUnary(l: PythonLowering, node: Extract<ExprNode, { nodeType: 'UnaryOp' }>): Node {
	const span = l.spanOf(node);
	const operand = lowerExpression(l, node.operand);
	if (node.op.nodeType === 'USub' && operand.kind === 'const' && typeof operand.value === 'number') {
		return { kind: 'const', value: -operand.value, ...span };
	}
	return { kind: 'inert', nodes: [operand], ...span };
}

function lowerSubscript(l: PythonLowering, node: Extract<ExprNode, { nodeType: 'Subscript' }>): Node {
	const span = l.spanOf(node);
	const object = lowerExpression(l, node.value);
	if (node.slice.nodeType !== 'Slice')
		return { kind: 'member', object, key: lowerExpression(l, node.slice), item: true, ...span };
	const absent: Node = { kind: 'const', value: null, ...span };
	const bounds = [node.slice.lower, node.slice.upper, node.slice.step].map((bound) =>
		bound ? lowerExpression(l, bound) : absent,
	);
	return { kind: 'fold', operator: 'slice', operands: [object, ...bounds], ...span };
}

function lowerCall(l: PythonLowering, node: Extract<ExprNode, { nodeType: 'Call' }>): Node {
	const keywords = node.keywords.map(({ arg, value }) => ({ name: arg ?? null, value: lowerExpression(l, value) }));
	const callee = lowerExpression(l, node.func);
	return { kind: 'call', callee, args: all(l, node.args), keywords, isNew: false, ...l.spanOf(node) };
}

function lowerLambda(l: PythonLowering, node: Extract<ExprNode, { nodeType: 'Lambda' }>): Node {
	const span = l.spanOf(node);
	const { result, locals } = l.frames.within(() => {
		const { params } = l.parameters(l, node.args);
		return { params, value: lowerExpression(l, node.body) };
	});
	const body: Node[] = [{ kind: 'return', value: result.value, ...span }];
	return { kind: 'function', name: 'lambda', params: result.params, body, locals, ownThis: false, ...span };
}

/** Every name in a target becomes one of the frame. */
export function claim(l: PythonLowering, target: Node): void {
	if (target.kind === 'name') l.frames.bind(target.name);
	else if (target.kind === 'list') for (const item of target.items) claim(l, item);
	else if (target.kind === 'spread') claim(l, target.value);
}

function lowerClauses(l: PythonLowering, generators: readonly Comprehension[]): Clause[] {
	return generators.map((generator) => {
		const target = lowerExpression(l, generator.target);
		claim(l, target);
		return { target, source: lowerExpression(l, generator.iter), conditions: all(l, generator.ifs) };
	});
}

function lowerComprehension(
	l: PythonLowering,
	node: Extract<ExprNode, { nodeType: 'ListComp' | 'SetComp' | 'GeneratorExp' | 'DictComp' }>,
): Node {
	const { result, locals } = l.frames.within(() => ({
		clauses: lowerClauses(l, node.generators),
		key: node.nodeType === 'DictComp' ? lowerExpression(l, node.key) : null,
		element: lowerExpression(l, node.nodeType === 'DictComp' ? node.value : node.elt),
	}));
	return { kind: 'comprehension', ...result, locals, ...l.spanOf(node) };
}

const list = (l: PythonLowering, node: Extract<ExprNode, { nodeType: 'List' | 'Tuple' | 'Set' }>): Node => ({
	kind: 'list',
	items: all(l, node.elts),
	...l.spanOf(node),
});

const concat = (l: PythonLowering, node: Extract<ExprNode, { nodeType: 'JoinedStr' | 'TemplateStr' }>): Node => ({
	kind: 'fold',
	operator: 'concat',
	operands: all(l, node.values),
	...l.spanOf(node),
});

/** `{x!r:>{width}}`: the width may hide anything, the value is what ends up in the text. */
function lowerField(
	l: PythonLowering,
	node: Extract<ExprNode, { nodeType: 'FormattedValue' | 'Interpolation' }>,
): Node {
	const span = l.spanOf(node);
	const value = lowerExpression(l, node.value);
	const spec = node.format_spec ? [lowerExpression(l, node.format_spec)] : [];
	return { kind: 'sequence', nodes: [...spec, value], ...span };
}

/** What a generator yields is an element of what its call returns. */
function lowerYield(l: PythonLowering, node: Extract<ExprNode, { nodeType: 'Yield' }>): Node {
	const span = l.spanOf(node);
	const items = node.value ? [lowerExpression(l, node.value)] : [];
	return { kind: 'return', value: { kind: 'list', items, ...span }, ...span };
}

const absent = (l: PythonLowering, node: ExprNode): Node => ({ kind: 'const', value: null, ...l.spanOf(node) });

function choice(span: Span, nodes: readonly Node[], choices: readonly Node[]): Node {
	return { kind: 'sequence', nodes: [...nodes, { kind: 'alt', choices, ...span }], ...span };
}

const expressions: Expressions = {
	Constant: (l, node) => ({ kind: 'const', value: constant(node.value), ...l.spanOf(node) }),
	Name: (l, node) => ({ kind: 'name', name: nameOf(node.id), ...l.spanOf(node) }),
	Attribute: (l, node) => {
		const span = l.spanOf(node);
		const key: Node = { kind: 'const', value: nameOf(node.attr), ...span };
		return { kind: 'member', object: lowerExpression(l, node.value), key, item: false, ...span };
	},
	Subscript: lowerSubscript,
	Call: lowerCall,
	BinOp: lowerBinary,
	UnaryOp: lowerUnary,
	BoolOp: (l, node) => ({ kind: 'alt', choices: all(l, node.values), ...l.spanOf(node) }),
	IfExp: (l, node) => choice(l.spanOf(node), [lowerExpression(l, node.test)], all(l, [node.body, node.orelse])),
	Compare: (l, node) => ({ kind: 'inert', nodes: all(l, [node.left, ...node.comparators]), ...l.spanOf(node) }),
	NamedExpr: (l, node) => {
		const target = lowerExpression(l, node.target);
		claim(l, target);
		return { kind: 'bind', target, value: lowerExpression(l, node.value), by: 'assignment', ...l.spanOf(node) };
	},
	Lambda: lowerLambda,
	Dict: (l, node) => ({
		kind: 'entries',
		entries: node.values.map((value, i) => {
			const key = node.keys[i];
			return { key: key ? lowerExpression(l, key) : null, value: lowerExpression(l, value) };
		}),
		...l.spanOf(node),
	}),
	List: list,
	Tuple: list,
	Set: list,
	ListComp: lowerComprehension,
	SetComp: lowerComprehension,
	GeneratorExp: lowerComprehension,
	DictComp: lowerComprehension,
	Await: (l, node) => lowerExpression(l, node.value),
	Yield: lowerYield,
	YieldFrom: (l, node) => ({ kind: 'return', value: lowerExpression(l, node.value), ...l.spanOf(node) }),
	FormattedValue: lowerField,
	Interpolation: lowerField,
	JoinedStr: concat,
	TemplateStr: concat,
	Starred: (l, node) => ({ kind: 'spread', value: lowerExpression(l, node.value), ...l.spanOf(node) }),
	Slice: absent,
};

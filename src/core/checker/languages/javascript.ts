/** Lowers the statements of a JavaScript or TypeScript program. */
import type { Program as Tree } from 'acorn';
import { Frames } from './frames.ts';
import type { BindNode, Node, Program } from './ir.ts';
import {
	bind,
	child,
	children,
	constant,
	type JavaScriptLowering,
	type Loose,
	lowerClass,
	lowerExpression,
	lowerFunction,
	lowerPattern,
	nameNode,
	sequence,
	spanOf,
	word,
} from './javascript-expressions.ts';

export function lowerJavaScript(tree: Tree): Program {
	const lowering: JavaScriptLowering = { frames: new Frames(), body: lowerBody };
	const { result, locals } = lowering.frames.within(() => lowerBody(lowering, tree.body as unknown as Loose[]));
	return { body: result, locals, mentions: [] };
}

type Lower = (l: JavaScriptLowering, node: Loose) => Node;

/** Function declarations are there before the first statement runs. */
function lowerBody(l: JavaScriptLowering, body: readonly Loose[]): Node[] {
	const isDeclaration = (node: Loose) => node.type === 'FunctionDeclaration';
	return [...body.filter(isDeclaration), ...body.filter((node) => !isDeclaration(node))].map((node) =>
		lowerStatement(l, node),
	);
}

function lowerStatement(l: JavaScriptLowering, node: Loose): Node {
	const lower = Object.hasOwn(statements, node.type) ? statements[node.type] : undefined;
	if (lower) return lower(l, node);
	return /^TS|^EmptyStatement$|^DebuggerStatement$|^(Break|Continue)Statement$/.test(node.type)
		? sequence(node, [])
		: lowerExpression(l, node);
}

const optional = (l: JavaScriptLowering, node: Loose | null): Node[] => (node ? [lowerStatement(l, node)] : []);

function lowerBlock(l: JavaScriptLowering, node: Loose, body: readonly Loose[]): Node {
	const { result, locals } = l.frames.within(() => lowerBody(l, body), true);
	return { kind: 'block', body: result, locals, ...spanOf(node) };
}

function lowerVariables(l: JavaScriptLowering, node: Loose): Node {
	const declare = node.kind === 'var' ? 'var' : 'let';
	const binds = children(node, 'declarations').flatMap((declarator) => {
		const target = lowerPattern(l, child(declarator, 'id') as Loose, declare);
		const init = child(declarator, 'init');
		return init ? [bind(declarator, target, lowerExpression(l, init))] : [];
	});
	return sequence(node, binds);
}

function declared(l: JavaScriptLowering, node: Loose, value: Node, by: BindNode['by'] = 'definition'): Node {
	const id = child(node, 'id');
	if (!id) return value;
	l.frames.bind(word(id, 'name'));
	return bind(node, nameNode(id, word(id, 'name')), value, by);
}

function lowerIf(l: JavaScriptLowering, node: Loose): Node {
	const test = lowerExpression(l, child(node, 'test') as Loose);
	const arms = [optional(l, child(node, 'consequent')), optional(l, child(node, 'alternate'))];
	return sequence(node, [test, { kind: 'branch', arms, ...spanOf(node) }]);
}

/** The head of a loop has a scope of its own. */
function lowerFor(l: JavaScriptLowering, node: Loose): Node {
	const { result, locals } = l.frames.within(() => {
		const init = optional(l, child(node, 'init'));
		const turn = [child(node, 'test'), child(node, 'body'), child(node, 'update')].flatMap((part) => optional(l, part));
		return [...init, { kind: 'loop', body: turn, ...spanOf(node) } as Node];
	}, true);
	return { kind: 'block', body: result, locals, ...spanOf(node) };
}

function lowerForEach(l: JavaScriptLowering, node: Loose): Node {
	const { result, locals } = l.frames.within(() => {
		const of = lowerExpression(l, child(node, 'right') as Loose);
		const left = child(node, 'left') as Loose;
		const declaration = children(left, 'declarations')[0];
		const pattern = declaration ? (child(declaration, 'id') as Loose) : left;
		const target = lowerPattern(l, pattern, declaration ? (left.kind === 'var' ? 'var' : 'let') : null);
		const element: Node = { kind: 'element', of, ...spanOf(node) };
		const body = [bind(node, target, element), ...optional(l, child(node, 'body'))];
		return [{ kind: 'loop', body, ...spanOf(node) } as Node];
	}, true);
	return { kind: 'block', body: result, locals, ...spanOf(node) };
}

function lowerWhile(l: JavaScriptLowering, node: Loose): Node {
	const body = [lowerExpression(l, child(node, 'test') as Loose), ...optional(l, child(node, 'body'))];
	return { kind: 'loop', body, ...spanOf(node) };
}

function lowerSwitch(l: JavaScriptLowering, node: Loose): Node {
	const subject = lowerExpression(l, child(node, 'discriminant') as Loose);
	const { result, locals } = l.frames.within(() => {
		const arms = children(node, 'cases').map((one) => [
			...optional(l, child(one, 'test')),
			...lowerBody(l, children(one, 'consequent')),
		]);
		return { kind: 'branch', arms: [...arms, []], ...spanOf(node) } as Node;
	}, true);
	return sequence(node, [subject, { kind: 'block', body: [result], locals, ...spanOf(node) }]);
}

function lowerTry(l: JavaScriptLowering, node: Loose): Node {
	const tried = optional(l, child(node, 'block'));
	const handler = child(node, 'handler');
	const caught = handler ? [lowerHandler(l, handler)] : [];
	return sequence(node, [
		{ kind: 'branch', arms: [tried, []], ...spanOf(node) },
		{ kind: 'branch', arms: [caught, []], ...spanOf(node) },
		...optional(l, child(node, 'finalizer')),
	]);
}

function lowerHandler(l: JavaScriptLowering, handler: Loose): Node {
	const { result, locals } = l.frames.within(() => {
		const param = child(handler, 'param');
		if (param) lowerPattern(l, param, 'let');
		return optional(l, child(handler, 'body'));
	}, true);
	return { kind: 'block', body: result, locals, ...spanOf(handler) };
}

function lowerImport(l: JavaScriptLowering, node: Loose): Node {
	if (node.importKind === 'type') return sequence(node, []);
	const module = word(child(node, 'source') as Loose, 'value');
	const source: Node = { kind: 'import', module, gives: module, ...spanOf(child(node, 'source') as Loose) };
	const binds = children(node, 'specifiers').map((specifier) => {
		const local = child(specifier, 'local') as Loose;
		l.frames.bind(word(local, 'name'));
		return bind(specifier, nameNode(local, word(local, 'name')), imported(specifier, source));
	});
	return sequence(node, binds.length > 0 ? binds : [source]);
}

function imported(specifier: Loose, source: Node): Node {
	if (specifier.type === 'ImportNamespaceSpecifier') return source;
	const name = child(specifier, 'imported');
	const key = constant(specifier, name ? String(name.name ?? name.value) : 'default');
	return { kind: 'member', object: source, key, item: false, ...spanOf(specifier) };
}

function lowerExportFrom(l: JavaScriptLowering, node: Loose): Node {
	const source = child(node, 'source');
	const module = source ? word(source, 'value') : '';
	const loaded: Node[] = source ? [{ kind: 'import', module, gives: module, ...spanOf(source) }] : [];
	return sequence(node, [...loaded, ...optional(l, child(node, 'declaration'))]);
}

/** `import fs = require("fs")` */
function lowerImportEquals(l: JavaScriptLowering, node: Loose): Node {
	const reference = child(child(node, 'moduleReference') ?? node, 'expression');
	const module = reference ? word(reference, 'value') : '';
	return declared(l, node, { kind: 'import', module, gives: module, ...spanOf(node) }, 'assignment');
}

function lowerEnum(l: JavaScriptLowering, node: Loose): Node {
	const entries = children(node, 'members').map((item) => {
		const id = child(item, 'id') as Loose;
		const value = child(item, 'initializer');
		return {
			key: constant(id, String(id.name ?? id.value)),
			value: value ? lowerExpression(l, value) : constant(id, null),
		};
	});
	return declared(l, node, { kind: 'entries', entries, ...spanOf(node) });
}

const functionDeclaration: Lower = (l, node) => declared(l, node, lowerFunction(l, node));
const classDeclaration: Lower = (l, node) => declared(l, node, lowerClass(l, node));
const expressionOf =
	(field: string): Lower =>
	(l, node) =>
		sequence(node, optional(l, child(node, field)));

const statements: Record<string, Lower> = {
	ExpressionStatement: (l, node) => lowerExpression(l, child(node, 'expression') as Loose),
	BlockStatement: (l, node) => lowerBlock(l, node, children(node, 'body')),
	StaticBlock: (l, node) => lowerBlock(l, node, children(node, 'body')),
	VariableDeclaration: lowerVariables,
	FunctionDeclaration: functionDeclaration,
	ClassDeclaration: classDeclaration,
	ReturnStatement: (l, node) => {
		const argument = child(node, 'argument');
		return { kind: 'return', value: argument ? lowerExpression(l, argument) : constant(node, null), ...spanOf(node) };
	},
	IfStatement: lowerIf,
	ForStatement: lowerFor,
	ForInStatement: lowerForEach,
	ForOfStatement: lowerForEach,
	WhileStatement: lowerWhile,
	DoWhileStatement: lowerWhile,
	SwitchStatement: lowerSwitch,
	TryStatement: lowerTry,
	ThrowStatement: expressionOf('argument'),
	LabeledStatement: expressionOf('body'),
	WithStatement: (l, node) =>
		sequence(node, [...optional(l, child(node, 'object')), ...optional(l, child(node, 'body'))]),
	ImportDeclaration: lowerImport,
	ExportAllDeclaration: lowerExportFrom,
	ExportNamedDeclaration: lowerExportFrom,
	ExportDefaultDeclaration: expressionOf('declaration'),
	TSImportEqualsDeclaration: lowerImportEquals,
	TSExportAssignment: expressionOf('expression'),
	TSEnumDeclaration: lowerEnum,
	TSModuleDeclaration: expressionOf('body'),
	TSModuleBlock: (l, node) => lowerBlock(l, node, children(node, 'body')),
};

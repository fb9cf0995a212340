/** Weighs how much a tree looks like a program of its language. Above zero it does. */

import type { ParsedScript } from 'unbash';
import { forEachChild, type SyntaxNode } from 'unbash';
import { commandNames } from './detect-commands.ts';
import type { Parsed } from './languages/parse.ts';
import { pythonBuiltins } from './values/names.ts';

const mostNodes = 4000;

export function evidenceOf(parsed: Parsed): number {
	if (parsed.language === 'bash') return bashEvidence(parsed.tree);
	if (parsed.language === 'python') return treeEvidence(parsed.tree, pythonView) + returnedAtTop(parsed.tree);
	return treeEvidence(parsed.tree, javaScriptView) + javaScriptText(parsed.text, parsed.dialect === 'typescript');
}

/** A return outside any function is no Python, but common in workflows. */
const returnedAtTop = (tree: { readonly body: readonly { readonly nodeType: string }[] }): number =>
	tree.body.some(({ nodeType }) => nodeType === 'Return') ? -9 : 0;

/** What a node says, read the same way for both trees. */
interface View {
	readonly typeOf: (node: Tree) => string;
	readonly strong: ReadonlySet<string>;
	readonly weak: ReadonlySet<string>;
	readonly isKnown: (name: string) => boolean;
	readonly nameOf: (node: Tree) => string | null;
	readonly calls: ReadonlySet<string>;
	readonly binds: (node: Tree) => readonly string[];
	/** Members that values of this language have and those of the other have not. */
	readonly attributes: ReadonlySet<string>;
	readonly attributeOf: (node: Tree) => string;
}

type Tree = Readonly<Record<string, unknown>>;

const set = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/));

const nameIn = (node: unknown, field: string): string[] => {
	const name = (node as Tree | undefined)?.[field];
	return typeof name === 'string' ? [name] : [];
};

const pythonView: View = {
	typeOf: (node) => String(node.nodeType ?? ''),
	strong:
		set(`FunctionDef AsyncFunctionDef ClassDef Import ImportFrom With AsyncWith Try TryStar For AsyncFor While If Raise Return Assert
		Global Nonlocal ListComp DictComp SetComp GeneratorExp Lambda JoinedStr Match Delete Yield IfExp`),
	weak: set('Assign AugAssign AnnAssign Pass Dict List Tuple Subscript BoolOp'),
	isKnown: (name) => pythonBuiltins.has(name) || /^__\w+__$|^(self|None|True|False)$/.test(name),
	nameOf: (node) => (node.nodeType === 'Name' ? String(node.id) : null),
	calls: set('Call Await'),
	attributes: set(
		'append extend upper lower strip rstrip lstrip items format startswith endswith isdigit isalpha popitem splitlines',
	),
	attributeOf: (node) => (node.nodeType === 'Attribute' ? String(node.attr) : ''),
	binds: (node) => {
		if (node.nodeType === 'Name' && (node.ctx as Tree | undefined)?.nodeType === 'Store') return [String(node.id)];
		if (node.nodeType === 'Alias') return [String(node.asname ?? node.name).split('.')[0] as string];
		return node.nodeType === 'Arg'
			? nameIn(node, 'arg')
			: /^(FunctionDef|AsyncFunctionDef|ClassDef)$/.test(String(node.nodeType))
				? nameIn(node, 'name')
				: [];
	},
};

const javaScriptGlobals =
	set(`console require module exports process JSON Math Object Array String Number Boolean Promise Date RegExp Map Set Symbol
	Buffer setTimeout setInterval clearTimeout fetch undefined globalThis document window parseInt parseFloat isNaN Error TypeError URL BigInt
	encodeURIComponent decodeURIComponent structuredClone Reflect Proxy Intl NaN Infinity atob btoa $input $json $node items`);

const javaScriptView: View = {
	typeOf: (node) => String(node.type ?? ''),
	strong:
		set(`VariableDeclaration FunctionDeclaration FunctionExpression ArrowFunctionExpression ClassDeclaration ImportDeclaration
		ExportNamedDeclaration ExportDefaultDeclaration ExportAllDeclaration NewExpression ForStatement ForOfStatement ForInStatement WhileStatement DoWhileStatement IfStatement
		TryStatement ThrowStatement ReturnStatement SwitchStatement ConditionalExpression SpreadElement AwaitExpression ImportExpression
		TSInterfaceDeclaration TSTypeAliasDeclaration TSEnumDeclaration`),
	weak: set('AssignmentExpression ObjectExpression ArrayExpression UpdateExpression LogicalExpression'),
	isKnown: (name) => javaScriptGlobals.has(name),
	nameOf: (node) => (node.type === 'Identifier' ? String(node.name) : null),
	attributes:
		set(`constructor prototype length push forEach toString indexOf charAt charCodeAt toUpperCase toLowerCase trim call apply bind then
		catch includes slice splice concat toFixed hasOwnProperty __proto__`),
	attributeOf: (node) => (node.type === 'MemberExpression' ? nameIn(node.property, 'name').join('') : ''),
	calls: set('CallExpression NewExpression TaggedTemplateExpression ImportExpression AwaitExpression'),
	binds: (node) => {
		if (node.type === 'VariableDeclarator' || node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration')
			return nameIn(node.id, 'name');
		return node.type === 'AssignmentExpression' ? nameIn(node.left, 'name') : [];
	},
};

interface Tally {
	score: number;
	calls: number;
	readonly used: Set<string>;
	readonly bound: Set<string>;
}

/** An expression over names that nobody binds and that calls nothing (`ls -la`) is no program but a command line. */
function treeEvidence(root: unknown, view: View): number {
	const tally: Tally = { score: 0, calls: 0, used: new Set(), bound: new Set() };
	const pending: unknown[] = [root];
	for (let seen = 0; pending.length > 0 && seen < mostNodes; seen++) {
		const node = pending.pop();
		if (node === null || typeof node !== 'object') continue;
		if (!Array.isArray(node)) weigh(node as Tree, view, tally);
		for (const value of Object.values(node)) if (typeof value === 'object' && value !== null) pending.push(value);
	}
	const free = [...tally.used].filter((name) => !tally.bound.has(name));
	const known = free.filter(view.isKnown).length;
	const isBare = tally.score === 0 && tally.calls === 0 && free.length > 0 && known === 0;
	return isBare ? -5 : tally.score + 3 * known - 0.5 * Math.min(6, free.length - known);
}

function weigh(node: Tree, view: View, tally: Tally): void {
	const type = view.typeOf(node);
	if (type === '') return;
	if (view.strong.has(type)) tally.score += 3;
	else if (view.weak.has(type)) tally.score += 1;
	if (view.calls.has(type)) {
		tally.calls++;
		tally.score += 0.5;
	}
	if (view.attributes.has(view.attributeOf(node))) tally.score += 2;
	const name = view.nameOf(node);
	if (name !== null) tally.used.add(name);
	for (const bound of view.binds(node)) tally.bound.add(bound);
}

/** What no tree holds: comments, semicolons, filled templates. */
function javaScriptText(text: string, isTypeScript: boolean): number {
	const lines = text.slice(0, 8000).split('\n');
	const ended = lines.filter((line) => /;\s*(\/\/.*)?$/.test(line)).length;
	const commented = lines.filter((line) => /^\s*(\/\/|\/\*|\*\/)/.test(line)).length;
	return (
		Math.min(8, 3 * ended) +
		3 * Math.min(2, commented) +
		(hasFilledTemplate(text) ? 3 : 0) +
		(/[!=]==/.test(text) ? 3 : 0) -
		(isTypeScript ? 2 : 0)
	);
}

const hasFilledTemplate = (text: string): boolean =>
	text
		.split('`')
		.slice(1, -1)
		.some((piece) => piece.includes('${'));

function bashEvidence(tree: ParsedScript): number {
	let score = 0;
	const own = new Set<string>();
	const pending: SyntaxNode[] = [tree];
	for (let seen = 0; pending.length > 0 && seen < mostNodes; seen++) {
		const node = pending.pop() as SyntaxNode;
		if (node.type === 'Function') own.add(node.name.value);
		score += node.type === 'Command' ? commandEvidence(node, own) : (bashShapes[node.type] ?? 0);
		forEachChild(node, (child) => {
			pending.push(child);
		});
	}
	return score;
}

const bashShapes: Readonly<Record<string, number>> = {
	If: 3,
	For: 3,
	While: 3,
	Case: 3,
	Function: 2,
	TestCommand: 3,
	Pipeline: 2,
	AndOr: 2,
	Redirect: 2,
	HereDoc: 3,
	SimpleExpansion: 2,
	ParameterExpansion: 2,
	CommandExpansion: 2,
	ArithmeticExpansion: 2,
	ProcessSubstitution: 3,
	Subshell: -1,
};

function commandEvidence(node: Extract<SyntaxNode, { type: 'Command' }>, own: ReadonlySet<string>): number {
	const args = node.args.map((arg) => arg.text);
	const assigned = node.prefix.filter((one) => one.type === 'Assignment').length;
	if (!node.name)
		return assigned > 0 && /^[A-Z_]+=/.test(node.prefix[0] && 'text' in node.prefix[0] ? node.prefix[0].text : '')
			? 2
			: 0.5;
	const name = node.name.value;
	const foreign = args.some((arg) => /^([=<>+*/%-]=?|==|=>|&&|:)$/.test(arg)) || /[(){}=,;'"]/.test(name) ? -6 : 0;
	const options = args.filter((arg) => /^--?[a-zA-Z]/.test(arg)).length;
	const known = commandNames.has(name) || own.has(name) || /^(\.{0,2}\/|~\/)[\w./-]+$/.test(name);
	return foreign + (known ? 3 : /^\$|^"\$/.test(node.name.text) ? 1 : -2) + Math.min(3, options);
}

/**
 * Reads one-liners of JavaScript. Allowed is a closed part of the language: known globals and known members, so that nothing can
 * reach a constructor of functions, a module or a process. Pure.
 */
import type { Node as SyntaxNode } from 'acorn';
import { parse } from '../../checker/languages/parse.ts';

const globals = new Set(
	`console Math JSON Array Object String Number Boolean Date BigInt Map Set Promise Buffer parseInt parseFloat isNaN isFinite undefined NaN
	Infinity setTimeout setInterval setImmediate clearTimeout clearInterval process performance encodeURIComponent decodeURIComponent
	Error TypeError RangeError Uint8Array`
		.split(/\s+/)
		.filter((name) => name !== ''),
);

/** Globals that are there without being made; declaring them somewhere else makes no use of them harmless. */
const forbidden = new Set(
	`require module exports __filename __dirname globalThis global self window Function GeneratorFunction AsyncFunction eval WebAssembly Reflect
	Proxy fetch WebSocket EventSource Worker MessageChannel MessagePort BroadcastChannel structuredClone queueMicrotask navigator
	localStorage sessionStorage Atomics SharedArrayBuffer FinalizationRegistry WeakRef Symbol Iterator arguments gc
	assert async_hooks buffer child_process cluster constants crypto dgram diagnostics_channel dns domain events fs http http2 https
	inspector module net os path perf_hooks punycode querystring readline repl stream string_decoder sys timers tls trace_events tty
	url util v8 vm wasi worker_threads zlib sqlite test sea`
		.split(/\s+/)
		.filter((name) => name !== ''),
);

const members = new Set(
	`log error warn info debug table time timeEnd PI E abs ceil floor round trunc sign sqrt cbrt pow exp log2 log10 max min random hypot sin cos
	tan asin acos atan atan2 stringify parse isArray from of keys fromEntries length push pop shift unshift
	slice splice concat join reverse sort map filter reduce reduceRight forEach find findIndex findLast some every includes indexOf
	lastIndexOf flat flatMap fill at repeat split trim trimStart trimEnd replace replaceAll match matchAll test exec toUpperCase toLowerCase
	charAt charCodeAt codePointAt fromCharCode fromCodePoint padStart padEnd startsWith endsWith substring toString toFixed toPrecision
	toISOString toJSON toLocaleString toLocaleDateString toLocaleTimeString getTime getFullYear getMonth getDate getDay getHours
	getMinutes getSeconds getMilliseconds now UTC get set has add delete clear size next value done resolve all then catch finally
	stdout stderr write exit exitCode argv version versions node v8 platform arch pid ppid uptime hrtime bigint memoryUsage heapUsed rss
	heapTotal isInteger isSafeInteger MAX_SAFE_INTEGER MIN_SAFE_INTEGER EPSILON MAX_VALUE MIN_VALUE alloc byteLength concat on message name`
		.split(/\s+/)
		.filter((name) => name !== ''),
);

const nodeTypes = new Set(
	`Program ExpressionStatement VariableDeclaration VariableDeclarator Identifier Literal TemplateLiteral TemplateElement BinaryExpression
	LogicalExpression UnaryExpression UpdateExpression AssignmentExpression ConditionalExpression CallExpression NewExpression
	MemberExpression ChainExpression ArrayExpression ObjectExpression Property SpreadElement ArrowFunctionExpression FunctionExpression
	FunctionDeclaration BlockStatement ReturnStatement IfStatement ForStatement ForOfStatement WhileStatement DoWhileStatement
	BreakStatement ContinueStatement SwitchStatement SwitchCase ThrowStatement TryStatement CatchClause EmptyStatement SequenceExpression
	ArrayPattern AssignmentPattern RestElement AwaitExpression ParenthesizedExpression`
		.split(/\s+/)
		.filter((type) => type !== ''),
);

type Node = SyntaxNode & { readonly [key: string]: unknown };

const isNode = (value: unknown): value is Node =>
	typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** @returns what in it is not allowed */
export function objectionToJavaScript(text: string): string | undefined {
	const tree = parsed(text);
	if (!tree) return 'a program of JavaScript that is not understood';
	const declared = new Set<string>();
	const used: string[] = [];
	const nodes: Node[] = [tree];
	for (let node = nodes.pop(); node; node = nodes.pop()) {
		const objection = objectionToNode(node, used);
		if (objection !== undefined) return `${objection} of JavaScript`;
		for (const name of declaredBy(node)) declared.add(name);
		nodes.push(...childrenOf(node));
	}
	const unknown = used.find((name) => forbidden.has(name) || (!declared.has(name) && !globals.has(name)));
	return unknown === undefined ? undefined : `the name "${unknown.slice(0, 40)}" of JavaScript`;
}

function parsed(text: string): Node | undefined {
	const { parsed: program } = parse('javascript', text);
	const isPlain = program?.language === 'javascript' && program.dialect === 'javascript';
	return isPlain ? (program.tree as unknown as Node) : undefined;
}

const isProcess = (value: unknown): boolean => isNode(value) && value.type === 'Identifier' && value.name === 'process';

/** Names of members and properties are no expressions, and are judged with what holds them; so is "process.member". */
function childrenOf(node: Node): Node[] {
	const isNamed = (node.type === 'MemberExpression' || node.type === 'Property') && node.computed !== true;
	const name = node.type === 'MemberExpression' ? 'property' : 'key';
	return Object.entries(node)
		.filter(([key, value]) => !(isNamed && (key === name || (key === 'object' && isProcess(value)))))
		.flatMap(([, value]) => [value].flat().filter(isNode));
}

function objectionToNode(node: Node, used: string[]): string | undefined {
	if (!nodeTypes.has(node.type)) return `"${node.type}"`;
	if (node.type === 'Identifier') used.push(String(node.name));
	if (node.type === 'MemberExpression' || node.type === 'Property') return objectionToMember(node);
	if (node.type === 'Identifier' && node.name === 'process') return '"process" as a value';
	return node.generator === true ? 'a generator' : undefined;
}

/** What stands in brackets is only known when it runs, unless it is a number. */
function objectionToMember(node: Node): string | undefined {
	const key = (node.type === 'MemberExpression' ? node.property : node.key) as Node;
	if (node.computed === true)
		return key.type === 'Literal' && typeof key.value === 'number' ? undefined : 'a member in brackets';
	const name = String(key.type === 'Identifier' ? key.name : key.value);
	// Own objects may have any members but those that every object has.
	const isKnown =
		node.type === 'MemberExpression' ? members.has(name) : !/^(__proto__|constructor|prototype)$/.test(name);
	return isKnown ? undefined : `the member "${name.slice(0, 40)}"`;
}

/** Names that a node brings: variables, parameters, functions, what is caught. */
function declaredBy(node: Node): string[] {
	if (node.type === 'VariableDeclarator') return namesIn(node.id);
	if (node.type === 'CatchClause') return namesIn(node.param);
	if (/Function/.test(node.type)) return [...namesIn(node.id), ...(node.params as unknown[]).flatMap(namesIn)];
	return [];
}

function namesIn(pattern: unknown): string[] {
	if (!isNode(pattern)) return [];
	switch (pattern.type) {
		case 'Identifier':
			return [String(pattern.name)];
		case 'ArrayPattern':
			return (pattern.elements as unknown[]).flatMap(namesIn);
		case 'AssignmentPattern':
			return namesIn(pattern.left);
		default:
			return namesIn(pattern.argument);
	}
}

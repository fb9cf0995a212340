/** What a call does: binds arguments, follows indirections, and leaves a fact behind. */
import type { CallNode, Node, Span } from '../languages/ir.ts';
import { bindTo, setField } from './assign.ts';
import { borrowedCall, type CallSite } from './call-site.ts';
import { pathMethods } from './fold-paths.ts';
import {
	formatted,
	growingMethods,
	javaScriptTextMethods,
	listMethods,
	pythonTextMethods,
	takingMethods,
} from './fold-text.ts';
import { javaScriptCalls } from './javascript-calls.ts';
import type { Machine } from './machine.ts';
import { member } from './members.ts';
import { pythonCalls } from './python-calls.ts';
import { Scope } from './scope.ts';
import {
	anyElement,
	elementsOf,
	type FunctionValue,
	HOLE,
	join,
	joinAll,
	keysOf,
	type ListValue,
	list,
	type ObjectValue,
	ref,
	rowOf,
	text,
	textsOf,
	unknown,
	type Value,
	type Values,
} from './value.ts';
import { spend } from './work.ts';

export function evaluateCall(machine: Machine, node: CallNode): Values {
	const callee = machine.evaluate(machine, node.callee);
	const args = argumentsOf(machine, node.args);
	const keywords = keywordsOf(machine, node);
	if (callee.length === 0) noteUnknownCall(machine, node, args, keywords);
	const result = invoke(machine, callee, args, keywords, node);
	machine.noteReferences(result, node);
	return result;
}

function argumentsOf(machine: Machine, nodes: readonly Node[]): Values[] {
	return nodes.flatMap((node): readonly Values[] => {
		if (node.kind !== 'spread') return [machine.evaluate(machine, node)];
		const source = machine.evaluate(machine, node.value);
		return elementsOf(source) ?? [anyElement(source)];
	});
}

function keywordsOf(machine: Machine, node: CallNode): Map<string, Values> {
	const keywords = new Map<string, Values>();
	for (const { name, value } of node.keywords) {
		const values = machine.evaluate(machine, value);
		if (name !== null) keywords.set(name, values);
		else for (const [key, field] of fieldsOf(values)) keywords.set(key, field);
	}
	return keywords;
}

/** The fields of all objects among the values. */
function fieldsOf(values: Values): (readonly [string, Values])[] {
	return values.flatMap((value) => {
		if (value.kind !== 'object') return [];
		spend(4 * value.fields.size);
		return [...value.fields];
	});
}

/** A method of something unknown may still write a file whose name is known. */
function noteUnknownCall(machine: Machine, node: CallNode, args: Values[], keywords: Map<string, Values>): void {
	const { callee } = node;
	if (callee.kind !== 'member' || callee.key.kind !== 'const' || callee.item) return;
	machine.note({ kind: 'call', path: `?.${callee.key.value}`, args, keywords, span: node });
}

const none: ReadonlyMap<string, Values> = new Map();

/** Where a call stands, for those that follow it. */
export function siteOf(
	machine: Machine,
	args: readonly Values[],
	keywords: ReadonlyMap<string, Values>,
	span: Span,
): CallSite {
	return {
		machine,
		span,
		args,
		keywords,
		call: (next, nextArgs) => invoke(machine, next, nextArgs, none, span),
		memberOf: (object, key) => member(machine, object, key, { item: false, span }),
	};
}

export function invoke(
	machine: Machine,
	callee: Values,
	args: readonly Values[],
	keywords: ReadonlyMap<string, Values>,
	span: Span,
): Values {
	const site = siteOf(machine, args, keywords, span);
	return joinAll(callee.map((value) => invokeOne(site, value)));
}

function invokeOne(site: CallSite, callee: Value): Values {
	spend(8 + site.args.length);
	if (callee.kind === 'ref') return callRef(site, callee.path);
	if (callee.kind === 'function') return callFunction(site, callee);
	if (callee.kind === 'method') return callMethod(site, callee.self, callee.name);
	if (callee.kind === 'object') return construct(site, callee);
	if (callee.kind === 'partial') return site.call(callee.callee, [...callee.args, ...site.args]);
	if (callee.kind !== 'getter') return unknown;
	const found = callee.name
		.split('.')
		.reduce((object, key) => site.memberOf(object, text(key)), site.args[0] ?? unknown);
	site.machine.noteReferences(found, site.span);
	return callee.args ? site.call(found, callee.args) : found;
}

function callRef(site: CallSite, path: string): Values {
	const { machine, args, keywords, span } = site;
	machine.note({ kind: 'call', path, args, keywords, span });
	const indirection = (machine.language === 'python' ? pythonCalls : javaScriptCalls)(site, path);
	if (indirection) {
		machine.noteReferences(indirection, span);
		return indirection;
	}
	for (const arg of args) for (const value of arg) if (value.kind === 'function') site.call([value], []);
	return ref(path.endsWith('()') ? path : `${path}()`);
}

/** Joins the arguments into the parameters, then tries the body for these arguments alone. */
function callFunction(site: CallSite, callee: FunctionValue): Values {
	const { machine } = site;
	const args = withSelf(site, callee);
	const scope = machine.scopes.get(callee.node);
	if (scope && !machine.isTrial) bindParameters(site, callee, scope, args);
	const isWorthIt = [...args, ...site.keywords.values()].some((arg) => arg.some(isData));
	if (!isWorthIt || !machine.canTry || machine.language === 'bash') return callee.returns;
	return tryCall(site, callee, args, (nodes) => {
		for (const node of nodes) machine.evaluate(machine, node);
	}).returns;
}

const isData = (value: Value): boolean =>
	value.kind === 'text' || value.kind === 'list' || value.kind === 'number' || value.kind === 'path';

function withSelf(site: CallSite, callee: FunctionValue): readonly Values[] {
	const first = callee.node.params[0]?.target;
	const isMethod = site.machine.language === 'python' && first?.kind === 'name' && /^(self|cls)$/.test(first.name);
	return isMethod ? [callee.self, ...site.args] : site.args;
}

function bindParameters(site: CallSite, callee: FunctionValue, scope: Scope, args: readonly Values[]): void {
	const { machine, keywords } = site;
	machine.within(scope, () => {
		spend(scope.activation.now.size);
		const now = new Map(scope.activation.now);
		callee.node.params.forEach(({ target, takes }, i) => {
			const named = target.kind === 'name' ? keywords.get(target.name) : undefined;
			if (takes === 'one') bindTo(machine, target, named ?? args[i] ?? unknown, 'assignment');
			else if (takes !== 'keywords') bindTo(machine, target, [list(args.slice(takes === 'all' ? 0 : i))], 'assignment');
		});
		if (!machine.isTrial) scope.activation.now = now;
	});
}

/** Runs a body in a scope of its own for these arguments alone. */
export function tryCall(
	site: CallSite,
	callee: FunctionValue,
	args: readonly Values[],
	run: (body: readonly Node[]) => void,
): FunctionValue {
	const { machine } = site;
	return machine.trial(() => {
		const scope = new Scope('function', callee.scope, callee.node.locals, true);
		scope.self = callee.node.ownThis ? callee.self : callee.scope.self;
		const made: FunctionValue = { ...callee, returns: unknown };
		const loops = machine.loops.splice(0);
		machine.functions.push(made);
		machine.within(scope, () => {
			for (const { target, fallback } of callee.node.params) {
				if (fallback) bindTo(machine, target, machine.evaluate(machine, fallback), 'assignment');
			}
			bindParameters(site, callee, scope, args);
			run(callee.node.body);
		});
		machine.functions.pop();
		machine.loops.push(...loops);
		return made;
	});
}

/** A class called is one of its objects, after its constructor has seen the arguments. */
function construct(site: CallSite, callee: ObjectValue): Values {
	const called = callee.fields.get(callee.isClass ? '__init__' : '__call__') ?? callee.fields.get('constructor');
	if (called) for (const value of called) if (value.kind === 'function') callFunction(site, value);
	if (!callee.isClass) return unknown;
	for (const base of callee.bases) if (base.kind === 'ref') callRef(site, base.path);
	const make = callee.fields.get('__new__');
	return make ? join([callee], site.call(make, [[callee], ...site.args])) : [callee];
}

function callMethod(site: CallSite, self: Value, name: string): Values {
	const borrowed = borrowedCall(site, self, name);
	if (borrowed) return borrowed;
	if (self.kind === 'text') return callTextMethod(site, self.text, name);
	if (self.kind === 'list') return callListMethod(site, self, name);
	if (self.kind === 'object') return callObjectMethod(site, self, name);
	if (self.kind === 'path') return callPathMethod(site, self, name);
	if (self.kind === 'number') return name === 'toString' ? numberText(self.number, site.args[0]) : unknown;
	return unknown;
}

const numberText = (value: number, base: Values | undefined): Values => {
	const radix = base?.[0]?.kind === 'number' ? base[0].number : 10;
	return radix >= 2 && radix <= 36 ? text(value.toString(radix)) : unknown;
};

function callTextMethod(site: CallSite, self: string, name: string): Values {
	if (site.machine.language === 'python') {
		if (name === 'format') {
			noteFormatFields(site, self);
			return formatted(self, site.args, site.keywords);
		}
		return rowOf(pythonTextMethods, name)?.(self, site.args) ?? unknown;
	}
	const callback = site.args[1]?.find((value) => value.kind === 'function');
	if (name === 'replace' && callback) return replacedByCall(site, self, callback);
	if (name === 'match' || name === 'matchAll') return [list([], text(HOLE))];
	return rowOf(javaScriptTextMethods, name)?.(self, site.args) ?? unknown;
}

const replacedByCall = (site: CallSite, self: string, callback: Value): Values => {
	site.call([callback], [text(HOLE)]);
	return text(self === '' ? '' : HOLE);
};

/** `"{0.__class__}".format(x)` reads an attribute. */
function noteFormatFields(site: CallSite, self: string): void {
	spend(self.length);
	for (const field of self.matchAll(/\{[^{}]*\}/g)) {
		for (const attribute of field[0].matchAll(/\.(\w+)|\[(\w+)\]/g)) {
			const name = attribute[1] ?? attribute[2] ?? '';
			site.machine.note({ kind: 'attribute', name, isOwn: false, span: site.span });
		}
	}
}

const callbackMethods =
	/^(map|flatMap|forEach|filter|some|every|find|findLast|findIndex|sort|reduce|reduceRight|then)$/;

function callListMethod(site: CallSite, self: ListValue, name: string): Values {
	if (growingMethods.has(name)) return grow(site, self, name);
	if (takingMethods.has(name) && name !== 'find') return anyElement([self]);
	if (site.machine.language === 'javascript' && callbackMethods.test(name)) return callWithElements(site, self, name);
	return rowOf(listMethods, name)?.(self, site.args) ?? unknown;
}

/** What is put in later has no known place, unless the way there is straight. */
function grow(site: CallSite, self: ListValue, name: string): Values {
	const { machine, args } = site;
	const added =
		name === 'insert' ? args.slice(1) : name === 'extend' ? (elementsOf(args[0] ?? unknown) ?? [text(HOLE)]) : args;
	const isStraight = machine.scope.activation.conditional === 0 && name !== 'unshift' && name !== 'insert';
	spend(self.items.length / 8);
	if (isStraight && self.items.length < 512) self.items = [...self.items, ...added];
	else self.rest = join(self.rest, join(joinAll(added), text(HOLE)));
	return unknown;
}

function callWithElements(site: CallSite, self: ListValue, name: string): Values {
	const [callback = unknown, initial] = site.args;
	const any = anyElement([self]);
	if (name === 'reduce' || name === 'reduceRight') return reduced(site, self, callback, initial);
	const result = site.call(callback, [any, [{ kind: 'number', number: 0 }], [self]]);
	if (name === 'filter' || name === 'sort') return [list([], join(any, self.rest))];
	if (name !== 'map' && name !== 'flatMap') return name === 'find' || name === 'findLast' ? any : unknown;
	const { machine } = site;
	if (self.rest.length > 0 || self.items.length > 256 || !machine.canTry) return [list([], join(result, text(HOLE)))];
	return [
		list(
			self.items.map((item, i) => machine.trial(() => site.call(callback, [item, [{ kind: 'number', number: i }]]))),
		),
	];
}

function reduced(site: CallSite, self: ListValue, callback: Values, initial: Values | undefined): Values {
	const items = initial === undefined ? self.items : [initial, ...self.items];
	if (self.rest.length > 0 || items.length > 64) return site.call(callback, [unknown, anyElement([self])]);
	return items.slice(1).reduce<Values>((made, item) => site.call(callback, [made, item]), items[0] ?? unknown);
}

function callObjectMethod(site: CallSite, self: ObjectValue, name: string): Values {
	const [key = unknown, value = unknown] = site.args;
	if (name === 'values' || name === 'items') spend(8 * self.fields.size);
	if (name === 'get' || name === 'pop' || name === '__getitem__' || name === 'setdefault') {
		return joinAll([...textsOf(key).map((one) => self.fields.get(one) ?? self.rest), value]);
	}
	if (name === 'set' || name === '__setitem__') {
		for (const one of textsOf(key)) setField(site.machine, self, one, value);
		return [self];
	}
	if (name === 'keys') return [list(keysOf(self))];
	if (name === 'values') return [list([...self.fields.values()], self.rest)];
	if (name === 'items')
		return [
			list(
				[...self.fields].map(([one, values]) => [list([text(one), values])]),
				self.rest,
			),
		];
	if (name === 'update') for (const [k, v] of fieldsOf(key)) setField(site.machine, self, k, v);
	return unknown;
}

function callPathMethod(site: CallSite, self: Extract<Value, { kind: 'path' }>, name: string): Values {
	const { machine, args, keywords, span } = site;
	const other = rowOf(pathMethods, name)?.(self.text, args);
	if (other) return other;
	machine.note({ kind: 'call', path: `pathlib.Path.${name}`, args: [[self], ...args], keywords, span });
	if (name === 'iterdir' || name === 'glob' || name === 'rglob')
		return [list([], [{ kind: 'path', text: `${self.text}/${HOLE}` }])];
	return unknown;
}

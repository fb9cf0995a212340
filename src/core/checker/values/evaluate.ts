/** Walks a lowered program over one environment until the environment stops growing, then reports what it saw. */
import type { Language } from '../../../contract/language.ts';
import type { Fact } from '../facts.ts';
import type {
	BindNode,
	ClassNode,
	ComprehensionNode,
	FunctionNode,
	Mention,
	Node,
	NodeOf,
	Program,
} from '../languages/ir.ts';
import { bindTo, removeFrom } from './assign.ts';
import { evaluateCall } from './calls.ts';
import { fold } from './fold-text.ts';
import { lookUp } from './lookup.ts';
import { Machine } from './machine.ts';
import { member, moduleRef } from './members.ts';
import { type Binding, meet, Scope } from './scope.ts';
import { evaluateCommand, evaluateGroup, evaluateOutput, evaluatePipeline, fieldsOf } from './shell.ts';
import { evaluateVariable } from './shell-variables.ts';
import {
	anyElement,
	elementsOf,
	type FunctionValue,
	HOLE,
	join,
	joinAll,
	list,
	number,
	object,
	ref,
	refsOf,
	text,
	textsOf,
	unknown,
	type Values,
} from './value.ts';
import { spend } from './work.ts';

const mostPasses = 5;
/** A program that says this much is read twice and no more. */
const manyFacts = 4_000;
const mostElements = 256;

/** The facts of a program. The last pass runs over everything that the passes before it found out. */
export function factsOf(language: Language, program: Program): Fact[] {
	const machine = new Machine(language, evaluate, program.locals);
	for (let pass = 0; pass < mostPasses; pass++) {
		machine.startPass();
		evaluateAll(machine, program.body);
		if (pass > 0 && (!machine.hasChanged || machine.facts.length > manyFacts)) break;
	}
	for (const mention of program.mentions) machine.note(mentioned(mention));
	return machine.facts;
}

const mentioned = (mention: Mention): Fact =>
	'shape' in mention
		? { kind: 'shape', shape: mention.shape, span: mention }
		: { kind: 'attribute', name: mention.attribute, isOwn: false, span: mention };

type Evaluators = { [K in Node['kind']]: (machine: Machine, node: NodeOf<K>) => Values };

export function evaluate(machine: Machine, node: Node): Values {
	if (!machine.step()) return unknown;
	return (evaluators[node.kind] as (machine: Machine, node: Node) => Values)(machine, node);
}

function evaluateAll(machine: Machine, nodes: readonly Node[]): Values {
	let last: Values = unknown;
	for (const node of nodes) last = evaluate(machine, node);
	return last;
}

/** A value that is only stepped through: its references count when nothing longer is made of them. */
function evaluateObject(machine: Machine, node: Node): Values {
	if (node.kind === 'name') return lookUp(machine, node);
	return node.kind === 'member' ? evaluateMember(machine, node, false) : evaluate(machine, node);
}

function evaluateMember(machine: Machine, node: NodeOf<'member'>, isUse: boolean): Values {
	const object = evaluateObject(machine, node.object);
	const key = evaluate(machine, node.key);
	const found = member(machine, object, key, { item: node.item, span: node });
	const passes = node.object.kind === 'name' || node.object.kind === 'member';
	if (passes) machine.noteReferences(object, node.object, refsOf(found));
	if (isUse) machine.noteReferences(found, node);
	if (!node.item) noteAttribute(machine, node, object);
	return found;
}

function noteAttribute(machine: Machine, node: NodeOf<'member'>, object: Values): void {
	if (node.key.kind !== 'const' || typeof node.key.value !== 'string') return;
	const isOwn = object.length > 0 && object.every((value) => value.kind === 'object');
	machine.note({ kind: 'attribute', name: node.key.value, isOwn, span: node });
}

function evaluateFunction(machine: Machine, node: FunctionNode): Values {
	const made = machine.make<FunctionValue>(node, () => ({
		kind: 'function',
		node,
		scope: machine.scope,
		self: unknown,
		returns: unknown,
	}));
	const scope = machine.scopeFor(node, () => new Scope('function', machine.scope, node.locals, true));
	scope.self = node.ownThis ? made.self : machine.scope.self;
	for (const { fallback } of node.params) if (fallback) evaluate(machine, fallback);
	runBody(machine, made, scope);
	return [made];
}

/** Looks at a body with whatever its parameters may be. */
function runBody(machine: Machine, made: FunctionValue, scope: Scope): void {
	const loops = machine.loops.splice(0);
	machine.functions.push(made);
	machine.within(scope, () => {
		for (const { target, fallback } of made.node.params) {
			if (fallback)
				bindTo(
					machine,
					target,
					machine.trial(() => evaluate(machine, fallback)),
					'assignment',
				);
		}
		scope.activation.now.clear();
		evaluateAll(machine, made.node.body);
	});
	machine.functions.pop();
	machine.loops.push(...loops);
}

function evaluateClass(machine: Machine, node: ClassNode): Values {
	const made = machine.make(node, () => object(true));
	const bases = joinAll(node.bases.map((base) => evaluate(machine, base)));
	made.bases = join(
		made.bases,
		bases.filter((base) => base !== made),
	);
	const scope = machine.scopeFor(node, () => new Scope('class', machine.scope, node.locals, true));
	scope.self = [made];
	machine.within(scope, () => evaluateAll(machine, node.body));
	spend(scope.bindings.size);
	for (const [name, binding] of scope.bindings) {
		made.fields.set(name, binding.all);
		for (const value of binding.all) if (value.kind === 'function') adopt(machine, value, made);
	}
	return [made];
}

/** A method knows its object: as `this`, or as its first parameter. */
function adopt(machine: Machine, method: FunctionValue, owner: Values[number]): void {
	if (method.self.length === 0) machine.hasChanged = true;
	method.self = [owner];
	const first = method.node.params[0]?.target;
	const scope = machine.scopes.get(method.node);
	if (machine.language !== 'python' || first?.kind !== 'name' || !scope) return;
	const binding = scope.bindings.get(first.name);
	if (binding && binding.all.length === 0) machine.assign(binding, scope, [owner]);
}

function evaluateReturn(machine: Machine, node: NodeOf<'return'>): Values {
	const value = returned(machine, node.value);
	const current = machine.currentFunction;
	if (current) {
		const joined = join(current.returns, value);
		if (joined !== current.returns && !machine.isTrial) machine.hasChanged = true;
		current.returns = joined;
	}
	return value;
}

/** `this` of a function that belongs to nothing is the global object. */
function returned(machine: Machine, node: Node): Values {
	const value = evaluate(machine, node);
	const isThis = machine.language === 'javascript' && node.kind === 'name' && node.name === 'this';
	return isThis && value.length === 0 ? ref('globalThis') : value;
}

function evaluateBranch(machine: Machine, node: NodeOf<'branch'>): Values {
	const { activation } = machine.scope;
	const before = activation.now;
	activation.conditional++;
	const ways = node.arms.map((arm) => {
		spend(before.size);
		activation.now = new Map(before);
		evaluateAll(machine, arm);
		return activation.now;
	});
	activation.conditional--;
	activation.now = meet(ways);
	return unknown;
}

/** At the start of a turn, a name that the loop assigns may hold anything that it ever holds. */
function evaluateLoop(machine: Machine, node: NodeOf<'loop'>): Values {
	const { activation } = machine.scope;
	const assigned = machine.assignedIn.get(node) ?? new Set<Binding>();
	machine.assignedIn.set(node, assigned);
	const before = activation.now;
	spend(2 * before.size);
	activation.now = new Map([...before].filter(([binding]) => !assigned.has(binding)));
	activation.conditional++;
	machine.loops.push(assigned);
	evaluateAll(machine, node.body);
	machine.loops.pop();
	activation.conditional--;
	activation.now = meet([before, activation.now]);
	return unknown;
}

function evaluateBind(machine: Machine, node: BindNode): Values {
	const value = evaluate(machine, node.value);
	bindTo(machine, node.target, value, node.by);
	return value;
}

function evaluateEntries(machine: Machine, node: NodeOf<'entries'>): Values {
	const made = machine.make(node, () => object());
	for (const { key, value } of node.entries) {
		const values = evaluate(machine, value);
		if (key === null) copyFields(values, made);
		else
			for (const name of textsOf(evaluate(machine, key)))
				made.fields.set(name, join(made.fields.get(name) ?? unknown, values));
		for (const one of values) if (one.kind === 'function') one.self = [made];
	}
	return [made];
}

function copyFields(from: Values, to: ReturnType<typeof object>): void {
	for (const value of from) {
		if (value.kind === 'object') spend(4 * value.fields.size);
		if (value.kind === 'ref') to.bases = join(to.bases, [value]);
		else if (value.kind !== 'object') to.rest = join(to.rest, [value]);
		else for (const [name, values] of value.fields) to.fields.set(name, join(to.fields.get(name) ?? unknown, values));
	}
}

function evaluateList(machine: Machine, node: NodeOf<'list'>): Values {
	const made = machine.make(node, () => list([]));
	const items: Values[] = [];
	let rest = unknown;
	for (const item of node.items) {
		if (item.kind !== 'spread') {
			items.push(evaluate(machine, item));
			continue;
		}
		const source = evaluate(machine, item.value);
		const elements = elementsOf(source);
		if (elements) items.push(...elements);
		else rest = join(rest, join(anyElement(source), text(HOLE)));
	}
	const known = list(items, rest);
	made.items = known.items;
	made.rest = known.rest;
	return [made];
}

/** With a known source the elements are made one by one; otherwise one stands for all. */
function evaluateComprehension(machine: Machine, node: ComprehensionNode): Values {
	const scope = machine.scopeFor(node, () => new Scope('block', machine.scope, node.locals, true));
	return machine.within(scope, () => {
		for (const { target, source, conditions } of node.clauses) {
			bindTo(machine, target, anyElement(evaluate(machine, source)), 'assignment');
			evaluateAll(machine, conditions);
		}
		if (node.key) evaluate(machine, node.key);
		const any = evaluate(machine, node.element);
		if (node.key) return [mapOf(machine, node, any)];
		const exact: Values[] = [];
		const isExact = machine.canTry && machine.trial(() => collect(machine, node, 0, exact));
		return [isExact ? list(exact) : list([], join(any, text(HOLE)))];
	});
}

function mapOf(machine: Machine, node: ComprehensionNode, any: Values): ReturnType<typeof object> {
	const made = machine.make(node, () => object());
	made.rest = join(made.rest, any);
	return made;
}

function collect(machine: Machine, node: ComprehensionNode, depth: number, into: Values[]): boolean {
	const clause = node.clauses[depth];
	if (!clause) {
		into.push(evaluate(machine, node.element));
		return into.length <= mostElements;
	}
	const elements = elementsOf(evaluate(machine, clause.source));
	if (!elements || elements.length > mostElements || clause.conditions.length > 0) return false;
	return elements.every((element) => {
		bindTo(machine, clause.target, element, 'assignment');
		return collect(machine, node, depth + 1, into);
	});
}

function evaluateInert(machine: Machine, node: NodeOf<'inert'>): Values {
	for (const operand of node.nodes) evaluateObject(machine, operand);
	return unknown;
}

function evaluateImport(machine: Machine, node: NodeOf<'import'>): Values {
	machine.note({ kind: 'import', module: node.module, span: node });
	return node.gives.startsWith('.') ? unknown : moduleRef(machine, node.gives);
}

function evaluateStar(machine: Machine, node: NodeOf<'star'>): Values {
	machine.note({ kind: 'import', module: node.module, span: node });
	const [path] = refsOf(moduleRef(machine, node.module));
	const { stars } = machine.scope.root;
	if (path && !stars.includes(path)) stars.push(path);
	return unknown;
}

const evaluators: Evaluators = {
	const: (_, { value }) => (value === null ? unknown : typeof value === 'string' ? text(value) : number(value)),
	name: (machine, node) => {
		const values = lookUp(machine, node);
		machine.noteReferences(values, node);
		return values;
	},
	member: (machine, node) => evaluateMember(machine, node, true),
	call: evaluateCall,
	import: evaluateImport,
	star: evaluateStar,
	fold: (machine, node) =>
		fold(
			node.operator,
			node.operands.map((operand) => evaluate(machine, operand)),
		),
	entries: evaluateEntries,
	list: evaluateList,
	spread: (machine, node) => anyElement(evaluate(machine, node.value)),
	function: evaluateFunction,
	class: evaluateClass,
	alt: (machine, node) => joinAll(node.choices.map((choice) => evaluate(machine, choice))),
	bind: evaluateBind,
	remove: (machine, node) => {
		removeFrom(machine, node.target);
		return unknown;
	},
	return: evaluateReturn,
	sequence: (machine, node) => evaluateAll(machine, node.nodes),
	branch: evaluateBranch,
	loop: evaluateLoop,
	element: (machine, node) => {
		const any = anyElement(evaluate(machine, node.of));
		return machine.language === 'bash' ? fieldsOf(any) : any;
	},
	comprehension: evaluateComprehension,
	inert: evaluateInert,
	block: (machine, node) =>
		machine.within(
			machine.scopeFor(node, () => new Scope('block', machine.scope, node.locals, true)),
			() => evaluateAll(machine, node.body),
		),
	command: evaluateCommand,
	pipeline: evaluatePipeline,
	group: evaluateGroup,
	output: evaluateOutput,
	variable: evaluateVariable,
};

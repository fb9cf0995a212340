/** Puts values into names, members and patterns. */
import type { BindNode, Node } from '../languages/ir.ts';
import { outside } from './lookup.ts';
import type { Machine } from './machine.ts';
import { member } from './members.ts';
import { anyElement, elementsOf, join, list, type ObjectValue, textsOf, unknown, type Values } from './value.ts';

export function bindTo(machine: Machine, target: Node, values: Values, by: BindNode['by']): void {
	if (target.kind === 'name') bindName(machine, target.name, target.from, values, by);
	else if (target.kind === 'member') bindMember(machine, target, values);
	else if (target.kind === 'list') bindItems(machine, target.items, values);
	else if (target.kind === 'entries') bindFields(machine, target, values);
	else if (target.kind === 'alt') bindWithFallback(machine, target.choices, values);
}

function bindName(machine: Machine, name: string, at: number, values: Values, by: BindNode['by']): void {
	const { scope } = machine;
	const owner = scope.owner(name);
	const binding = scope.bindingFor(name);
	const isPlain = scope.activation.conditional === 0;
	if (by === 'definition' && isPlain) binding.definedFrom = Math.min(binding.definedFrom, at);
	const imported = by === 'import' && owner?.kind !== 'function' ? join(values, outside(machine, name)) : values;
	machine.assign(binding, owner ?? scope.root, imported);
}

function bindMember(machine: Machine, target: Extract<Node, { kind: 'member' }>, values: Values): void {
	const owners = machine.evaluate(machine, target.object);
	const key = machine.evaluate(machine, target.key);
	for (const owner of owners) {
		if (owner.kind === 'object') for (const name of textsOf(key)) setField(machine, owner, name, values);
		else if (owner.kind === 'list') owner.rest = join(owner.rest, values);
		else if (owner.kind === 'function' && textsOf(key).includes('prototype')) owner.self = join(owner.self, values);
		else if (owner.kind === 'ref') noteAssigned(machine, owner.path, key, target);
	}
	if (owners.length === 0) for (const name of textsOf(key)) noteUnknownAssigned(machine, name, target);
}

function noteAssigned(machine: Machine, path: string, key: Values, target: Extract<Node, { kind: 'member' }>): void {
	for (const name of textsOf(key)) machine.note({ kind: 'assign', path: `${path}.${name}`, span: target });
	if (path === 'globalThis' || path === 'builtins.globals()')
		for (const name of textsOf(key)) machine.scope.root.bindingFor(name);
}

const noteUnknownAssigned = (machine: Machine, name: string, target: Extract<Node, { kind: 'member' }>): void =>
	machine.note({ kind: 'assign', path: `?.${name}`, span: target });

export function setField(machine: Machine, owner: ObjectValue, name: string, values: Values): void {
	const before = owner.fields.get(name);
	const joined = join(before ?? unknown, values);
	if (joined !== before && !machine.isTrial) machine.hasChanged = true;
	owner.fields.set(name, joined);
}

function bindItems(machine: Machine, targets: readonly Node[], values: Values): void {
	const elements = elementsOf(values);
	const any = elements ? unknown : anyElement(values);
	targets.forEach((target, i) => {
		if (target.kind === 'spread') bindTo(machine, target.value, [list(elements?.slice(i) ?? [], any)], 'assignment');
		else bindTo(machine, target, elements ? (elements[i] ?? unknown) : any, 'assignment');
	});
}

function bindFields(machine: Machine, pattern: Extract<Node, { kind: 'entries' }>, values: Values): void {
	for (const { key, value } of pattern.entries) {
		if (key === null) bindTo(machine, value, values, 'assignment');
		else {
			const found = member(machine, values, machine.evaluate(machine, key), { item: false, span: value });
			machine.noteReferences(found, value);
			bindTo(machine, value, found, 'assignment');
		}
	}
}

/** A target with a default: the first choice is the target, the second the default. */
function bindWithFallback(machine: Machine, [target, fallback]: readonly Node[], values: Values): void {
	if (!target) return;
	bindTo(machine, target, join(values, fallback ? machine.evaluate(machine, fallback) : unknown), 'assignment');
}

/** After `del name` the builtin of that name is back. */
export function removeFrom(machine: Machine, target: Node): void {
	if (target.kind === 'list') for (const item of target.items) removeFrom(machine, item);
	if (target.kind === 'member') machine.evaluate(machine, target.object);
	if (target.kind !== 'name') return;
	const owner = machine.scope.owner(target.name);
	const binding = owner?.bindings.get(target.name);
	if (!owner || !binding) return;
	binding.definedFrom = Number.POSITIVE_INFINITY;
	machine.assign(binding, owner, join(binding.all, outside(machine, target.name)));
}

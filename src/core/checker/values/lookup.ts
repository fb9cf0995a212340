/** What a name means at a place. */
import type { NameNode } from '../languages/ir.ts';
import type { Machine } from './machine.ts';
import { globalObjects, pythonBuiltins, pythonSynonyms } from './names.ts';
import type { Scope } from './scope.ts';
import { join, joinAll, ref, rowOf, text, unknown, type Values } from './value.ts';

export function lookUp(machine: Machine, node: NameNode): Values {
	const { name } = node;
	if (name === 'this') return machine.scope.self;
	const owner = machine.scope.owner(name);
	const binding = owner?.bindings.get(name);
	if (!owner || !binding) return outside(machine, name);
	const now = owner.activation === machine.scope.activation ? owner.activation.now.get(binding) : undefined;
	if (now !== undefined) return now.length > 0 || isHidden(machine, owner) ? now : binding.all;
	const hides = isHidden(machine, owner) && binding.isDeclared;
	return hides || binding.definedFrom < node.from ? binding.all : join(binding.all, outside(machine, name));
}

/** In the body of a module or class of Python a builtin shows through until the name is really assigned. */
const isHidden = (machine: Machine, owner: Scope): boolean =>
	machine.language !== 'python' || owner.kind === 'function' || owner.kind === 'block';

/** A name that the program does not bind. */
export function outside(machine: Machine, name: string): Values {
	return machine.language === 'python'
		? pythonName(machine, name)
		: machine.language === 'javascript'
			? javaScriptName(name)
			: unknown;
}

const pythonConstants: Readonly<Record<string, Values>> = {
	__builtins__: ref('builtins'),
	__loader__: ref('builtins.__loader__'),
	__spec__: ref('builtins.__spec__'),
	__name__: text('__main__'),
	__file__: text('/code/main.py'),
};

function pythonName(machine: Machine, name: string): Values {
	const builtin = pythonBuiltins.has(name) ? ref(`builtins.${name}`) : (rowOf(pythonConstants, name) ?? unknown);
	const { stars } = machine.scope.root;
	const starred = stars.map((module) => ref(rowOf(pythonSynonyms, `${module}.${name}`) ?? `${module}.${name}`));
	return rowOf(pythonConstants, name) || stars.length === 0 ? builtin : join(builtin, joinAll(starred));
}

const javaScriptConstants: Readonly<Record<string, Values>> = {
	undefined: unknown,
	__dirname: text('/code'),
	__filename: text('/code/main.js'),
};

function javaScriptName(name: string): Values {
	if (globalObjects.has(name)) return ref('globalThis');
	return rowOf(javaScriptConstants, name) ?? ref(`globalThis.${name}`);
}

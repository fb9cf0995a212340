/** Names and what they may mean: everything ever assigned, and what holds right now on the straight way through a body. */
import { join, unknown, type Values } from './value.ts';
import { spend } from './work.ts';

export class Binding {
	/** The join of all assignments, wherever they are. */
	all: Values = unknown;
	/** Whether the language itself says that the name is a local one, so that no builtin shows through. */
	readonly isDeclared: boolean;
	/** Where a plain definition at the top of the scope takes the name away from the builtin. */
	definedFrom = Number.POSITIVE_INFINITY;

	constructor(isDeclared: boolean) {
		this.isDeclared = isDeclared;
	}
}

/** One running body: what its names hold at the point that is being looked at. */
export class Activation {
	now = new Map<Binding, Values>();
	/** Depth of branches, loops and handlers around the point: a definition inside them may not happen. */
	conditional = 0;
}

export type ScopeKind = 'module' | 'function' | 'class' | 'block';

export class Scope {
	readonly kind: ScopeKind;
	readonly parent: Scope | null;
	readonly activation: Activation;
	readonly bindings = new Map<string, Binding>();
	/** Modules whose names were imported with a star. */
	readonly stars: string[] = [];
	self: Values = unknown;

	constructor(kind: ScopeKind, parent: Scope | null, locals: Iterable<string>, isDeclared: boolean) {
		this.kind = kind;
		this.parent = parent;
		this.activation = kind === 'block' && parent ? parent.activation : new Activation();
		for (const name of locals) this.bindings.set(name, new Binding(isDeclared));
	}

	/** The scope in which a name lives, seen from here. The methods of a class do not see the names of its body. */
	owner(name: string): Scope | null {
		if (this.bindings.has(name)) return this;
		for (let scope = this.parent; scope; scope = scope.parent) {
			if (scope.kind !== 'class' && scope.bindings.has(name)) return scope;
		}
		return null;
	}

	get root(): Scope {
		return this.parent ? this.parent.root : this;
	}

	bindingFor(name: string): Binding {
		const found = this.owner(name)?.bindings.get(name);
		if (found) return found;
		const binding = new Binding(false);
		this.root.bindings.set(name, binding);
		return binding;
	}
}

/** Keeps of two ways only what both agree to know; for the rest all assignments count. */
export function meet(ways: readonly ReadonlyMap<Binding, Values>[]): Map<Binding, Values> {
	const [first, ...others] = ways;
	const met = new Map<Binding, Values>();
	spend((first?.size ?? 0) * ways.length);
	for (const [binding, values] of first ?? []) {
		if (others.every((way) => way.has(binding))) {
			met.set(
				binding,
				others.reduce<Values>((joined, way) => join(joined, way.get(binding) ?? unknown), values),
			);
		}
	}
	return met;
}

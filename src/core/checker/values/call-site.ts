/** One call with its arguments, and the ways in which a function is called through another one. */
import type { Span } from '../languages/ir.ts';
import type { Machine } from './machine.ts';
import { anyElement, elementsOf, unknown, type Value, type Values } from './value.ts';

/** The arguments of one call and the means to follow it. */
export interface CallSite {
	readonly machine: Machine;
	readonly span: Span;
	readonly args: readonly Values[];
	readonly keywords: ReadonlyMap<string, Values>;
	/** Calls something else from the same place. */
	readonly call: (callee: Values, args: readonly Values[]) => Values;
	readonly memberOf: (object: Values, key: Values) => Values;
}

/** `f.call(this, …)`, `f.apply(this, […])`, `f.bind(this, …)`: the same function in other clothes. */
export function borrowedCall(site: CallSite, self: Value, name: string): Values | null {
	if (site.machine.language !== 'javascript' || !['ref', 'function', 'method', 'partial', 'object'].includes(self.kind))
		return null;
	if (self.kind === 'object' && !self.isClass) return null;
	const args = site.args.slice(1);
	if (name === 'call') return site.call([self], args);
	if (name === 'apply') return site.call([self], elementsOf(args[0] ?? unknown) ?? [anyElement(args[0] ?? unknown)]);
	return name === 'bind' ? [{ kind: 'partial', callee: [self], args }] : null;
}

/** Finds the rule that objects to a resolved name: the longest name that is written down decides. */
import type { ReferencePattern, Rule } from './rule.ts';

export interface Match {
	readonly rule: Rule;
	readonly pattern: ReferencePattern;
}

export class ReferenceIndex {
	readonly #patterns = new Map<string, Match | null>();
	readonly #longest: number;

	constructor(rules: readonly Rule[]) {
		for (const rule of rules) {
			for (const pattern of rule.references ?? []) {
				for (const name of split(pattern.names)) this.#patterns.set(name, { rule, pattern });
				for (const name of split(pattern.free ?? '')) this.#patterns.set(name, null);
			}
		}
		this.#longest = Math.max(0, ...[...this.#patterns.keys()].map((name) => name.length));
	}

	/** Undefined: nobody has written anything about it. Null: it is harmless. */
	find(path: string): Match | null | undefined {
		const isResult = path.includes('()');
		for (let name = this.#start(path); name !== ''; name = shorter(name)) {
			const found = this.#patterns.get(name);
			if (found !== undefined && (!isResult || name.includes('()'))) return found;
		}
		return undefined;
	}

	/** Nothing is written about names that are longer than all that are. */
	#start(path: string): string {
		return path.length <= this.#longest ? path : shorter(path.slice(0, this.#longest + 1));
	}

	/** First segments of all names: modules whose members matter. */
	get modules(): ReadonlySet<string> {
		return new Set([...this.#patterns.keys()].map((name) => name.split('.')[0] as string));
	}
}

const split = (names: string): string[] => names.split(/\s+/).filter((name) => name !== '');

const shorter = (name: string): string => {
	const end = Math.max(name.lastIndexOf('.'), name.lastIndexOf('/'));
	return end < 0 ? '' : name.slice(0, end);
};

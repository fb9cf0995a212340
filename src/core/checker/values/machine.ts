/** The state of one evaluation: where it is, what it has seen, and how much more it may do. */
import type { Language } from '../../../contract/language.ts';
import type { CommandInput, Fact } from '../facts.ts';
import type { Node, Span } from '../languages/ir.ts';
import { type Binding, Scope } from './scope.ts';
import {
	type FunctionValue,
	join,
	type ListValue,
	type ObjectValue,
	refsOf,
	type Value,
	type Values,
} from './value.ts';
import { spend } from './work.ts';

/** Steps that calls looked at once more for their own arguments may take: one of them, and all of a pass together. */
const stepsOfTrial = 3_000;
const stepsOfAllTrials = 15_000;
const deepestTrial = 5;
const unitsOfStep = 8;
/** A fact is kept, and held against every rule. */
const unitsOfFact = 40;

export class Machine {
	readonly language: Language;
	readonly evaluate: (machine: Machine, node: Node) => Values;
	scope: Scope;
	facts: Fact[] = [];
	hasChanged = false;
	/** Containers and functions live as long as the evaluation, one for each place that makes them. */
	readonly made = new Map<Node, Value>();
	readonly scopes = new Map<Node, Scope>();
	/** Which names each loop assigns, learnt while it is walked. */
	readonly assignedIn = new Map<Node, Set<Binding>>();
	readonly loops: Set<Binding>[] = [];
	readonly functions: FunctionValue[] = [];
	/** What the command that is being looked at reads from the one before it. */
	pipe: CommandInput | null = null;
	/** Whether what commands print is of interest. */
	isCaptured = false;
	/** Files that `<(…)` stands for. */
	readonly substituted = new Map<string, CommandInput>();
	/** Whether the name of a command is being evaluated. */
	isCommandName = false;
	#trials = 0;
	#trialSteps = 0;
	#trialEnd = 0;

	constructor(language: Language, evaluate: (machine: Machine, node: Node) => Values, locals: Iterable<string>) {
		this.language = language;
		this.evaluate = evaluate;
		this.scope = new Scope('module', null, locals, true);
	}

	get isTrial(): boolean {
		return this.#trials > 0;
	}

	get canTry(): boolean {
		return this.#trials < deepestTrial && this.#trialSteps < stepsOfAllTrials && !this.isExhausted;
	}

	startPass(): void {
		this.facts = [];
		this.hasChanged = false;
		this.#trialSteps = 0;
		this.scope.activation.now.clear();
	}

	/** Counts a step; false when the trial has had its share. */
	step(): boolean {
		spend(unitsOfStep);
		if (this.#trials === 0) return true;
		this.#trialSteps++;
		return !this.isExhausted;
	}

	get isExhausted(): boolean {
		return this.#trials > 0 && this.#trialSteps > this.#trialEnd;
	}

	/** Evaluates without leaving facts behind. */
	trial<T>(run: () => T): T {
		if (this.#trials++ === 0) this.#trialEnd = this.#trialSteps + stepsOfTrial;
		try {
			return run();
		} finally {
			this.#trials--;
		}
	}

	within<T>(scope: Scope, run: () => T): T {
		const outer = this.scope;
		this.scope = scope;
		try {
			return run();
		} finally {
			this.scope = outer;
		}
	}

	/** The scope of a function or class body: the same one in every pass, a fresh one in a trial. */
	scopeFor(node: Node, create: () => Scope): Scope {
		if (this.isTrial) return create();
		const known = this.scopes.get(node);
		if (known) {
			known.activation.now.clear();
			return known;
		}
		const scope = create();
		this.scopes.set(node, scope);
		return scope;
	}

	/** The value that a place makes: the same one in every pass, a fresh one in a trial. */
	make<T extends ListValue | ObjectValue | FunctionValue>(node: Node, create: () => T): T {
		if (this.isTrial) return create();
		const known = this.made.get(node);
		if (known) return known as T;
		const value = create();
		this.made.set(node, value);
		return value;
	}

	note(fact: Fact): void {
		if (this.isTrial) return;
		spend(unitsOfFact);
		this.facts.push(fact);
	}

	noteReferences(values: Values, span: Span, extended: readonly string[] = []): void {
		if (this.isTrial) return;
		for (const path of refsOf(values)) this.note({ kind: 'reference', path, extended, span });
	}

	/** Adds to what a name may mean, and says what it means from here on. */
	assign(binding: Binding, owner: Scope, values: Values): void {
		const joined = join(binding.all, values);
		if (joined !== binding.all) {
			binding.all = joined;
			this.hasChanged = true;
		}
		for (const assigned of this.loops) assigned.add(binding);
		if (owner.activation === this.scope.activation) owner.activation.now.set(binding, values);
	}

	get currentFunction(): FunctionValue | undefined {
		return this.functions[this.functions.length - 1];
	}
}

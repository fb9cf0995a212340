/** What a rule of the kill list is. Pure. */
import type { Fact } from '../../../checker/facts.ts';
import type { Started } from '../started.ts';

export interface KillContext {
	/** Everything the job does, in order. */
	readonly facts: readonly Fact[];
	/** Names of files that were downloaded so far. */
	readonly downloaded: ReadonlySet<string>;
	/** Paths of the agent itself. */
	readonly own: readonly string[];
}

export interface KillRule {
	/** Behind "kill-list/" in the name of the rule. */
	readonly name: string;
	/** What it forbids, to go on after "nobody may: ". */
	readonly what: string;
	/** Looks at a command; absent for rules that look at whole facts. */
	readonly command?: (started: Started, context: KillContext) => boolean;
	readonly fact?: (fact: Fact, context: KillContext) => boolean;
}

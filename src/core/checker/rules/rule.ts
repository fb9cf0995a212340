/** What a rule is: data about what it objects to, and where data is not enough, a judgement of single facts. */
import type { Severity } from '../../../contract/finding.ts';
import type { Language } from '../../../contract/language.ts';
import type { Fact } from '../facts.ts';
import type { CheckOptions } from '../options.ts';

/** Names that a rule objects to, with everything below them. */
export interface ReferencePattern {
	/** Full names, separated by blanks. */
	readonly names: string;
	/** Names below them that are harmless. */
	readonly free?: string;
	/** Whether to object to the import of the module, to its use, or to both. */
	readonly at: 'import' | 'use' | 'both';
	/** What it does, to go on after "`x` is os.system: ". */
	readonly reason: string;
	/** What to do instead. */
	readonly fix: string;
	readonly severity?: Severity;
}

/** One thing that a rule says about a fact. */
export interface Objection {
	readonly severity?: Severity;
	/** The name or value behind what is written. */
	readonly resolved?: string;
	readonly reason: string;
	readonly fix: string;
}

export interface RuleContext {
	readonly options: CheckOptions;
	readonly language: Language;
	/** Modules that the program imports by a statement. */
	readonly imported: ReadonlySet<string>;
	readonly facts: readonly Fact[];
}

export interface Example {
	readonly code: string;
	readonly options?: Partial<CheckOptions>;
}

export interface Rule {
	readonly id: string;
	readonly cwe: string | null;
	readonly severity: Severity;
	readonly language: Language | null;
	/** One sentence for the catalogue. */
	readonly summary: string;
	/** Names of the options that change it. */
	readonly dependsOn: readonly (keyof CheckOptions)[];
	/** `off`: the options allow it. `warn`: they allow it, but the author should know. */
	readonly mode?: (options: CheckOptions) => 'on' | 'off' | 'warn';
	readonly references?: readonly ReferencePattern[];
	readonly judge?: (fact: Fact, context: RuleContext) => readonly Objection[];
	readonly denies: Example;
	readonly allows: Example;
}

export const isNetworkOff = ({ network }: CheckOptions): boolean =>
	network === 'none' || (Array.isArray(network) && network.length === 0);
export const networkMode = (options: CheckOptions): 'on' | 'off' => (isNetworkOff(options) ? 'on' : 'off');

/** The names of several members of one module. */
export const membersOf = (module: string, names: string): string =>
	names
		.trim()
		.split(/\s+/)
		.map((name) => `${module}.${name}`)
		.join(' ');

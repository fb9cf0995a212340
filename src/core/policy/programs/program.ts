/** A program as the policy knows it: which flags and words may follow its name, ready to be asked. Pure. */
import type { RE2JS } from 're2js';

/**
 * What a word may be. text: anything. path: a file or folder that may be read, or "-". folder: one from which later words are read.
 * write: one that may be written. target: the same, with no ".." in it, as for links, which lead on from elsewhere.
 * script, python, javascript, awk, sed, jq: a program in that language, judged by itself. command: the words from here on are a
 * command of their own; more-command: to which others are added that nobody knows, as by xargs. assignment: NAME=value with a name that a job may set.
 */
export type ValueKind =
	| { readonly kind: (typeof namedKinds)[number] }
	| { readonly kind: 'enum'; readonly words: readonly string[] }
	| { readonly kind: 'pattern-of'; readonly source: string; readonly regex: RE2JS };

export const namedKinds = [
	...([
		'text',
		'path',
		'folder',
		'write',
		'target',
		'integer',
		'number',
		'size',
		'duration',
		'name',
		'script',
		'python',
	] as const),
	...(['javascript', 'awk', 'sed', 'jq', 'command', 'more-command', 'assignment'] as const),
];

export interface Flag {
	/** With its dashes. */
	readonly name: string;
	/** What follows it. []: nothing. Several: as many words. */
	readonly values: readonly ValueKind[];
	/** The flag stands alone, and its value is the next word. Otherwise letters may bundle and a value may be attached. */
	readonly isAlone: boolean;
	/** The value may be left out, and must be attached otherwise. */
	readonly isOptional: boolean;
}

export interface Positional {
	readonly value: ValueKind;
	readonly times: 'once' | 'maybe' | 'any';
}

export interface Usage {
	readonly flags: ReadonlyMap<string, Flag>;
	/** "-5" is allowed, as in head. */
	readonly takesNumberFlag: boolean;
	readonly positionals: readonly Positional[];
	readonly positionalsWith: ReadonlyMap<string, readonly Positional[]>;
	readonly needsFlag: readonly string[];
	readonly maxArgs: number;
	readonly flagStyle: 'gnu' | 'words';
	readonly stopsAtPositional: boolean;
	readonly readsNoFlags: boolean;
	/** No word may begin so; null: any may. */
	readonly refusedStart: string | null;
	readonly isHarmlessWithAnyFlag: boolean;
	readonly subcommands: ReadonlyMap<string, Usage>;
}

export interface Program extends Usage {
	readonly name: string;
	readonly path: string | null;
	readonly sha256: string | null;
	readonly isExecCapable: boolean;
	readonly anyArguments: boolean;
	readonly deniedFlags: ReadonlySet<string>;
	readonly isBuiltin: boolean;
	readonly allows: readonly string[];
	readonly denies: readonly string[];
}

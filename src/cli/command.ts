/** What every command is: its flags, its help, and what it does. */
import type { Flags } from './flag-table.ts';

export interface Typed {
	readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
	readonly positionals: readonly string[];
}

export interface Command {
	readonly flags: Flags;
	readonly help: string;
	/** Set by a command that reads signals itself; of all others one ends the work. */
	readonly handlesSignals?: boolean;
	/** @returns the exit code */
	act(typed: Typed, signal: AbortSignal): Promise<number>;
}

/** Commands under one word, as in "secure-code agent serve". They are loaded when one of them is wanted. */
export interface CommandGroup {
	/** What is printed for "secure-code WORD --help". */
	readonly overview: string;
	/** @param args what was typed after the word */
	load(args: readonly string[]): Promise<Readonly<Record<string, Command>>>;
}

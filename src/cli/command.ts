/** What every command is: its flags, its help, and what it does. */
import type { Flags } from './flags.ts';

export interface Typed {
	readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
	readonly positionals: readonly string[];
}

export interface Command {
	readonly flags: Flags;
	readonly help: string;
	/** @returns the exit code */
	act(typed: Typed, signal: AbortSignal): Promise<number>;
}

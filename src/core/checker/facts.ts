/** What a language reader saw, with its place. Rules read facts and know no grammar. */
import type { Language } from '../../contract/language.ts';
import type { Span } from './languages/ir.ts';
import type { Values } from './values/value.ts';

export interface ImportFact {
	readonly kind: 'import';
	readonly module: string;
	readonly span: Span;
}

/** `extended`: the longer names that a member access made of it right there. */
export interface ReferenceFact {
	readonly kind: 'reference';
	readonly path: string;
	readonly extended: readonly string[];
	readonly span: Span;
}

/** `path` is `?.name` for a method of an unknown receiver. */
export interface CallFact {
	readonly kind: 'call';
	readonly path: string;
	readonly args: readonly Values[];
	readonly keywords: ReadonlyMap<string, Values>;
	readonly span: Span;
}

/** `isOwn`: on something that this program defined itself. */
export interface AttributeFact {
	readonly kind: 'attribute';
	readonly name: string;
	readonly isOwn: boolean;
	readonly span: Span;
}

/** A name that is only known at run time: of a module, or of a member of `of`. */
export interface DynamicFact {
	readonly kind: 'dynamic';
	readonly what: 'import' | 'attribute';
	readonly of: string;
	readonly span: Span;
}

export interface AssignFact {
	readonly kind: 'assign';
	readonly path: string;
	readonly span: Span;
}

/** `text` is what a command reads from another one, where that is known. */
export interface CommandInput {
	readonly text: string | null;
	/** The commands before it in the pipeline, nearest first. */
	readonly from: readonly (readonly string[])[];
}

export interface RedirectFact {
	readonly operator: string;
	readonly descriptor: number | null;
	readonly target: string;
}

/** One way a simple command may read once its words are resolved and its wrappers are gone. */
export interface CommandFact {
	readonly kind: 'command';
	readonly argv: readonly string[];
	/** Names of the programs that start it: sudo, env, xargs… */
	readonly wrappers: readonly string[];
	readonly assignments: ReadonlyMap<string, Values>;
	readonly redirects: readonly RedirectFact[];
	readonly input: CommandInput | null;
	/** The folder in which it runs. */
	readonly folder: string;
	readonly background: boolean;
	readonly span: Span;
}

/** A whole program inside another one. */
export interface CodeFact {
	readonly kind: 'code';
	readonly language: Language;
	readonly text: string;
	/** The commands whose output is part of the text. */
	readonly origin: readonly (readonly string[])[] | null;
	readonly span: Span;
}

/** A shape of control flow that is a weapon by itself. */
export interface ShapeFact {
	readonly kind: 'shape';
	readonly shape: 'fork-bomb' | 'endless-background';
	readonly span: Span;
}

export type Fact =
	| ImportFact
	| ReferenceFact
	| CallFact
	| AttributeFact
	| DynamicFact
	| AssignFact
	| CommandFact
	| CodeFact
	| ShapeFact;

export type FactOf<K extends Fact['kind']> = Extract<Fact, { kind: K }>;

/** A script as the policy understands it: our own small tree. What has no place in it is refused, what runs is printed from it. Pure. */

/** glob: stays a wildcard. variable: "$name". status: digits that only the run knows ($?, $$, $#). home: a leading "~". */
export type Piece =
	| { readonly kind: 'text'; readonly text: string }
	| { readonly kind: 'glob'; readonly text: string }
	| { readonly kind: 'variable'; readonly name: string; readonly isQuoted: boolean }
	| { readonly kind: 'status'; readonly name: '?' | '$' | '#' }
	| { readonly kind: 'arithmetic'; readonly text: string }
	| { readonly kind: 'home' }
	| { readonly kind: 'output'; readonly body: List; readonly isQuoted: boolean };

/** No piece at all is the empty word. */
export interface Word {
	readonly pieces: readonly Piece[];
}

export interface Assignment {
	readonly name: string;
	readonly value: Word;
	readonly isAppended: boolean;
}

/** Descriptors are the digits 0 to 9. `both`: stdout and stderr. */
export type Redirect =
	| {
			readonly kind: 'read' | 'write' | 'append' | 'both' | 'both-append';
			readonly descriptor: number;
			readonly file: Word;
	  }
	| {
			readonly kind: 'duplicate';
			readonly descriptor: number;
			readonly from: number | 'close';
			readonly isInput: boolean;
	  }
	| { readonly kind: 'text'; readonly descriptor: number; readonly text: Word };

export interface Simple {
	readonly kind: 'simple';
	readonly assignments: readonly Assignment[];
	readonly words: readonly Word[];
	readonly redirects: readonly Redirect[];
}

export interface Pipeline {
	readonly kind: 'pipeline';
	readonly isNegated: boolean;
	readonly isTimed: boolean;
	readonly stages: readonly Node[];
}

export interface ListItem {
	readonly node: Node;
	/** What stands behind it. */
	readonly operator: '&&' | '||' | ';' | '&';
}
export interface List {
	readonly kind: 'list';
	readonly items: readonly ListItem[];
}

export interface If {
	readonly kind: 'if';
	readonly branches: readonly { readonly test: List; readonly body: List }[];
	readonly otherwise: List | null;
}
export interface For {
	readonly kind: 'for';
	readonly name: string;
	readonly words: readonly Word[];
	readonly body: List;
}
export interface While {
	readonly kind: 'while' | 'until';
	readonly test: List;
	readonly body: List;
}
export interface Case {
	readonly kind: 'case';
	readonly word: Word;
	readonly items: readonly { readonly patterns: readonly Word[]; readonly body: List; readonly end: string }[];
}
export interface Group {
	readonly kind: 'subshell' | 'braces';
	readonly body: List;
}
export interface Redirected {
	readonly kind: 'redirected';
	readonly node: Node;
	readonly redirects: readonly Redirect[];
}

/** What stands between "[[" and "]]". */
export type Condition =
	| { readonly kind: 'unary'; readonly operator: string; readonly operand: Word }
	| { readonly kind: 'binary'; readonly operator: string; readonly left: Word; readonly right: Word }
	| { readonly kind: 'logical'; readonly operator: '&&' | '||'; readonly operands: readonly Condition[] }
	| { readonly kind: 'not'; readonly operand: Condition };
export interface Test {
	readonly kind: 'test';
	readonly condition: Condition;
}

export type Node = Simple | Pipeline | List | If | For | While | Case | Group | Redirected | Test;

/** Why a script cannot be understood, and the construct it is about. */
export class NotUnderstood extends Error {
	/** limit: too long or too deep. syntax: no shell script. dynamic: a script, but what it does is only known when it runs. */
	readonly kind: 'limit' | 'syntax' | 'dynamic';
	constructor(kind: NotUnderstood['kind'], message: string) {
		super(message);
		this.kind = kind;
	}
}

export const wordOf = (text: string): Word => ({ pieces: text === '' ? [] : [{ kind: 'text', text }] });

/** The text of a word that says it all by itself; null when something is only known at run time. */
export function literalOf({ pieces }: Word): string | null {
	const texts = pieces.map((piece) => (piece.kind === 'text' ? piece.text : null));
	return texts.includes(null) ? null : texts.join('');
}

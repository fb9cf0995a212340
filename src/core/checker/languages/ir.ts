/** The tiny language that Python, JavaScript and Bash are lowered to: what a program names, calls, binds and starts. */

/** Half-open range of offsets in the text. */
export interface Span {
	readonly from: number;
	readonly to: number;
}

export interface ConstNode extends Span {
	readonly kind: 'const';
	readonly value: string | number | null;
}

export interface NameNode extends Span {
	readonly kind: 'name';
	readonly name: string;
}

/** `item`: reached with brackets, which Python keeps apart from attributes. */
export interface MemberNode extends Span {
	readonly kind: 'member';
	readonly object: Node;
	readonly key: Node;
	readonly item: boolean;
}

export interface KeywordArgument {
	/** Null: a dictionary that is spread into keywords. */
	readonly name: string | null;
	readonly value: Node;
}

export interface CallNode extends Span {
	readonly kind: 'call';
	readonly callee: Node;
	readonly args: readonly Node[];
	readonly keywords: readonly KeywordArgument[];
	readonly isNew: boolean;
}

/** Loads `module`; its value is the module named `gives` (`import a.b` loads a.b and gives a). */
export interface ImportNode extends Span {
	readonly kind: 'import';
	readonly module: string;
	readonly gives: string;
}

/** Every public name of the module becomes a name of the scope. */
export interface StarImportNode extends Span {
	readonly kind: 'star';
	readonly module: string;
}

export type Operator = 'concat' | '+' | '-' | '*' | '/' | '//' | '%' | '^' | '|' | '&' | '<<' | '>>' | '**' | 'slice';

export interface FoldNode extends Span {
	readonly kind: 'fold';
	readonly operator: Operator;
	readonly operands: readonly Node[];
}

export interface Entry {
	/** Null: another object is spread into this one. */
	readonly key: Node | null;
	readonly value: Node;
}

export interface EntriesNode extends Span {
	readonly kind: 'entries';
	readonly entries: readonly Entry[];
}

export interface ListNode extends Span {
	readonly kind: 'list';
	readonly items: readonly Node[];
}

export interface SpreadNode extends Span {
	readonly kind: 'spread';
	readonly value: Node;
}

export interface Parameter {
	readonly target: Node;
	readonly fallback: Node | null;
	/** How the parameter collects: one argument, all further positional ones, all of them, or all further keywords. */
	readonly takes: 'one' | 'rest' | 'all' | 'keywords';
}

export interface FunctionNode extends Span {
	readonly kind: 'function';
	readonly name: string;
	readonly params: readonly Parameter[];
	readonly body: readonly Node[];
	readonly locals: ReadonlySet<string>;
	/** Arrow functions and Bash functions have no `this` of their own. */
	readonly ownThis: boolean;
}

export interface ClassNode extends Span {
	readonly kind: 'class';
	readonly name: string;
	readonly bases: readonly Node[];
	readonly body: readonly Node[];
	readonly locals: ReadonlySet<string>;
}

/** One of several values. */
export interface AltNode extends Span {
	readonly kind: 'alt';
	readonly choices: readonly Node[];
}

export interface BindNode extends Span {
	readonly kind: 'bind';
	readonly target: Node;
	readonly value: Node;
	/** A real definition takes a builtin name away; an import of the same name does not. */
	readonly by: 'assignment' | 'definition' | 'import';
}

export interface RemoveNode extends Span {
	readonly kind: 'remove';
	readonly target: Node;
}

export interface ReturnNode extends Span {
	readonly kind: 'return';
	readonly value: Node;
}

/** Evaluated in order; the value is that of the last one. */
export interface SequenceNode extends Span {
	readonly kind: 'sequence';
	readonly nodes: readonly Node[];
}

/** Runs exactly one of its arms. */
export interface BranchNode extends Span {
	readonly kind: 'branch';
	readonly arms: readonly (readonly Node[])[];
}

export interface LoopNode extends Span {
	readonly kind: 'loop';
	readonly body: readonly Node[];
}

/** Any element of a list. */
export interface ElementNode extends Span {
	readonly kind: 'element';
	readonly of: Node;
}

export interface Clause {
	readonly target: Node;
	readonly source: Node;
	readonly conditions: readonly Node[];
}

export interface ComprehensionNode extends Span {
	readonly kind: 'comprehension';
	readonly clauses: readonly Clause[];
	/** Set for dictionaries. */
	readonly key: Node | null;
	readonly element: Node;
	readonly locals: ReadonlySet<string>;
}

/** Looked at and forgotten: the operands of a comparison. Mentioning a name there is not using it. */
export interface InertNode extends Span {
	readonly kind: 'inert';
	readonly nodes: readonly Node[];
}

export interface BlockNode extends Span {
	readonly kind: 'block';
	readonly body: readonly Node[];
	readonly locals: ReadonlySet<string>;
}

export interface ShellRedirect extends Span {
	readonly operator: string;
	readonly descriptor: number | null;
	readonly target: Node;
}

/** A simple command of a shell: words before they are split, where its input comes from, and redirections. */
export interface CommandNode extends Span {
	readonly kind: 'command';
	readonly words: readonly Node[];
	readonly assignments: readonly BindNode[];
	readonly redirects: readonly ShellRedirect[];
	/** The text of a here-document or here-string. */
	readonly input: Node | null;
	readonly background: boolean;
}

export interface PipelineNode extends Span {
	readonly kind: 'pipeline';
	readonly stages: readonly Node[];
	readonly background: boolean;
}

/** A compound command of a shell with its own redirections. */
export interface GroupNode extends Span {
	readonly kind: 'group';
	readonly body: readonly Node[];
	readonly redirects: readonly ShellRedirect[];
	readonly input: Node | null;
}

/** The output of commands as text. `file`: handed over as the name of a file, as in `<(…)`. */
export interface OutputNode extends Span {
	readonly kind: 'output';
	readonly body: readonly Node[];
	readonly quoted: boolean;
	readonly file: boolean;
}

/** A variable of a shell with its `${…}` operation. Unquoted values are split into words later. */
export interface VariableNode extends Span {
	readonly kind: 'variable';
	readonly name: string;
	readonly quoted: boolean;
	readonly operation: ShellOperation | null;
}

export interface ShellOperation {
	readonly operator: string;
	readonly operands: readonly Node[];
}

export type Node =
	| ConstNode
	| NameNode
	| MemberNode
	| CallNode
	| ImportNode
	| StarImportNode
	| FoldNode
	| EntriesNode
	| ListNode
	| SpreadNode
	| FunctionNode
	| ClassNode
	| AltNode
	| BindNode
	| RemoveNode
	| ReturnNode
	| SequenceNode
	| BranchNode
	| LoopNode
	| ElementNode
	| ComprehensionNode
	| InertNode
	| BlockNode
	| CommandNode
	| PipelineNode
	| GroupNode
	| OutputNode
	| VariableNode;

export type NodeOf<K extends Node['kind']> = Extract<Node, { kind: K }>;

/** What the lowering saw that no node carries: a keyword of a match pattern, a shape of control flow. */
export type Mention =
	| (Span & { readonly attribute: string })
	| (Span & { readonly shape: 'fork-bomb' | 'endless-background' });

/** A lowered program. `locals`: the names that belong to the program itself and hide builtins. */
export interface Program {
	readonly body: readonly Node[];
	readonly locals: ReadonlySet<string>;
	readonly mentions: readonly Mention[];
}

/** Goes through a script as the shell would and tells of every command that it may run, with the folder it runs in. Pure. */
import type { Place } from '../paths.ts';
import { changesOf } from './changes.ts';
import { expandValue, expandWord, type Values, waysOf } from './expand.ts';
import { type Field, knownText } from './field.ts';
import { ofNumbers } from './read-condition.ts';
import { type IsSetOutside, State, valuesOf } from './state.ts';
import {
	type Assignment,
	type Condition,
	type List,
	type ListItem,
	type Node,
	NotUnderstood,
	type Redirect,
	type Simple,
	type Word,
} from './tree.ts';

export interface FileUse {
	readonly access: 'read' | 'write';
	readonly field: Field;
}

export interface Assigned {
	readonly name: string;
	readonly isExported: boolean;
	readonly values: Values;
}

/** A simple command, in one way that its variables may stand. */
export interface Invocation {
	/** Its words; none for an assignment or a redirection that stands alone. */
	readonly fields: readonly Field[];
	/** Variables that it sets, for itself or for good. */
	readonly assigned: readonly Assigned[];
	readonly files: readonly FileUse[];
	/** Where it may run; null: anywhere. */
	readonly folders: readonly Place[] | null;
}

export interface Walk {
	/** Where the script starts. */
	readonly folder: Place;
	readonly isSetOutside: IsSetOutside;
	visit(invocation: Invocation): void;
}

const mostWays = 256;
const nothing: Pick<Invocation, 'fields' | 'assigned' | 'files'> = { fields: [], assigned: [], files: [] };

/** @throws NotUnderstood */
export function walkScript(list: List, walk: Walk): void {
	walkList(walk, new State(walk.isSetOutside, [walk.folder]), list);
}

function walkList(walk: Walk, state: State, { items }: List): void {
	let before: ListItem['operator'] = ';';
	for (const { node, operator } of items) {
		if (operator === '&') walkNode(walk, state.copy(), node);
		else if (before === '&&' || before === '||') walkMaybe(walk, state, node);
		else walkNode(walk, state, node);
		before = operator;
	}
}

/** It may not have run, and nobody knows. */
function walkMaybe(walk: Walk, state: State, node: Node): void {
	const aside = state.copy();
	walkNode(walk, aside, node);
	state.join(aside);
}

function walkNode(walk: Walk, state: State, node: Node): void {
	switch (node.kind) {
		case 'simple':
			walkSimple(walk, state, node);
			break;
		case 'pipeline':
			walkPipeline(walk, state, node.stages);
			break;
		case 'list':
			walkList(walk, state, node);
			break;
		case 'if':
			walkIf(walk, state, node);
			break;
		case 'for':
			walkFor(walk, state, node);
			break;
		case 'while':
		case 'until':
			forgetChanged(state, [node.test, node.body]);
			walkList(walk, state, node.test);
			walkMaybe(walk, state, node.body);
			break;
		case 'case':
			walkCase(walk, state, node);
			break;
		case 'subshell':
			walkList(walk, state.copy(), node.body);
			break;
		case 'braces':
			walkList(walk, state, node.body);
			break;
		case 'redirected':
			walk.visit({ ...nothing, files: filesOf(state, node.redirects), folders: state.folders });
			walkOutputs(walk, state, node.redirects.flatMap(wordsOf));
			walkNode(walk, state, node.node);
			break;
		case 'test':
			walkCondition(walk, state, node.condition);
	}
}

/** Each stage of a pipeline is a shell of its own. */
function walkPipeline(walk: Walk, state: State, stages: readonly Node[]): void {
	const [only, ...others] = stages;
	if (only && others.length === 0) walkNode(walk, state, only);
	else for (const stage of stages) walkNode(walk, state.copy(), stage);
}

function walkIf(walk: Walk, state: State, node: Extract<Node, { kind: 'if' }>): void {
	const ends: State[] = [];
	for (const { test, body } of node.branches) {
		walkList(walk, state, test);
		const end = state.copy();
		walkList(walk, end, body);
		ends.push(end);
	}
	if (node.otherwise) walkList(walk, state, node.otherwise);
	for (const end of ends) state.join(end);
}

function walkFor(walk: Walk, state: State, node: Extract<Node, { kind: 'for' }>): void {
	walkOutputs(walk, state, node.words);
	const fields = node.words.flatMap((word) => expandWord(word, state.lookup).flat());
	const values = valuesOf(fields);
	walk.visit({ ...nothing, assigned: [{ name: node.name, isExported: false, values }], folders: state.folders });
	forgetChanged(state, [node.body]);
	const inside = state.copy();
	inside.set(node.name, values);
	walkList(walk, inside, node.body);
	state.join(inside);
}

function walkCase(walk: Walk, state: State, node: Extract<Node, { kind: 'case' }>): void {
	walkOutputs(walk, state, [node.word, ...node.items.flatMap(({ patterns }) => patterns)]);
	const before = state.copy();
	for (const { body } of node.items) {
		// One that falls through goes on where another began.
		const end = before.copy();
		end.join(state);
		walkList(walk, end, body);
		state.join(end);
	}
}

/** A later round of a loop sees what an earlier one set. */
function forgetChanged(state: State, lists: readonly List[]): void {
	const { names, isMoving } = changesOf(lists);
	for (const name of names) state.set(name, null);
	if (isMoving) state.folders = null;
}

/** Commands whose output is part of a word run as well, each in a shell of its own. */
function walkOutputs(walk: Walk, state: State, words: readonly Word[]): void {
	for (const { pieces } of words)
		for (const piece of pieces) if (piece.kind === 'output') walkList(walk, state.copy(), piece.body);
}

function walkCondition(walk: Walk, state: State, condition: Condition): void {
	switch (condition.kind) {
		case 'unary':
			readOperand(walk, state, condition.operand, !/^-[nzto]$/.test(condition.operator));
			break;
		case 'binary':
			for (const word of [condition.left, condition.right]) {
				readOperand(walk, state, word, /^-[noe][tf]$/.test(condition.operator));
				if (ofNumbers.includes(condition.operator)) needNumber(state, word);
			}
			break;
		case 'logical':
			for (const operand of condition.operands) walkCondition(walk, state, operand);
			break;
		case 'not':
			walkCondition(walk, state, condition.operand);
	}
}

function readOperand(walk: Walk, state: State, word: Word, isFile: boolean): void {
	walkOutputs(walk, state, [word]);
	const fields = isFile ? expandWord(word, state.lookup).flat() : [];
	const files = fields.map((field) => ({ access: 'read' as const, field }));
	walk.visit({ ...nothing, files, folders: state.folders });
}

/** What is compared as a number is evaluated first. */
function needNumber(state: State, word: Word): void {
	const isNumber = ({ atoms, isMany }: Field) =>
		!isMany && atoms.every((atom) => atom.kind === 'digits' || (atom.kind === 'text' && /^-?\d*$/.test(atom.text)));
	if (!expandWord(word, state.lookup).flat().every(isNumber))
		throw new NotUnderstood('dynamic', 'the number in a comparison');
}

const accessOf = { read: 'read', write: 'write', append: 'write', both: 'write', 'both-append': 'write' } as const;

function filesOf(state: State, redirects: readonly Redirect[]): FileUse[] {
	return redirects.flatMap((redirect): FileUse[] => {
		if (redirect.kind === 'duplicate' || redirect.kind === 'text') return [];
		const fields = expandWord(redirect.file, state.lookup).flat();
		return fields.map((field) => ({ access: accessOf[redirect.kind], field }));
	});
}

function wordsOf(redirect: Redirect): Word[] {
	if (redirect.kind === 'duplicate') return [];
	return [redirect.kind === 'text' ? redirect.text : redirect.file];
}

function walkSimple(walk: Walk, state: State, node: Simple): void {
	const { assignments, words, redirects } = node;
	walkOutputs(walk, state, [...assignments.map(({ value }) => value), ...words, ...redirects.flatMap(wordsOf)]);
	const isExported = words.length > 0;
	const assigned = assignments.map(({ name, value, isAppended }) => {
		return { name, isExported, values: isAppended ? null : expandValue(value, state.lookup) };
	});
	const files = filesOf(state, redirects);
	const commands = commandsOf(state, words);
	for (const fields of commands) walk.visit({ fields, assigned, files, folders: state.folders });
	if (words.length === 0) setVariables(state, assignments);
	for (const fields of commands) act(state, fields);
}

/** Every way a command may read. Where there are too many, its variables count as unknown. */
function commandsOf(state: State, words: readonly Word[]): Field[][] {
	const ways = words.map((word) => expandWord(word, state.lookup));
	const count = ways.reduce((product, { length }) => product * length, 1);
	if (count > mostWays) return [words.flatMap((word) => expandWord(word, () => null)[0] ?? [])];
	return waysOf(ways).map((way) => way.flat());
}

function setVariables(state: State, assignments: readonly Assignment[]): void {
	for (const { name, value, isAppended } of assignments) {
		const given = expandValue(value, state.lookup);
		const before = isAppended ? state.lookup(name) : [[]];
		const values = given && before ? before.flatMap((first) => given.map((rest) => [...first, ...rest])) : null;
		state.set(name, values);
	}
}

/** Commands after which names or the folder are others. */
function act(state: State, [name, ...args]: readonly Field[]): void {
	const known = name && knownText(name);
	if (known === 'cd') state.enter(args);
	if (known === 'pushd' || known === 'popd') state.folders = null;
	if (known === 'read' || known === 'export' || known === 'mapfile' || known === 'readarray') forget(state, args);
}

function forget(state: State, args: readonly Field[]): void {
	for (const arg of args) {
		const name = /^([A-Za-z_]\w*)(=|$)/.exec(knownText(arg) ?? '')?.[1];
		if (name !== undefined) state.set(name, null);
	}
}

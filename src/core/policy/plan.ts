/** What runs when a decided job runs: words for the kernel where one command stands alone, a printed script otherwise. Pure. */
import type { CommandPlan } from '../../contract/policy.ts';
import type { Policy } from './policy.ts';
import type { Program } from './programs/program.ts';
import { renderScript } from './script/render.ts';
import { type List, literalOf, type Node, type Word, wordOf } from './script/tree.ts';

type Pins = NonNullable<CommandPlan['pins']>;

/** A program that the policy says where it lies is started there, and one that it knows by its content only with that. */
export function planOfWords(policy: Policy, argv: readonly string[]): CommandPlan {
	const [name = '', ...args] = argv;
	const pins = pinsOf(policy, [name]);
	return { mode: 'argv', argv: [programOf(policy, name)?.path ?? name, ...args], ...(pins.length > 0 && { pins }) };
}

export function planOf(policy: Policy, list: List, shell: 'bash' | 'sh'): CommandPlan {
	const argv = argvOf(policy, list);
	if (argv) return planOfWords(policy, argv);
	const names: string[] = [];
	const script = renderScript(located(policy, list, names));
	const pins = pinsOf(policy, names);
	return { mode: 'script', script, shell, ...(pins.length > 0 && { pins }) };
}

const baseOf = (written: string): string => written.slice(written.lastIndexOf('/') + 1);

/** By its name, or by where it lies. */
function programOf(policy: Policy, written: string): Program | undefined {
	const program = policy.programs.get(baseOf(written));
	return written.includes('/') && program?.path !== written ? undefined : program;
}

function pinsOf(policy: Policy, names: readonly string[]): Pins {
	const pinned = [...new Set(names)].map((name) => programOf(policy, name));
	return pinned.flatMap((program) =>
		program?.path && program.sha256 ? [{ path: program.path, sha256: program.sha256 }] : [],
	);
}

/** The words of a script that is one plain command, for which no shell is needed. */
function argvOf(policy: Policy, { items }: List): string[] | undefined {
	const [only, ...others] = items;
	if (!only || others.length > 0 || only.operator !== ';' || only.node.kind !== 'simple') return undefined;
	const { assignments, words, redirects } = only.node;
	if (assignments.length > 0 || redirects.length > 0) return undefined;
	const texts = words.map(literalOf);
	const argv = texts.flatMap((text) => (text === null ? [] : [text]));
	const [name] = argv;
	if (argv.length < texts.length || name === undefined || policy.programs.get(baseOf(name))?.isBuiltin !== false)
		return undefined;
	return argv;
}

/** The tree with the names of programs replaced by where they lie. @param names collects all names of programs */
function located(policy: Policy, list: List, names: string[]): List {
	return { ...list, items: list.items.map((item) => ({ ...item, node: locatedNode(policy, item.node, names) })) };
}

function locatedNode(policy: Policy, node: Node, names: string[]): Node {
	const inList = (list: List): List => located(policy, list, names);
	const inNode = (inner: Node): Node => locatedNode(policy, inner, names);
	switch (node.kind) {
		case 'simple':
			return { ...node, words: locatedWords(policy, node.words, names) };
		case 'pipeline':
			return { ...node, stages: node.stages.map(inNode) };
		case 'list':
			return inList(node);
		case 'if': {
			const branches = node.branches.map(({ test, body }) => ({ test: inList(test), body: inList(body) }));
			return { ...node, branches, otherwise: node.otherwise && inList(node.otherwise) };
		}
		case 'for':
		case 'subshell':
		case 'braces':
			return { ...node, body: inList(node.body) };
		case 'while':
		case 'until':
			return { ...node, test: inList(node.test), body: inList(node.body) };
		case 'case':
			return { ...node, items: node.items.map((item) => ({ ...item, body: inList(item.body) })) };
		case 'redirected':
			return { ...node, node: inNode(node.node) };
		case 'test':
			return node;
	}
}

function locatedWords(policy: Policy, [first, ...others]: readonly Word[], names: string[]): Word[] {
	if (!first) return [];
	const name = literalOf(first) ?? '';
	names.push(name);
	const path = programOf(policy, name)?.path;
	return [path ? wordOf(path) : first, ...others];
}

/** What runs when a decided job runs: words for the kernel where one command stands alone, a printed script otherwise. Pure. */
import type { CommandPlan } from '../../contract/policy.ts';
import type { Policy } from './policy.ts';
import { renderScript } from './script/render.ts';
import { type List, literalOf, type Node, type Word, wordOf } from './script/tree.ts';

/** A program that the policy says where it lies is started there. */
export function withPath(policy: Policy, [name = '', ...args]: readonly string[]): string[] {
	return [policy.programs.get(name)?.path ?? name, ...args];
}

export function planOf(policy: Policy, list: List, shell: 'bash' | 'sh'): CommandPlan {
	const argv = argvOf(policy, list);
	return argv ? { mode: 'argv', argv } : { mode: 'script', script: renderScript(located(policy, list)), shell };
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
	if (argv.length < texts.length || name === undefined || policy.programs.get(name)?.isBuiltin !== false)
		return undefined;
	return withPath(policy, argv);
}

/** The tree with the names of programs replaced by where they lie. */
function located(policy: Policy, list: List): List {
	const isAny = [...policy.programs.values()].some(({ path }) => path !== null);
	return isAny
		? { ...list, items: list.items.map((item) => ({ ...item, node: locatedNode(policy, item.node) })) }
		: list;
}

function locatedNode(policy: Policy, node: Node): Node {
	const inList = (list: List): List => located(policy, list);
	const inNode = (inner: Node): Node => locatedNode(policy, inner);
	switch (node.kind) {
		case 'simple':
			return { ...node, words: locatedWords(policy, node.words) };
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

function locatedWords(policy: Policy, [first, ...others]: readonly Word[]): Word[] {
	if (!first) return [];
	const path = policy.programs.get(literalOf(first) ?? '')?.path;
	return [path ? wordOf(path) : first, ...others];
}

/** Bounds a script before anybody thinks about what it means: commands, and how deep they are nested. Pure. */
import type { ParsedScript, SyntaxNode } from 'unbash';
import { forEachChild, parse } from '../../checker/languages/parse.ts';
import type { PolicyShape } from '../schema.ts';
import { documentSpans, hasGap } from './gaps.ts';
import { NotUnderstood } from './tree.ts';

const deepening = new Set(['CompoundList', 'CommandExpansion', 'ProcessSubstitution', 'Function']);

/** @throws NotUnderstood for what is no script, or too much of one */
export function parseScript(text: string, limits: PolicyShape['scripts']): ParsedScript {
	const { parsed, problem } = parse('bash', text);
	if (parsed?.language !== 'bash')
		throw new NotUnderstood(problem?.isDepth ? 'limit' : 'syntax', problem?.message ?? 'it is no script');
	const nodes = measured(parsed.tree, limits);
	refuseGaps(parsed.text, nodes);
	return parsed.tree;
}

/** All nodes of the tree, if there are not too many commands and none too deep. */
function measured(tree: ParsedScript, { maxCommands, maxDepth }: PolicyShape['scripts']): SyntaxNode[] {
	let commands = 0;
	const nodes: SyntaxNode[] = [];
	const pending: { readonly node: SyntaxNode; readonly depth: number }[] = [{ node: tree, depth: 0 }];
	for (let next = pending.pop(); next; next = pending.pop()) {
		const { node, depth } = next;
		if (node.type === 'Command' && ++commands > maxCommands)
			throw new NotUnderstood('limit', `it has more than ${maxCommands} commands`);
		if (depth > maxDepth) throw new NotUnderstood('limit', `it is nested more than ${maxDepth} deep`);
		nodes.push(node);
		forEachChild(node, (child) => {
			pending.push({ node: child, depth: depth + (deepening.has(node.type) ? 1 : 0) });
		});
	}
	return nodes;
}

/** Places inside escaped backticks count in a text of their own, so nothing can be said about them: they are refused elsewhere. */
function refuseGaps(text: string, nodes: readonly SyntaxNode[]): void {
	if (nodes.some((node) => node.type === 'Script' && node.source !== undefined)) return;
	const documents = nodes.flatMap(documentSpans).sort((a, b) => a.pos - b.pos);
	if (nodes.some((node) => hasGap(text, node, documents)))
		throw new NotUnderstood('syntax', 'a sign stands where none belongs');
}

/** Bounds a script before anybody thinks about what it means: commands, and how deep they are nested. Pure. */
import type { ParsedScript, SyntaxNode } from 'unbash';
import { forEachChild, parse } from '../../checker/languages/parse.ts';
import type { PolicyShape } from '../schema.ts';
import { NotUnderstood } from './tree.ts';

const deepening = new Set(['CompoundList', 'CommandExpansion', 'ProcessSubstitution', 'Function']);

/** @throws NotUnderstood for what is no script, or too much of one */
export function parseScript(text: string, limits: PolicyShape['scripts']): ParsedScript {
	const { parsed, problem } = parse('bash', text);
	if (parsed?.language !== 'bash')
		throw new NotUnderstood(problem?.isDepth ? 'limit' : 'syntax', problem?.message ?? 'it is no script');
	measure(parsed.tree, limits);
	return parsed.tree;
}

function measure(tree: ParsedScript, { maxCommands, maxDepth }: PolicyShape['scripts']): void {
	let commands = 0;
	const pending: { readonly node: SyntaxNode; readonly depth: number }[] = [{ node: tree, depth: 0 }];
	for (let next = pending.pop(); next; next = pending.pop()) {
		const { node, depth } = next;
		if (node.type === 'Command' && ++commands > maxCommands)
			throw new NotUnderstood('limit', `it has more than ${maxCommands} commands`);
		if (depth > maxDepth) throw new NotUnderstood('limit', `it is nested more than ${maxDepth} deep`);
		forEachChild(node, (child) => {
			pending.push({ node: child, depth: depth + (deepening.has(node.type) ? 1 : 0) });
		});
	}
}

/** What only bash has: a script of it cannot be printed for sh. Pure. */
import { childrenOf } from './children.ts';
import { literalOf, type Node, type Redirect } from './tree.ts';

/** @returns what sh does not have */
export function beyondSh(node: Node): string | undefined {
	return (
		ownWord(node) ??
		childrenOf(node)
			.map(beyondSh)
			.find((word) => word !== undefined)
	);
}

function ownWord(node: Node): string | undefined {
	if (node.kind === 'test') return '[[';
	if (node.kind === 'pipeline' && node.isTimed) return 'time';
	if (node.kind === 'case' && node.items.some(({ end }) => end !== ';;')) return ';&';
	if (node.kind === 'simple')
		return node.redirects.some(isHereString) || node.assignments.some(({ isAppended }) => isAppended)
			? '<<< or +='
			: undefined;
	return node.kind === 'redirected' && node.redirects.some(isHereString) ? '<<<' : undefined;
}

/** Known text is printed as a here-document, which sh has. */
const isHereString = (redirect: Redirect): boolean => redirect.kind === 'text' && literalOf(redirect.text) === null;

/** Recognises shapes of Bash that exhaust a machine by themselves. */
import { forEachChild, type Statement, type SyntaxNode } from 'unbash';

function some(root: SyntaxNode, test: (node: SyntaxNode) => boolean): boolean {
	let found = test(root);
	if (!found) {
		forEachChild(root, (child) => {
			found ||= some(child, test);
		});
	}
	return found;
}

const calls =
	(name: string) =>
	(node: SyntaxNode): boolean =>
		node.type === 'Command' && node.name?.value === name;

/** A function that starts itself in a pipe or in the background. */
export function isForkBomb(name: string, definition: SyntaxNode): boolean {
	return some(definition, (node) => {
		if (node.type === 'Pipeline')
			return node.commands.length > 1 && node.commands.some((stage) => some(stage, calls(name)));
		return node.type === 'Statement' && node.background === true && some(node, calls(name));
	});
}

const startsInBackground = (node: SyntaxNode): boolean =>
	node.type === 'Statement' && node.background === true && !some(node, calls('wait'));

/** `while true; do … & done` without a pause or a wait. */
export function isEndlessBackground(node: Extract<Statement['command'] | SyntaxNode, { type: 'While' }>): boolean {
	const [test] = node.clause.commands;
	const isEndless =
		test?.command.type === 'Command' && /^(true|:)$/.test(test.command.name?.value ?? '') && node.kind === 'while';
	const waits = (inner: SyntaxNode): boolean =>
		inner.type === 'Command' && /^(wait|sleep|read|break|exit)$/.test(inner.name?.value ?? '');
	return isEndless && some(node.body, startsInBackground) && !some(node.body, waits);
}

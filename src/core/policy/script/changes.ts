/** What the commands of a loop may change, so that its next round sees other values. Pure. */
import { childrenOf } from './children.ts';
import type { List, Node, Simple } from './tree.ts';

export interface Changes {
	readonly names: Set<string>;
	/** The folder may be another. */
	isMoving: boolean;
}

/** Over-careful: a word that could be a name after "read" or "export" counts wherever it stands. */
export function changesOf(lists: readonly List[]): Changes {
	const changes: Changes = { names: new Set(), isMoving: false };
	for (const list of lists) noteNode(changes, list);
	return changes;
}

function noteNode(changes: Changes, node: Node): void {
	if (node.kind === 'simple') noteSimple(changes, node);
	if (node.kind === 'for') changes.names.add(node.name);
	for (const child of childrenOf(node)) noteNode(changes, child);
}

function noteSimple(changes: Changes, { assignments, words }: Simple): void {
	for (const { name } of assignments) changes.names.add(name);
	for (const { pieces } of words) {
		const [first] = pieces;
		if (first?.kind !== 'text') continue;
		if (/^(cd|pushd|popd)$/.test(first.text)) changes.isMoving = true;
		const name = /^([A-Za-z_]\w*)(=|$)/.exec(first.text)?.[1];
		if (name !== undefined) changes.names.add(name);
	}
}

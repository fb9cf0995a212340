/** The nodes inside a node of a script. Pure. */
import type { Node } from './tree.ts';

export function childrenOf(node: Node): readonly Node[] {
	switch (node.kind) {
		case 'pipeline':
			return node.stages;
		case 'list':
			return node.items.map((item) => item.node);
		case 'if':
			return [...node.branches.flatMap(({ test, body }) => [test, body]), ...(node.otherwise ? [node.otherwise] : [])];
		case 'while':
		case 'until':
			return [node.test, node.body];
		case 'for':
		case 'subshell':
		case 'braces':
			return [node.body];
		case 'case':
			return node.items.map(({ body }) => body);
		case 'redirected':
			return [node.node];
		case 'simple':
		case 'test':
			return [];
	}
}

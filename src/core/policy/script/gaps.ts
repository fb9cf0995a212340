/**
 * Finds text that the parser passed over in silence. What stands between commands may be separators and comments, what stands
 * between the words of a command may be blanks; anything else was read by nobody. Pure.
 */
import type { Command, Statement, SyntaxNode } from 'unbash';

interface Span {
	readonly pos: number;
	readonly end: number;
}

const isBlank = (text: string): boolean => /^(\s|\\\n)*$/.test(text);

/** Blanks, separators, comments. */
const isBetweenCommands = (text: string): boolean =>
	/^[\s;&]*$/.test(text.replaceAll(/\\\n/g, ' ').replaceAll(/(^|[\s;&])#[^\n]*/g, '$1'));

/** The text from one place to another without what lies in the spans. */
function without(text: string, from: number, to: number, spans: readonly Span[]): string {
	let kept = '';
	let at = from;
	for (const { pos, end } of spans) {
		if (end <= at || pos >= to) continue;
		kept += text.slice(at, Math.max(at, pos));
		at = Math.max(at, end);
	}
	return at < to ? kept + text.slice(at, to) : kept;
}

const parts = ({ prefix, name, suffix }: Command): Span[] => [...prefix, ...(name ? [name] : []), ...suffix];

function commandHasGap(text: string, command: Command): boolean {
	const spans = parts(command).sort((a, b) => a.pos - b.pos);
	return spans.some(({ end }, i) => {
		const next = spans[i + 1];
		return next !== undefined && next.pos > end && !isBlank(text.slice(end, next.pos));
	});
}

function listHasGap(
	text: string,
	statements: readonly Statement[],
	end: number | null,
	documents: readonly Span[],
): boolean {
	return statements.some((statement, i) => {
		const to = statements[i + 1]?.pos ?? end ?? statement.end;
		return to > statement.end && !isBetweenCommands(without(text, statement.end, to, documents));
	});
}

/** @param documents bodies of here-documents, in order */
export function hasGap(text: string, node: SyntaxNode, documents: readonly Span[]): boolean {
	if (node.type === 'Command') return commandHasGap(text, node);
	if (node.type === 'CompoundList') return listHasGap(text, node.commands, null, documents);
	return node.type === 'Script' && listHasGap(text, node.commands, node.end, documents);
}

/** Where the text of a here-document lies, which is not where the document is named. */
export function documentSpans(node: SyntaxNode): Span[] {
	if (node.type !== 'HereDoc') return [];
	const { body, closing } = node;
	return [body, ...(closing ? [closing] : [])];
}

/** Prints a tree as the script that runs: every word quoted, one way of writing each thing. What was judged is what runs. Pure. */
import {
	type Condition,
	type List,
	literalOf,
	type Node,
	type Piece,
	type Redirect,
	type Simple,
	type Word,
} from './tree.ts';

/** sh has no "[[" and no "<<<"; the tree holds the first only for bash, and the second is printed as a here-document. */
export function renderScript(list: List): string {
	const printer: Printer = { documents: [] };
	return `${renderList(printer, list)}\n${flush(printer)}`;
}

interface Printer {
	/** Here-documents of the line that is being printed. */
	documents: string[];
}

function flush(printer: Printer): string {
	const text = printer.documents.join('');
	printer.documents = [];
	return text;
}

export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function renderPiece(piece: Piece, hasMore: boolean): string {
	switch (piece.kind) {
		case 'text':
			return quote(piece.text);
		case 'glob':
			return piece.text;
		case 'variable':
			return piece.isQuoted ? `"\${${piece.name}}"` : `\${${piece.name}}`;
		case 'status':
			return `"$${piece.name}"`;
		case 'arithmetic':
			return `"$(( ${piece.text} ))"`;
		case 'home':
			return hasMore ? '~/' : '~';
		case 'output': {
			const body = `$(\n${renderScript(piece.body)})`;
			return piece.isQuoted ? `"${body}"` : body;
		}
	}
}

export function renderWord({ pieces }: Word): string {
	const [first, second] = pieces;
	if (pieces.length === 0) return "''";
	// The slash after "~" must stand without quotes.
	if (first?.kind === 'home' && second?.kind === 'text')
		return `~/${renderPieces([{ kind: 'text', text: second.text.replace(/^\//, '') }, ...pieces.slice(2)])}`;
	return renderPieces(pieces);
}

const renderPieces = (pieces: readonly Piece[]): string =>
	pieces.map((piece, i) => renderPiece(piece, i + 1 < pieces.length)).join('');

function renderList(printer: Printer, { items }: List): string {
	return items
		.map(({ node, operator }, i) => {
			const text = renderNode(printer, node);
			if (operator === '&&' || operator === '||') return `${text} ${operator} `;
			const end = operator === '&' ? ' &' : '';
			const isLast = i === items.length - 1;
			return `${text}${end}${isLast ? '' : `\n${flush(printer)}`}`;
		})
		.join('');
}

/** A list inside another construct, each command on a line of its own. */
const block = (printer: Printer, list: List): string =>
	`\n${flush(printer)}${renderList(printer, list)}\n${flush(printer)}`;

function renderNode(printer: Printer, node: Node): string {
	switch (node.kind) {
		case 'simple':
			return renderSimple(printer, node);
		case 'pipeline': {
			const stages = node.stages.map((stage) => renderStage(printer, stage)).join(' | ');
			return `${node.isTimed ? 'time ' : ''}${node.isNegated ? '! ' : ''}${stages}`;
		}
		case 'list':
			return `{ ${block(printer, node)}}`;
		case 'if': {
			const branches = node.branches.map(
				({ test, body }, i) => `${i === 0 ? 'if' : 'elif'} ${block(printer, test)}then ${block(printer, body)}`,
			);
			return `${branches.join('')}${node.otherwise ? `else ${block(printer, node.otherwise)}` : ''}fi`;
		}
		case 'for':
			return `for ${node.name} in ${node.words.map(renderWord).join(' ')}; do ${block(printer, node.body)}done`;
		case 'while':
		case 'until':
			return `${node.kind} ${block(printer, node.test)}do ${block(printer, node.body)}done`;
		case 'case': {
			const items = node.items.map(({ patterns, body, end }) => {
				const commands = body.items.length === 0 ? '\n' : block(printer, body);
				return `(${patterns.map(renderWord).join(' | ')}) ${commands}${end}\n`;
			});
			return `case ${renderWord(node.word)} in\n${items.join('')}esac`;
		}
		case 'subshell':
			return `( ${block(printer, node.body)})`;
		case 'braces':
			return `{ ${block(printer, node.body)}}`;
		case 'redirected':
			return `${renderStage(printer, node.node)}${renderRedirects(printer, node.redirects)}`;
		case 'test':
			return `[[ ${renderCondition(node.condition)} ]]`;
	}
}

/** A pipeline or a list cannot stand in a pipeline by itself. */
const renderStage = (printer: Printer, node: Node): string =>
	node.kind === 'pipeline' ? `{ ${renderNode(printer, node)}\n${flush(printer)}}` : renderNode(printer, node);

function renderSimple(printer: Printer, { assignments, words, redirects }: Simple): string {
	const given = assignments.map(
		({ name, value, isAppended }) => `${name}${isAppended ? '+=' : '='}${renderWord(value)}`,
	);
	return `${[...given, ...words.map(renderWord)].join(' ')}${renderRedirects(printer, redirects)}`.trimStart();
}

const signs = { read: '<', write: '>', append: '>>' } as const;

function renderRedirects(printer: Printer, redirects: readonly Redirect[]): string {
	return redirects.map((redirect) => ` ${renderRedirect(printer, redirect)}`).join('');
}

function renderRedirect(printer: Printer, redirect: Redirect): string {
	const { kind, descriptor } = redirect;
	switch (kind) {
		case 'both':
			return `1>${renderWord(redirect.file)} 2>&1`;
		case 'both-append':
			return `1>>${renderWord(redirect.file)} 2>&1`;
		case 'duplicate':
			return `${descriptor}${redirect.isInput ? '<' : '>'}&${redirect.from === 'close' ? '-' : redirect.from}`;
		case 'text':
			return renderText(printer, descriptor, redirect.text);
		default:
			return `${descriptor}${signs[kind]}${renderWord(redirect.file)}`;
	}
}

/** Text for a command: as a here-document where all of it is known, else as a here-string, which adds the line's end itself. */
function renderText(printer: Printer, descriptor: number, text: Word): string {
	const literal = literalOf(text);
	if (literal === null) return `${descriptor}<<<${renderWord({ pieces: text.pieces.slice(0, -1) })}`;
	let end = 'END';
	while (literal.split('\n').includes(end)) end += '_';
	const isWhole = literal === '' || literal.endsWith('\n');
	printer.documents.push(`${literal}${isWhole ? '' : '\n'}${end}\n`);
	return `${descriptor}<<${quote(end)}`;
}

function renderCondition(condition: Condition): string {
	switch (condition.kind) {
		case 'unary':
			return `${condition.operator} ${renderWord(condition.operand)}`;
		case 'binary':
			return `${renderWord(condition.left)} ${condition.operator} ${renderWord(condition.right)}`;
		case 'logical':
			return condition.operands.map((one) => `( ${renderCondition(one)} )`).join(` ${condition.operator} `);
		case 'not':
			return `! ( ${renderCondition(condition.operand)} )`;
	}
}

/** What the words of a script become when it runs: variables by their values, as far as these follow from the script. Pure. */
import { type Atom, digits, type Field, text, unknown } from './field.ts';
import { NotUnderstood, type Piece, type Word } from './tree.ts';

/** The values that a variable may have; null: anything. */
export type Values = readonly (readonly Atom[])[] | null;

export type Lookup = (name: string) => Values;

const mostWays = 64;
const anything: readonly (readonly Atom[])[] = [[unknown]];

/** One list of fields for each way the variables may stand. */
export function expandWord({ pieces }: Word, lookup: Lookup): Field[][] {
	const choices = pieces.map((piece) => (piece.kind === 'variable' ? (lookup(piece.name) ?? anything) : [null]));
	const isTooMuch = choices.reduce((product, { length }) => product * Math.max(1, length), 1) > mostWays;
	const ways = isTooMuch ? [pieces.map(() => null)] : waysOf(choices);
	return ways.map((way) => fieldsOf(pieces, way));
}

/** Every way of taking one alternative for each place. Places with one alternative cost nothing. */
export function waysOf<T>(choices: readonly (readonly T[])[]): T[][] {
	const first = choices.flatMap((alternatives) => alternatives.slice(0, 1));
	return choices.reduce<T[][]>(
		(ways, alternatives, at) =>
			alternatives.length < 2 ? ways : ways.flatMap((way) => alternatives.map((one) => way.with(at, one))),
		[first],
	);
}

interface Fields {
	readonly done: Field[];
	atoms: Atom[];
	isMany: boolean;
	/** Something stands there, even if it is empty. */
	isThere: boolean;
}

function fieldsOf(pieces: readonly Piece[], way: readonly (readonly Atom[] | null)[]): Field[] {
	const fields: Fields = { done: [], atoms: [], isMany: false, isThere: pieces.length === 0 };
	pieces.forEach((piece, i) => {
		addPiece(fields, piece, way[i] ?? [unknown]);
	});
	endField(fields);
	return fields.done;
}

function addPiece(fields: Fields, piece: Piece, value: readonly Atom[]): void {
	if (piece.kind === 'variable') addVariable(fields, value, piece.isQuoted);
	else add(fields, atomOf(piece));
	if (piece.kind === 'output') fields.isMany ||= !piece.isQuoted;
}

function atomOf(piece: Exclude<Piece, { kind: 'variable' }>): Atom {
	switch (piece.kind) {
		case 'text':
		case 'glob':
			return { kind: piece.kind, text: piece.text };
		case 'status':
		case 'arithmetic':
			return digits;
		case 'home':
			return { kind: 'home' };
		case 'output':
			return unknown;
	}
}

function addVariable(fields: Fields, value: readonly Atom[], isQuoted: boolean): void {
	fields.isThere ||= isQuoted;
	for (const atom of value) {
		if (isQuoted) add(fields, atom);
		else addUnquoted(fields, atom);
	}
}

function add(fields: Fields, atom: Atom): void {
	fields.isThere = true;
	const last = fields.atoms.at(-1);
	if (atom.kind === 'text' && last?.kind === 'text')
		fields.atoms[fields.atoms.length - 1] = text(last.text + atom.text);
	else fields.atoms.push(atom);
}

function endField(fields: Fields): void {
	if (fields.isThere) fields.done.push({ atoms: fields.atoms, isMany: fields.isMany });
	fields.atoms = [];
	fields.isMany = false;
	fields.isThere = false;
}

/** Blanks split an unquoted value, and wildcards in it are looked for. */
function addUnquoted(fields: Fields, atom: Atom): void {
	if (atom.kind === 'text') addSplit(fields, atom.text);
	else if (atom.kind === 'digits' || atom.kind === 'home') add(fields, atom);
	else {
		add(fields, unknown);
		fields.isMany = true;
	}
}

function addSplit(fields: Fields, value: string): void {
	if (/[[\]\\]/.test(value))
		throw new NotUnderstood('dynamic', 'a wildcard in the value of a variable that is not quoted');
	for (const part of value.split(/([ \t\n]+|[*?])/)) {
		if (/^[ \t\n]/.test(part)) endField(fields);
		else if (part !== '') add(fields, /^[*?]$/.test(part) ? { kind: 'glob', text: part } : text(part));
	}
}

/** The value that an assignment gives: no splitting, and wildcards stay text. */
export function expandValue({ pieces }: Word, lookup: Lookup): Values {
	const quoted = pieces.map((piece): Piece => {
		if (piece.kind === 'glob') return { kind: 'text', text: piece.text };
		return piece.kind === 'variable' || piece.kind === 'output' ? { ...piece, isQuoted: true } : piece;
	});
	return expandWord({ pieces: quoted }, lookup).map((fields) => fields[0]?.atoms ?? []);
}

/** A word as a command will get it, as far as that is known before it runs. Pure. */
import { anyName } from '../wildcards.ts';

/** glob: a name that a wildcard found. digits: a number. home: the home folder. unknown: anything. */
export type Atom =
	| { readonly kind: 'text'; readonly text: string }
	| { readonly kind: 'glob'; readonly text: string }
	| { readonly kind: 'digits' | 'home' | 'unknown' };

export interface Field {
	readonly atoms: readonly Atom[];
	/** It may also be no word, or several. */
	readonly isMany: boolean;
}

export const text = (value: string): Atom => ({ kind: 'text', text: value });
export const unknown: Atom = { kind: 'unknown' };
export const digits: Atom = { kind: 'digits' };

export const fieldOf = (value: string): Field => ({ atoms: value === '' ? [] : [text(value)], isMany: false });

/** The whole text; null when a part of it is not known. */
export function knownText({ atoms, isMany }: Field): string | null {
	if (isMany) return null;
	let known = '';
	for (const atom of atoms) {
		if (atom.kind !== 'text') return null;
		known += atom.text;
	}
	return known;
}

/** What it begins with, as far as that is known. */
export function knownStart({ atoms: [first] }: Field): string {
	return first?.kind === 'text' ? first.text : '';
}

/** The field without its first characters, which are known. */
export function after(field: Field, length: number): Field {
	const [first, ...others] = field.atoms;
	if (first?.kind !== 'text') return field;
	const rest = first.text.slice(length);
	return { ...field, atoms: rest === '' ? others : [text(rest), ...others] };
}

/** As a path in which `anyName` stands for what a wildcard or a number gives; null when it may lead anywhere. */
export function pathText({ atoms, isMany }: Field): string | null {
	if (isMany) return null;
	const parts = atoms.map((atom) => {
		if (atom.kind === 'text') return atom.text;
		return atom.kind === 'glob' || atom.kind === 'digits' ? anyName : null;
	});
	return parts.includes(null) ? null : parts.join('');
}

/** For people: what is not known in braces. */
export function shownField({ atoms }: Field): string {
	const shown = atoms.map((atom) => (atom.kind === 'text' || atom.kind === 'glob' ? atom.text : shownAtoms[atom.kind]));
	return shown.join('');
}
const shownAtoms = { digits: '{number}', home: '~', unknown: '{unknown}' } as const;

export const shownCommand = (fields: readonly Field[]): string => fields.map(shownField).join(' ');

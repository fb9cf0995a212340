/** Whether a word is of a kind. Languages and paths are judged by their own files. Pure. */
import { type Field, knownText } from '../script/field.ts';
import type { ValueKind } from './program.ts';

const shapes: Partial<Record<ValueKind['kind'], { readonly shape: RegExp; readonly is: string }>> = {
	integer: { shape: /^[+-]?\d{1,18}$/, is: 'a whole number' },
	number: { shape: /^[+-]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})$/, is: 'a number' },
	size: { shape: /^[+-]?\d{1,18}(\.\d{1,6})?([bcwk]|[KMGTPEZY](i?B)?|kB)?$/, is: 'a size such as 10 or 64K' },
	duration: { shape: /^\d{1,9}(\.\d{1,9})?(ms|us|s|m|h|d)?$/, is: 'a time such as 5 or 1.5s' },
	name: { shape: /^[A-Za-z0-9_.,:@%+=][A-Za-z0-9_.,:@%+=-]*$/, is: 'a plain name' },
};

const isDigits = ({ atoms, isMany }: Field): boolean =>
	!isMany && atoms.some(({ kind }) => kind === 'digits') && atoms.every(({ kind }) => kind === 'digits');

/** @returns why not; undefined for kinds that are judged elsewhere, too */
export function objectionToShape(kind: ValueKind, field: Field): string | undefined {
	const known = knownText(field);
	if (kind.kind === 'enum')
		return known !== null && kind.words.includes(known) ? undefined : `none of ${kind.words.join(', ')}`;
	if (kind.kind === 'pattern-of')
		return known !== null && kind.regex.matches(known) ? undefined : `not like ${kind.source}`;
	const row = shapes[kind.kind];
	if (!row || (kind.kind !== 'name' && isDigits(field)) || (known !== null && row.shape.test(known))) return undefined;
	return `not ${row.is}`;
}

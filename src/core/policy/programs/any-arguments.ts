/** Finds the paths in the words of a program that nobody described: whatever may be one is held to the rules for paths. Pure. */
import { after, type Field, knownStart, knownText } from '../script/field.ts';

/** Where in a word a path may begin: at its start, after a flag's letter, after "=", ":", "," or "@". */
export function possiblePaths(field: Field): Field[] {
	const start = knownStart(field);
	const found: Field[] = start.startsWith('-') ? [] : [field];
	for (const { index } of start.matchAll(/[=:,@]/g)) found.push(after(field, index + 1));
	if (/^-[A-Za-z]/.test(start)) found.push(after(field, 2));
	const slash = start.indexOf('/');
	if (slash > 0) found.push(after(field, slash));
	return found.filter(({ atoms }) => atoms.length > 0);
}

/** Addresses are no paths. */
export const isAddress = (field: Field): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(knownText(field) ?? '');

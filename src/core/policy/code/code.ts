/** Judges programs in other languages that stand in a word of a command. What is not known to be harmless is not. Pure. */
import { objectionToAwk } from './awk.ts';
import { objectionToJavaScript } from './javascript.ts';
import { objectionToJq } from './jq.ts';
import { objectionToPython } from './python.ts';
import { objectionToSed } from './sed.ts';

const readers = {
	awk: objectionToAwk,
	javascript: objectionToJavaScript,
	jq: objectionToJq,
	python: objectionToPython,
	sed: objectionToSed,
} as const;
export type CodeKind = keyof typeof readers;

export const isCodeKind = (kind: string): kind is CodeKind => Object.hasOwn(readers, kind);

/** Programs on a command line are short; a reader needs no more than time in proportion to this. */
const mostCharacters = 16 * 1024;

/** @returns what in it is not allowed */
export function objectionToCode(kind: CodeKind, text: string): string | undefined {
	if (text.length > mostCharacters) return `a program of more than ${mostCharacters} characters`;
	// What begins like a flag is one for some interpreters.
	if (text.startsWith('-') && kind !== 'awk') return 'a program that begins with a dash';
	return readers[kind](text);
}

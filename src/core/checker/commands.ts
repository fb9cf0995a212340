/** Every command that a program may start, as far as that follows from its text: also those in programs inside it. Pure. */
import type { Language } from '../../contract/language.ts';
import type { Fact } from './facts.ts';
import { lower } from './languages/lower.ts';
import { parse } from './languages/parse.ts';
import { nestedCode } from './nested.ts';
import { factsOf } from './values/evaluate.ts';
import { spend, withinWork } from './values/work.ts';

const deepestProgram = 4;
const mostPrograms = 60;
const unitsOfParsing = 100;

/** Python and JavaScript may start commands, too. */
const options = { allowSubprocess: true };

/**
 * @returns null for a text that is no program of the language, or too deeply nested to be read
 * @throws TooMuchWork for one that costs too much to be read
 */
export function factsIn(language: Language, text: string): Fact[] | null {
	const reading = { programs: 0 };
	return withinWork(text.length, () => read(language, text, 0, reading));
}

function read(language: Language, text: string, depth: number, reading: { programs: number }): Fact[] | null {
	if (depth > deepestProgram || ++reading.programs > mostPrograms) return null;
	if (depth > 0) spend(unitsOfParsing * text.length);
	const facts = ownFacts(language, text);
	if (!facts) return null;
	const inside = nestedCode(language, facts, options);
	return [...facts, ...inside.flatMap((nested) => read(nested.language, nested.text, depth + 1, reading) ?? [])];
}

function ownFacts(language: Language, text: string): Fact[] | null {
	try {
		const { parsed } = parse(language, text);
		return parsed && factsOf(language, lower(parsed));
	} catch (error) {
		if (error instanceof RangeError) return null;
		throw error;
	}
}

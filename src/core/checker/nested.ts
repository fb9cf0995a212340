/** Finds programs inside programs: code that a command carries, and shell commands that Python or JavaScript start. */
import type { Language } from '../../contract/language.ts';
import type { CallFact, Fact } from './facts.ts';
import type { Span } from './languages/ir.ts';
import type { CheckOptions } from './options.ts';
import { elementsOf, HOLE, textsOf, type Values } from './values/value.ts';

export interface Nested {
	readonly language: Language;
	readonly text: string;
	readonly span: Span;
}

const pythonStarters =
	/^(os\.(system|popen)|subprocess\.(run|call|check_call|check_output|Popen|getoutput|getstatusoutput))$/;
const javaScriptStarters = /^child_process\.(exec|execSync|spawn|spawnSync|execFile|execFileSync)$/;
const mostPrograms = 24;

/** Unknown pieces become a harmless word, so that the rest can be parsed. */
const parsable = (text: string): string => text.replaceAll(HOLE, 'unknown');

export function nestedCode(
	language: Language,
	facts: readonly Fact[],
	options: Pick<CheckOptions, 'allowSubprocess'>,
): Nested[] {
	const found = facts.flatMap((fact): Nested[] => {
		if (fact.kind === 'code') return [{ language: fact.language, text: parsable(fact.text), span: fact.span }];
		if (fact.kind !== 'call' || !options.allowSubprocess || language === 'bash') return [];
		const starters = language === 'python' ? pythonStarters : javaScriptStarters;
		return starters.test(fact.path) ? startedCommands(fact) : [];
	});
	const unique = new Map(found.map((one) => [`${one.language} ${one.span.from} ${one.text}`, one]));
	return [...unique.values()].filter((one) => one.text.trim() !== '' && one.text !== 'unknown').slice(0, mostPrograms);
}

function startedCommands(fact: CallFact): Nested[] {
	const [command = [], args = []] = fact.args;
	const list = elementsOf(command.filter((value) => value.kind === 'list'));
	const words = list ?? [command, ...(elementsOf(args) ?? [])];
	const texts = list || words.length > 1 ? [words.map((word) => quoted(word)).join(' ')] : textsOf(command);
	return texts.map((text) => ({ language: 'bash', text: parsable(text), span: fact.span }));
}

const quoted = (word: Values): string => {
	const text = textsOf(word)[0] ?? HOLE;
	return /^[\w./=:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
};

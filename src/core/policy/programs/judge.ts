/** Whether the words behind the name of a program are among those that its entry allows. Pure. */
import { type Field, knownStart, knownText, shownField, unknown } from '../script/field.ts';
import type { Positional, Usage, ValueKind } from './program.ts';
import { readArguments } from './read-arguments.ts';

/** What judging needs of its surroundings, and where it puts what it finds. */
export interface Judging {
	/** Says what is not allowed. */
	object(what: string): void;
	/** Judges one value; objects by itself. */
	value(kind: ValueKind, field: Field): void;
	/** Judges words that are a command of their own. */
	command(fields: readonly Field[]): void;
}

export function judgeArguments(usage: Usage, fields: readonly Field[], judging: Judging): void {
	if (fields.length > usage.maxArgs) judging.object(`more than ${usage.maxArgs} words`);
	const { others, given } = readArguments(usage, fields, judging);
	for (const field of others) refuseStart(usage, field, judging);
	if (usage.needsFlag.length > 0 && !usage.needsFlag.some((flag) => given.has(flag)))
		judging.object(`it without ${usage.needsFlag.join(' or ')}`);
	if (usage.subcommands.size > 0) judgeSubcommand(usage, others, judging);
	else matchPositionals(expectedOf(usage, given), others, judging);
}

/** A wildcard finds names that begin with anything. */
function refuseStart({ refusedStart }: Usage, field: Field, judging: Judging): void {
	if (refusedStart === null) return;
	const isLoose = field.isMany || (field.atoms[0] !== undefined && field.atoms[0].kind !== 'text');
	if (isLoose || knownStart(field).startsWith(refusedStart))
		judging.object(`a word that begins with ${refusedStart}, or may (begin it with ./)`);
}

/** Positionals as the given flags leave them. */
function expectedOf({ positionals, positionalsWith }: Usage, given: ReadonlySet<string>): readonly Positional[] {
	const other = [...positionalsWith].find(([flag]) => given.has(flag));
	return other ? other[1] : positionals;
}

function judgeSubcommand(usage: Usage, [name, ...rest]: readonly Field[], judging: Judging): void {
	if (!name) {
		matchPositionals(usage.positionals, [], judging);
		return;
	}
	const inner = usage.subcommands.get(knownText(name) ?? '');
	if (inner) judgeArguments(inner, rest, judging);
	else judging.object(`"${short(name)}"`);
}

export const short = (field: Field): string => shownField(field).slice(0, 40);

function matchPositionals(expected: readonly Positional[], fields: readonly Field[], judging: Judging): void {
	let rest = fields;
	let needed = expected.filter(({ times }) => times === 'once').length;
	for (const { value, times } of expected) {
		if (times === 'once') needed--;
		const spare = Math.max(0, rest.length - needed);
		const count = Math.min(spare, mostOf(value, times, rest));
		if (count === 0 && times === 'once') judging.object('that a word is missing');
		judgeWords(value, times, rest.slice(0, count), judging);
		rest = rest.slice(count);
	}
	if (rest[0]) judging.object(`the word "${short(rest[0])}"`);
}

/** How many words a positional may take. */
function mostOf({ kind }: ValueKind, times: Positional['times'], fields: readonly Field[]): number {
	if (kind === 'command' || kind === 'more-command') return fields.length;
	if (times !== 'any') return 1;
	const end = kind === 'assignment' ? fields.findIndex((field) => !/^[A-Za-z_]\w*=/.test(knownStart(field))) : -1;
	return end < 0 ? fields.length : end;
}

const isCommand = ({ kind }: ValueKind): boolean => kind === 'command' || kind === 'more-command';

const somethingMore: Field = { atoms: [unknown], isMany: true };

function judgeWords(value: ValueKind, times: Positional['times'], fields: readonly Field[], judging: Judging): void {
	if (value.kind === 'command' && fields.length > 0) judging.command(fields);
	if (value.kind === 'more-command' && fields.length > 0) judging.command([...fields, somethingMore]);
	for (const field of isCommand(value) ? [] : fields) {
		if (field.isMany && times !== 'any') judging.object('a word that may turn out to be several');
		judging.value(value, field);
	}
}

/** Tells flags from other words as the program itself would. Pure. */
import { after, type Field, knownStart, knownText, shownField } from '../script/field.ts';
import type { Judging } from './judge.ts';
import type { Flag, Positional, Usage, ValueKind } from './program.ts';

export interface ReadArguments {
	/** What is neither a flag nor the value of one. */
	readonly others: readonly Field[];
	/** Names of the flags that are there. */
	readonly given: ReadonlySet<string>;
}

export function readArguments(usage: Usage, fields: readonly Field[], judging: Judging): ReadArguments {
	const reader = new Reader(usage, fields, judging);
	reader.read();
	return reader;
}

const isCommand = ({ value }: Positional): boolean => value.kind === 'command' || value.kind === 'more-command';

function isFlag(field: Field): boolean {
	const start = knownStart(field);
	return start.startsWith('-') && (start.length > 1 || field.atoms.length > 1);
}

/** How many words that are no flags end the reading of flags. */
function endOfFlags({ stopsAtPositional, subcommands, positionals }: Usage): number {
	if (stopsAtPositional || subcommands.size > 0) return 1;
	const command = positionals.findIndex(isCommand);
	return command < 0 ? Number.POSITIVE_INFINITY : command + 1;
}

class Reader implements ReadArguments {
	readonly others: Field[] = [];
	readonly given = new Set<string>();
	readonly #usage: Usage;
	readonly #judging: Judging;
	/** What is still to be read. */
	#rest: Field[];

	constructor(usage: Usage, fields: readonly Field[], judging: Judging) {
		this.#usage = usage;
		this.#judging = judging;
		this.#rest = [...fields];
	}

	read(): void {
		const { readsNoFlags } = this.#usage;
		const most = endOfFlags(this.#usage);
		while (this.others.length < most) {
			const field = this.#rest.shift();
			if (!field || (knownText(field) === '--' && !readsNoFlags)) break;
			if (isFlag(field) && !readsNoFlags) this.#readFlag(field);
			else this.#readOther(field);
		}
		this.others.push(...this.#rest);
	}

	/** What begins with something unknown may be a flag when it runs. */
	#readOther(field: Field): void {
		const first = field.atoms[0]?.kind;
		const isLoose = field.isMany || first === 'glob' || first === 'unknown';
		if (isLoose && !this.#usage.isHarmlessWithAnyFlag)
			this.#judging.object('a word that may turn out to be a flag (begin it with ./ or put -- before it)');
		this.others.push(field);
	}

	#readFlag(field: Field): void {
		const start = knownStart(field);
		const known = knownText(field) ?? '';
		const isNumber = this.#usage.takesNumberFlag && /^-\d{1,9}$/.test(known);
		if (isNumber) return;
		if (this.#usage.flagStyle === 'words' || this.#usage.flags.get(known)?.isAlone)
			this.#takeValues(this.#flag(known, field));
		else if (start.startsWith('--')) this.#readLong(field, start);
		else this.#readLetters(field, start);
	}

	#readLong(field: Field, start: string): void {
		const equals = start.indexOf('=');
		const name = equals < 0 ? (knownText(field) ?? '') : start.slice(0, equals);
		const flag = this.#flag(name, field);
		if (equals < 0) this.#takeValues(flag?.isOptional ? undefined : flag);
		else if (flag?.values.length === 1) this.#judging.value(flag.values[0] as ValueKind, after(field, equals + 1));
		else if (flag) this.#judging.object(`${name} with a value`);
	}

	#readLetters(field: Field, start: string): void {
		for (let i = 1; i < start.length; i++) {
			const flag = this.#letter(`-${start[i]}`, field);
			if (!flag) return;
			if (flag.values.length > 0) {
				this.#readAttached(flag, after(field, i + 1));
				return;
			}
		}
		if (field.atoms.length > 1) this.#judging.object(`the flag ${shownField(field).slice(0, 40)}`);
	}

	#letter(name: string, field: Field): Flag | undefined {
		const flag = this.#flag(name, field);
		if (flag?.isAlone) this.#judging.object(`${name} in one word with others`);
		return flag;
	}

	/** "-n5": what is left of the word is the value. */
	#readAttached(flag: Flag, rest: Field): void {
		const [kind, ...more] = flag.values;
		if (kind && rest.atoms.length > 0) {
			this.#judging.value(kind, rest);
			this.#takeValues({ ...flag, values: more });
		} else if (!flag.isOptional) this.#takeValues(flag);
	}

	#flag(name: string, field: Field): Flag | undefined {
		const flag = this.#usage.flags.get(name);
		if (flag) this.given.add(name);
		else this.#judging.object(`the flag ${(name.length > 1 ? name : shownField(field)).slice(0, 40)}`);
		return flag;
	}

	#takeValues(flag: Flag | undefined): void {
		for (const kind of flag?.values ?? []) {
			const field = this.#rest.shift();
			if (field && !field.isMany) this.#judging.value(kind, field);
			else this.#judging.object(`${flag?.name} without its value`);
		}
	}
}

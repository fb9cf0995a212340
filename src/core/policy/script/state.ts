/** What is known at one point of a script: the values of its variables, and the folder it is in. Pure. */
import { type Place, placeAt, workspace } from '../paths.ts';
import type { Lookup, Values } from './expand.ts';
import { digits, type Field, knownText, pathText } from './field.ts';

/** Whether the surroundings set a variable, so that its value is not known. */
export type IsSetOutside = (name: string) => boolean;

const mostValues = 64;
/** Of that many numbers it is enough to know that they are numbers. */
const mostNumbers = 8;

export class State {
	/** Null: anywhere. */
	folders: readonly Place[] | null;
	readonly #variables: Map<string, Values>;
	readonly #isSetOutside: IsSetOutside;

	constructor(isSetOutside: IsSetOutside, folders: readonly Place[] | null, variables = new Map<string, Values>()) {
		this.#isSetOutside = isSetOutside;
		this.#variables = variables;
		this.folders = folders;
	}

	copy(): State {
		return new State(this.#isSetOutside, this.folders, new Map(this.#variables));
	}

	readonly lookup: Lookup = (name) => {
		const known = this.#variables.get(name);
		return known === undefined ? this.#initial(name) : known;
	};

	/** A name without small letters may be the shell's own. */
	#initial(name: string): Values {
		if (name === 'HOME') return [[{ kind: 'home' }]];
		return this.#isSetOutside(name) || !/[a-z]/.test(name) ? null : [[]];
	}

	set(name: string, values: Values): void {
		this.#variables.set(name, values === null ? null : united(values));
	}

	/** After one of two ways nobody knows which it was. */
	join(other: State): void {
		for (const name of new Set([...this.#variables.keys(), ...other.#variables.keys()])) {
			const [a, b] = [this.lookup(name), other.lookup(name)];
			this.set(name, a && b ? [...a, ...b] : null);
		}
		this.folders = this.folders && other.folders ? distinct([...this.folders, ...other.folders]) : null;
	}

	/** `cd`, which may also fail. */
	enter(args: readonly Field[]): void {
		const [target] = args.filter((arg) => !/^-[LPe@]+$|^--$/.test(knownText(arg) ?? ''));
		const places = target ? this.#placesOf(target) : [workspace];
		this.folders = this.folders && places ? distinct([...this.folders, ...places]) : null;
	}

	#placesOf(target: Field): Place[] | null {
		const isHome = target.atoms[0]?.kind === 'home';
		const path = pathText(isHome ? { ...target, atoms: target.atoms.slice(1) } : target);
		const from = isHome ? [workspace] : this.folders;
		if (path === null || from === null || path === '-' || path.includes('\0')) return null;
		const places = from.map((folder) => placeAt(folder, isHome ? `./${path}` : path));
		const known = places.filter((place) => place !== undefined);
		return known.length === places.length ? known : null;
	}
}

function distinct<T>(values: readonly T[]): T[] | null {
	const byText = new Map(values.map((value) => [JSON.stringify(value), value]));
	return byText.size <= mostValues ? [...byText.values()] : null;
}

/** A loop over nothing leaves its variable as it was never set. */
const united = (values: NonNullable<Values>): Values => distinct(values.length === 0 ? [[]] : values);

/** The values of a loop's variable. */
export function valuesOf(fields: readonly Field[]): Values {
	if (fields.some(({ isMany }) => isMany)) return null;
	const isNumeric = fields.every((field) => /^\d+$/.test(knownText(field) ?? ''));
	return isNumeric && fields.length > mostNumbers ? [[digits]] : united(fields.map(({ atoms }) => atoms));
}

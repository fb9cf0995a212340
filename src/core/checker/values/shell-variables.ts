/** What `$name` and `${name…}` give. */
import type { ShellOperation, VariableNode } from '../languages/ir.ts';
import type { Machine } from './machine.ts';
import {
	anyElement,
	BLANK,
	HOLE,
	join,
	joinAll,
	joinTexts,
	longestText,
	numbersOf,
	rowOf,
	text,
	textsOf,
	unknown,
	type Values,
} from './value.ts';
import { spend } from './work.ts';

/** Variables that a shell in the jail has from the start. */
const given: Readonly<Record<string, string>> = {
	HOME: '/work',
	PWD: '/work',
	OLDPWD: '/work',
	IFS: ' \t\n',
	PATH: '/usr/local/bin:/usr/bin:/bin',
	SHELL: '/bin/bash',
	BASH: '/bin/bash',
	'0': '/code/main.sh',
	'-': 'hB',
};

/** Blanks of an unquoted expansion will split the word. */
export function blanked(value: string): string {
	spend(value.length);
	return value.replaceAll(/[ \t\n]+/g, BLANK);
}

export function evaluateVariable(machine: Machine, node: VariableNode): Values {
	const value = operated(machine, node.name, node.operation);
	if (node.quoted) return value;
	return joinAll(textsOf(value).map((one) => text(blanked(one))));
}

function fromStart(name: string): Values | null {
	const value = rowOf(given, name);
	return value === undefined ? null : text(value);
}

/** The values of a variable; null when nothing in the script ever sets it. */
export function variable(machine: Machine, name: string): Values | null {
	const owner = machine.scope.owner(name);
	const binding = owner?.bindings.get(name);
	if (!owner || !binding) return fromStart(name);
	const now = owner.activation === machine.scope.activation ? owner.activation.now.get(binding) : undefined;
	return now ?? binding.all;
}

/** An array stands for its first element, `$@` and `${x[@]}` for all of them one after the other. */
function plain(machine: Machine, name: string): Values {
	const all = name === '*' ? '@' : name;
	const values = variable(machine, all) ?? (machine.isCommandName && !/^[A-Z_]+$/.test(name) ? text('') : unknown);
	return joinAll(
		values.map((value) =>
			value.kind !== 'list' ? [value] : all === '@' ? spaced(value.items, value.rest) : (value.items[0] ?? value.rest),
		),
	);
}

const spaced = (items: readonly Values[], rest: Values): Values =>
	text(
		joinTexts(
			[...items, ...(rest.length > 0 ? [rest] : [])].map((item) => textsOf(item)[0] ?? HOLE),
			BLANK,
		),
	);

function operated(machine: Machine, name: string, operation: ShellOperation | null): Values {
	if (!operation) return plain(machine, name);
	const operands = operation.operands.map((operand) => machine.evaluate(machine, operand));
	const apply = rowOf(operations, operation.operator);
	return apply ? apply(machine, name, operands) : text(HOLE);
}

type Operation = (machine: Machine, name: string, operands: readonly Values[]) => Values;

const withDefault: Operation = (machine, name, [fallback = unknown]) =>
	join(variable(machine, name) ? plain(machine, name) : unknown, fallback);
const instead: Operation = (_, __, [other = unknown]) => join(other, text(''));

const overTexts = (machine: Machine, name: string, change: (value: string) => string | null): Values =>
	joinAll(
		textsOf(plain(machine, name)).map((value) =>
			text(value.includes(HOLE) || value.length > 1024 ? HOLE : (change(value) ?? HOLE)),
		),
	);

interface Glob {
	readonly source: string;
	readonly stars: number;
}

/** A glob as a regular expression; null when it has an unknown piece. */
function globOf(glob: string, isGreedy: boolean): Glob | null {
	const stars = glob.match(/\*/g)?.length ?? 0;
	if (glob.includes(HOLE) || glob.length > 64 || stars > 2) return null;
	const source = glob.replaceAll(/[.+^${}()|\\]|\*|\?/g, (c) =>
		c === '*' ? (isGreedy ? '[^]*' : '[^]*?') : c === '?' ? '[^]' : `\\${c}`,
	);
	return { source, stars };
}

/** Every star may try every place of the text, for every place where the match may start. */
const spendOnMatch = (value: string, { stars }: Glob, starts: number): void =>
	spend((starts * Math.max(1, value.length) ** stars) / 8);

const removing =
	(isPrefix: boolean, isGreedy: boolean): Operation =>
	(machine, name, [pattern = unknown]) => {
		const glob = globOf(textsOf(pattern)[0] ?? HOLE, isGreedy);
		if (glob === null) return text(HOLE);
		return overTexts(machine, name, (value) => removed(value, glob, isPrefix, isGreedy));
	};

function removed(value: string, glob: Glob, isPrefix: boolean, isGreedy: boolean): string {
	const starts = Array.from({ length: Math.min(value.length, 256) + 1 }, (_, i) => (isGreedy ? i : value.length - i));
	spendOnMatch(value, glob, isPrefix ? 1 : starts.length);
	if (isPrefix) return value.replace(new RegExp(`^(?:${glob.source})`), '');
	const whole = new RegExp(`^(?:${glob.source})$`);
	const start = starts.find((i) => i >= 0 && whole.test(value.slice(i)));
	return start === undefined ? value : value.slice(0, start);
}

/** What stands behind a text that is long enough already is not made at all. */
function replacedAsFarAsItCounts(value: string, pattern: RegExp, other: string): string {
	let made = 0;
	return value.replace(pattern, () => {
		const counts = made <= longestText;
		made += other.length;
		return counts ? other : '';
	});
}

const replacing =
	(flags: string, anchor: string): Operation =>
	(machine, name, [pattern = unknown, replacement = text('')]) => {
		const glob = globOf(textsOf(pattern)[0] ?? HOLE, true);
		const [other = HOLE] = textsOf(replacement);
		if (glob === null || glob.source === '') return text(HOLE);
		const { source } = glob;
		const anchored = anchor === '^' ? `^(?:${source})` : anchor === '$' ? `(?:${source})$` : source;
		return overTexts(machine, name, (value) => {
			spendOnMatch(value, glob, anchor === '^' ? 1 : value.length);
			spend((value.length * other.length) / 64);
			return replacedAsFarAsItCounts(value, new RegExp(anchored, flags), other);
		});
	};

const sliced: Operation = (machine, name, [offset = unknown, length]) => {
	const [from, size] = [integer(offset), length === undefined ? undefined : integer(length)];
	if (from === undefined || (length !== undefined && size === undefined)) return text(HOLE);
	return overTexts(machine, name, (value) => {
		const tail = value.slice(from < 0 ? Math.max(0, value.length + from) : from);
		return size === undefined ? tail : size < 0 ? tail.slice(0, size) : tail.slice(0, size);
	});
};

function integer(values: Values): number | undefined {
	const [only] = [
		...numbersOf(values),
		...textsOf(values).map((one) => (/^\s*-?\d+\s*$/.test(one) ? Number(one) : Number.NaN)),
	];
	return only === undefined || Number.isNaN(only) ? undefined : only;
}

const cased =
	(change: (value: string) => string): Operation =>
	(machine, name) =>
		overTexts(machine, name, change);

const indexed: Operation = (machine, name, [index = unknown]) => {
	const key = textsOf(index)[0] ?? HOLE;
	const values = variable(machine, name) ?? unknown;
	return joinAll(
		values.map((value) => {
			if (value.kind !== 'list') return [value];
			if (key === '@' || key === '*') return spaced(value.items, value.rest);
			return /^-?\d+$/.test(key) ? (value.items.at(Number(key)) ?? value.rest) : anyElement([value]);
		}),
	);
};

/** `${!name}`: the variable that the variable names. */
const indirect: Operation = (machine, name) =>
	joinAll(textsOf(plain(machine, name)).map((target) => (target.includes(HOLE) ? text(HOLE) : plain(machine, target))));

const operations: Readonly<Record<string, Operation>> = {
	'-': withDefault,
	':-': withDefault,
	'=': withDefault,
	':=': withDefault,
	'?': withDefault,
	':?': withDefault,
	'+': instead,
	':+': instead,
	'#': removing(true, false),
	'##': removing(true, true),
	'%': removing(false, false),
	'%%': removing(false, true),
	'/': replacing('', ''),
	'//': replacing('g', ''),
	'/#': replacing('', '^'),
	'/%': replacing('', '$'),
	':': sliced,
	'^': cased((value) => value.charAt(0).toUpperCase() + value.slice(1)),
	'^^': cased((value) => value.toUpperCase()),
	',': cased((value) => value.charAt(0).toLowerCase() + value.slice(1)),
	',,': cased((value) => value.toLowerCase()),
	'[]': indexed,
	'!': indirect,
};

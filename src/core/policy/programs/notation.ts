/** Reads the short notation for flags and positionals: "-a -n=integer -e:python --color[=(auto|never)]", "text path*". Pure. */
import { RE2JS } from 're2js';
import { type Flag, namedKinds, type Positional, type ValueKind } from './program.ts';

/** What is wrong with a policy, in words; whoever reads the file adds where. */
export class NotationError extends Error {}

/** What stands for "-5", "-12" … */
export const numberFlag = '-#';

function kindOf(text: string): ValueKind {
	const named = namedKinds.find((name) => name === text);
	if (named) return { kind: named };
	if (/^\(.+\)$/.test(text)) return { kind: 'enum', words: text.slice(1, -1).split('|') };
	if (/^\/.+\/$/.test(text)) return { kind: 'pattern-of', source: text, regex: compile(text.slice(1, -1)) };
	throw new NotationError(`"${text}" is no kind of value`);
}

/** @throws NotationError for what is no RE2 pattern */
export function compile(source: string, ignoresCase = false): RE2JS {
	try {
		return RE2JS.compile(source, ignoresCase ? RE2JS.CASE_INSENSITIVE : 0);
	} catch (error) {
		throw new NotationError(`"${source}" is no RE2 pattern: ${(error as Error).message}`);
	}
}

const flagPattern = /^(--?[^\s=:[\]]+|\+[a-z])(?:([=:])(\S+)|\[=(\S+)\])?$/;

function flagOf(token: string): Flag {
	const [, name, sign, value, optional] = flagPattern.exec(token) ?? [];
	if (name === undefined) throw new NotationError(`"${token}" is no flag`);
	const text = value ?? optional;
	const isList = text !== undefined && !/^[(/]/.test(text);
	const values = text === undefined ? [] : (isList ? text.split(',') : [text]).map(kindOf);
	if (optional !== undefined && values.length > 1) throw new NotationError(`"${token}" can leave out one value only`);
	return { name, values, isAlone: sign === ':', isOptional: optional !== undefined };
}

const tokensOf = (notation: string): string[] => notation.split(/\s+/).filter((token) => token !== '');

export function flagsOf(notation: string): Map<string, Flag> {
	const flags = new Map<string, Flag>();
	for (const token of tokensOf(notation)) {
		const flag = flagOf(token);
		if (flags.has(flag.name)) throw new NotationError(`${flag.name} is there twice`);
		flags.set(flag.name, flag);
	}
	return flags;
}

const timesOf = { '?': 'maybe', '*': 'any' } as const;

/** "path" once, "path?" once or not at all, "path*" any number of times, "path+" once or more. */
export function positionalsOf(notation: string): Positional[] {
	return tokensOf(notation).flatMap((token): Positional[] => {
		const [, text = '', times] = /^(.+?)([?*+])?$/.exec(token) ?? [];
		const value = kindOf(text);
		if (times === '+') return [once(value), { value, times: 'any' }];
		return [times === undefined ? once(value) : { value, times: timesOf[times as '?' | '*'] }];
	});
}

const once = (value: ValueKind): Positional => ({ value, times: 'once' });

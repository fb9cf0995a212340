/** Folds paths: joining, taking apart and normalising them as text. */
import { HOLE, join, type PathValue, path, rowOf, text, textsOf, type Values } from './value.ts';
import { spend } from './work.ts';

/** HOME inside the jail, and the folder in which a program starts. */
export const home = '/work';

/** A later absolute part throws away what stands before it. */
export function joinPaths(parts: readonly string[]): string {
	return parts.reduce((joined, part) => {
		if (part.startsWith('/') || joined === '') return part;
		return joined.endsWith('/') ? joined + part : `${joined}/${part}`;
	}, '');
}

/** Resolves `.`, `..`, `~` and repeated slashes. An unknown piece keeps `..` from eating it. */
export function normalisePath(written: string): string {
	spend(written.length);
	const expanded = written.replace(/^~(?=\/|$)/, home);
	const absolute = expanded.startsWith('/') || expanded.startsWith(HOLE) ? expanded : `${home}/${expanded}`;
	const kept: string[] = [];
	for (const segment of absolute.split('/')) {
		if (segment === '' || segment === '.') continue;
		if (segment === '..') kept.pop();
		else kept.push(segment);
	}
	const joined = kept.join('/');
	return absolute.startsWith(HOLE) ? joined : `/${joined}`;
}

export const directoryOf = (file: string): string => {
	const end = file.lastIndexOf('/');
	return end > 0 ? file.slice(0, end) : end === 0 ? '/' : '';
};
export const baseOf = (file: string): string => file.slice(file.lastIndexOf('/') + 1);

const sameFolder = (file: string, name: string): string => joinPaths([directoryOf(file), name]);

const pathAttributes: Readonly<Record<string, (file: string) => Values>> = {
	parent: (file) => path(directoryOf(file)),
	name: (file) => text(baseOf(file)),
	stem: (file) => text(baseOf(file).replace(/\.[^.]*$/, '')),
	suffix: (file) => text(/\.[^.]*$/.exec(baseOf(file))?.[0] ?? ''),
	root: () => text('/'),
};

export const pathMember = (value: PathValue, key: string): Values =>
	rowOf(pathAttributes, key)?.(value.text) ?? [{ kind: 'method', self: value, name: key }];

type PathMethod = (file: string, args: readonly Values[]) => Values;

const combined = (file: string, args: readonly Values[], build: (file: string, part: string) => string): Values =>
	(args[0] ? textsOf(args[0]) : [HOLE]).map((part) => ({ kind: 'path', text: build(file, part) }) as const);

/** Methods of a path object that give another path. */
export const pathMethods: Readonly<Record<string, PathMethod>> = {
	joinpath: (file, args) =>
		args.reduce<Values>(
			(joined, part) =>
				joined.flatMap((left) => textsOf(part).flatMap((right) => path(joinPaths([textOfPath(left), right])))),
			path(file),
		),
	with_name: (file, args) => combined(file, args, sameFolder),
	with_suffix: (file, args) => combined(file, args, (whole, suffix) => whole.replace(/\.[^./]*$/, '') + suffix),
	with_stem: (file, args) => combined(file, args, (whole, stem) => sameFolder(whole, stem)),
	resolve: (file) => path(normalisePath(file)),
	absolute: (file) => path(normalisePath(file)),
	expanduser: (file) => path(normalisePath(file)),
	as_posix: (file) => text(file),
	relative_to: (file) => path(baseOf(file)),
};

const textOfPath = (value: Values[number]): string =>
	value.kind === 'path' || value.kind === 'text' ? value.text : HOLE;

/** All ways to join the alternatives of several parts. */
export function joinedPaths(parts: readonly Values[]): string[] {
	let ways = [''];
	for (const part of parts) {
		const texts = textsOf(part);
		ways = ways.flatMap((left) => texts.map((right) => joinPaths([left, right]))).slice(0, 8);
	}
	return ways;
}

export const pathsOf = (texts: readonly string[]): Values =>
	texts.reduce<Values>((joined, one) => join(joined, path(one)), []);

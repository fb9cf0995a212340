/** Names of packages as people type them: what is a name, what names the same, and lists that belong together. Pure. */
import { KnownError } from '../../contract/error.ts';
import type { PackageLanguage } from './bundle.ts';

/** A name of a package index with an optional version; no path, no address, no option. */
const patterns: Record<PackageLanguage, RegExp> = {
	python: /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(\[[A-Za-z0-9,._-]+\])?([=<>!~]=?[A-Za-z0-9.*+,<>=!~]+)?$/,
	javascript: /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*(@[a-z0-9.^~<>=*-]+)?$/i,
};

/** What is often wanted together. */
const curated: Readonly<Record<string, readonly string[]>> = {
	'@data': ['matplotlib', 'numpy', 'pandas'],
	'@docs': ['openpyxl', 'pypdf', 'python-docx'],
	'@web': ['beautifulsoup4', 'lxml', 'requests'],
};

export const curatedNames = Object.entries(curated).map(([name, packages]) => `${name} (${packages.join(', ')})`);

/** "pandas >= 2, < 3" as pip would write it. */
const withoutSpaces = (name: string): string => name.trim().replaceAll(/ *([=<>!~]+|,) */g, '$1');

/** @returns the names with curated lists unfolded */
export function readNames(typed: readonly string[], language: PackageLanguage): string[] {
	const names = typed.flatMap((name) => (language === 'python' ? (curated[name] ?? [withoutSpaces(name)]) : [name]));
	const bad = names.find((name) => !patterns[language].test(name));
	if (bad !== undefined) throw new KnownError('USAGE', { details: `"${bad}" is not the name of a package` });
	return names;
}

const bareName = (name: string): string =>
	name
		.replace(/(?<=.)[[=<>!~@].*$/, '')
		.toLowerCase()
		.replaceAll(/[._]/g, '-');

/** The same package asked for again replaces the earlier wish. */
export function withPackages(old: readonly string[], added: readonly string[]): string[] {
	const replaced = new Set(added.map(bareName));
	return [...old.filter((name) => !replaced.has(bareName(name))), ...new Set(added)].sort();
}

export function withoutPackages(old: readonly string[], removed: readonly string[]): string[] {
	const gone = new Set(removed.map(bareName));
	return old.filter((name) => !gone.has(bareName(name)));
}

const hasVersion = (name: string): boolean => /.[=<>!~@]/.test(name);

/** What a lock holds of other packages than those that were asked for with a version: it stays as it is. */
export function stillPinned<Pin extends { readonly name: string }>(
	lock: readonly Pin[],
	typed: readonly string[],
): Pin[] {
	const free = new Set(typed.filter(hasVersion).map(bareName));
	return lock.filter(({ name }) => !free.has(bareName(name)));
}

/** Names that a bundle does not have. */
export function unknownNames(old: readonly string[], removed: readonly string[]): string[] {
	const known = new Set(old.map(bareName));
	return removed.filter((name) => !known.has(bareName(name)));
}

/** "lodash@4" as an entry of a package.json; without a version the newest. */
export function dependencyOf(name: string): [name: string, range: string] {
	const at = name.lastIndexOf('@');
	return at > 0 ? [name.slice(0, at), name.slice(at + 1)] : [name, 'latest'];
}

/** Bundles of packages in the data folder: what is in each, locked by hashes, and which folders a jail is shown. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KnownError } from '../../contract/error.ts';
import { bundleNamePattern } from '../../contract/job.ts';

const setSchema = {
	/** Names as they were asked for, with their version where one was given. */
	names: z.array(z.string()),
	/** Folder of the packages, below that of the bundle; another lock is another folder. */
	set: z.string().regex(/^[a-z]+-[0-9a-f]{12}$/),
	/** The interpreter that the packages were chosen for. */
	version: z.string(),
	/** What a program may import. */
	modules: z.array(z.string()),
};

/** One locked package; the hash is that of the file that was installed. */
const lockedSchema = z.strictObject({ name: z.string(), version: z.string(), hash: z.string() });
export type Locked = z.infer<typeof lockedSchema>;

const pythonSchema = z.strictObject({ ...setSchema, lock: z.array(lockedSchema) });
/** npm's own lock file says more than a list of hashes: where each package lies. */
const javascriptSchema = z.strictObject({ ...setSchema, lock: z.array(lockedSchema), lockFile: z.json() });

export const bundleSchema = z.strictObject({
	python: pythonSchema.nullable().default(null),
	javascript: javascriptSchema.nullable().default(null),
});
export type Bundle = z.infer<typeof bundleSchema>;
export type PackageLanguage = keyof Bundle;

export const emptyBundle: Bundle = { python: null, javascript: null };

/** The bundle that programs get when nobody chooses another. */
export const defaultBundle = 'default';

const packagesFolder = (home: string): string => join(home, 'packages');
export const bundleFolder = (home: string, name: string): string => join(packagesFolder(home), name);
const indexPath = (home: string, name: string): string => join(bundleFolder(home, name), 'bundle.json');

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

export function requireBundleName(name: string): void {
	if (!bundleNamePattern.test(name)) throw new KnownError('USAGE', { details: `"${name}" cannot name a bundle` });
}

/** @param where for the person who must mend it */
export function parseBundle(text: string, where: string): Bundle {
	const parsed = bundleSchema.safeParse(parseJson(text));
	if (parsed.success) return parsed.data;
	throw new KnownError('CONFIG_INVALID', { details: `${where} is not a lock of packages` });
}

export function readBundle(home: string, name: string): Bundle {
	if (!existsSync(indexPath(home, name))) return emptyBundle;
	return parseBundle(readFileSync(indexPath(home, name), 'utf8'), `the list of the bundle "${name}"`);
}

/** Every bundle by its name, from the first data folder that has it. */
export function readBundles(homes: readonly string[]): Record<string, Bundle> {
	const found: Record<string, Bundle> = {};
	for (const home of homes) {
		if (!existsSync(packagesFolder(home))) continue;
		for (const name of readdirSync(packagesFolder(home)).sort())
			if (existsSync(indexPath(home, name))) found[name] ??= readBundle(home, name);
	}
	return found;
}

/** Switched over as a whole; a bundle of nothing is no bundle. */
export async function writeBundle(home: string, name: string, bundle: Bundle): Promise<void> {
	const folder = bundleFolder(home, name);
	if (bundle.python === null && bundle.javascript === null) return rm(folder, { recursive: true, force: true });
	await mkdir(folder, { recursive: true });
	await writeFile(`${indexPath(home, name)}.new`, `${JSON.stringify(bundle, null, '\t')}\n`, { mode: 0o644 });
	await rename(`${indexPath(home, name)}.new`, indexPath(home, name));
}

/** The folders of a bundle on this host. */
export interface Shown {
	readonly python: string | undefined;
	readonly javascript: string | undefined;
	readonly modules: readonly string[];
	/** What was asked for. */
	readonly names: readonly string[];
	/** The Python that the packages were chosen for. */
	readonly pythonVersion: string | undefined;
}

/** Compiled packages of Python fit one "3.11", whatever comes behind it. */
export const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');

/** @returns undefined when no data folder has the bundle */
export function findBundle(homes: readonly string[], name: string): Shown | undefined {
	for (const home of homes) {
		if (!existsSync(indexPath(home, name))) continue;
		const { python, javascript } = readBundle(home, name);
		const folderOf = (part: { set: string } | null) =>
			part === null ? undefined : join(bundleFolder(home, name), part.set);
		const modules = [...(python?.modules ?? []), ...(javascript?.modules ?? [])];
		const names = [...(python?.names ?? []), ...(javascript?.names ?? [])];
		const pythonVersion = python?.version;
		return { python: folderOf(python), javascript: folderOf(javascript), modules, names, pythonVersion };
	}
	return undefined;
}

/** Which bundles have a module. */
export const bundlesWith = (homes: readonly string[], language: PackageLanguage, module: string): string[] =>
	Object.entries(readBundles(homes))
		.filter(([, bundle]) => bundle[language]?.modules.includes(module))
		.map(([name]) => name);

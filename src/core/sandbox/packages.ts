/** Python packages for the jail: wheels in a folder per set, switched over as a whole, mounted read-only. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { KnownError } from '../../contract/error.ts';
import { runCommand } from '../host/process.ts';

const indexSchema = z.strictObject({
	/** Names as they were asked for, with their version where one was given. */
	names: z.array(z.string()),
	/** Folder of the set, below the folder of the index. */
	set: z.string().nullable(),
	/** The Python the wheels were chosen for. */
	python: z.string().nullable(),
});
export type PackageIndex = z.infer<typeof indexSchema>;

const empty: PackageIndex = { names: [], set: null, python: null };

const folderOf = (home: string): string => join(home, 'packages', 'python');
const indexPath = (home: string): string => join(folderOf(home), 'index.json');

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

export function readPackages(home: string): PackageIndex {
	if (!existsSync(indexPath(home))) return empty;
	const text = readFileSync(indexPath(home), 'utf8');
	const parsed = indexSchema.safeParse(parseJson(text));
	if (!parsed.success) throw new KnownError('CONFIG_INVALID', { details: 'the list of packages cannot be read' });
	return parsed.data;
}

/** The folder to mount, from the first data folder that has packages. */
export function packageFolder(homes: readonly string[]): string | undefined {
	for (const home of homes) {
		const { set } = readPackages(home);
		if (set !== null) return join(folderOf(home), set);
	}
	return undefined;
}

/** A name of the package index with an optional version; no path, no address, no option. */
const namePattern = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(\[[A-Za-z0-9,._-]+\])?([=<>!~]=?[A-Za-z0-9.*,<>=!~]+)?$/;

function requireNames(names: readonly string[]): void {
	const bad = names.find((name) => !namePattern.test(name));
	if (bad !== undefined) throw new KnownError('USAGE', { details: `"${bad}" is not the name of a package` });
}

const bareName = (name: string): string =>
	name
		.replace(/[[=<>!~].*$/, '')
		.toLowerCase()
		.replaceAll(/[._]/g, '-');

/** The same package asked for again replaces the earlier wish. */
export function withPackages(old: readonly string[], added: readonly string[]): string[] {
	const replaced = new Set(added.map(bareName));
	return [...old.filter((name) => !replaced.has(bareName(name))), ...added].sort();
}

export function withoutPackages(old: readonly string[], removed: readonly string[]): string[] {
	const gone = new Set(removed.map(bareName));
	return old.filter((name) => !gone.has(bareName(name)));
}

async function openToAll(folder: string): Promise<void> {
	await chmod(folder, 0o755);
	for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
		await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
}

/** Wheels only: building a source package would run its code on the host. */
async function fetchWheels(python: string, names: readonly string[], folder: string): Promise<void> {
	const args = [
		'-m',
		'pip',
		'install',
		'--only-binary=:all:',
		'--no-input',
		'--disable-pip-version-check',
		'--root-user-action=ignore',
	];
	const { exitCode } = await runCommand(python, [...args, '--target', folder, ...names], { show: true });
	if (exitCode !== 0) {
		await rm(folder, { recursive: true, force: true });
		throw new KnownError('CONFIG_INVALID', { details: `pip could not bring ${names.join(', ')}` });
	}
	await openToAll(folder);
}

/** Builds the set for exactly these names and switches over to it; a failure leaves the old set in use. */
export async function setPackages(
	home: string,
	names: readonly string[],
	python: { path: string; version: string },
): Promise<PackageIndex> {
	requireNames(names);
	const before = readPackages(home);
	const stamp = createHash('sha256')
		.update(JSON.stringify([names, python.version, Date.now()]))
		.digest('hex')
		.slice(0, 12);
	const set = names.length === 0 ? null : stamp;
	await mkdir(folderOf(home), { recursive: true });
	for (const folder of [home, dirname(folderOf(home)), folderOf(home)]) await chmod(folder, 0o755);
	if (set !== null) await fetchWheels(python.path, names, join(folderOf(home), set));
	const index: PackageIndex = { names: [...names], set, python: set === null ? null : python.version };
	await writeFile(`${indexPath(home)}.new`, `${JSON.stringify(index, null, '\t')}\n`, { mode: 0o644 });
	await rename(`${indexPath(home)}.new`, indexPath(home));
	if (before.set !== null) await rm(join(folderOf(home), before.set), { recursive: true, force: true });
	return index;
}

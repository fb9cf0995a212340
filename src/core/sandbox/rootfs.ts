/** The read-only file system of every jail: a small tree that is laid out once, so that nothing of the host's own is shown. */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, copyFile, link, mkdir, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Raise it when the layout changes, so that an older tree is not used again. */
const layoutVersion = 1;

export interface RootfsPlan {
	/** Single files of the host, by their path in the jail; each is a real file, not a link. */
	readonly hostFiles: Readonly<Record<string, string>>;
	/** Text files by their path in the jail. */
	readonly texts: Readonly<Record<string, string>>;
	readonly links: Readonly<Record<string, string>>;
	/** Empty folders and files that something is mounted on. */
	readonly folders: readonly string[];
	readonly mountedFiles: readonly string[];
}

async function keyOf(plan: RootfsPlan): Promise<string> {
	const hash = createHash('sha256').update(JSON.stringify([layoutVersion, plan]));
	for (const source of Object.values(plan.hostFiles)) {
		const { ino, size, mtimeMs } = await stat(source);
		hash.update(`${source} ${ino} ${size} ${mtimeMs}\n`);
	}
	return hash.digest('hex').slice(0, 16);
}

const readableByAll = 0o444;
const executableByAll = 0o111;

/** A hard link costs nothing; across file systems, or where links are forbidden, it is a copy. */
async function place(source: string, target: string): Promise<void> {
	const { mode } = await stat(source);
	await mkdir(dirname(target), { recursive: true });
	if ((mode & readableByAll) === readableByAll && (await succeeds(link(source, target)))) return;
	await copyFile(source, target);
	await chmod(target, readableByAll | (mode & 0o100 ? executableByAll : 0));
}

async function write(target: string, text: string): Promise<void> {
	await mkdir(dirname(target), { recursive: true });
	await writeFile(target, text);
	await chmod(target, readableByAll);
}

async function lay(root: string, plan: RootfsPlan): Promise<void> {
	for (const folder of plan.folders) await mkdir(join(root, folder), { recursive: true });
	for (const [path, target] of Object.entries(plan.links)) {
		await mkdir(dirname(join(root, path)), { recursive: true });
		await symlink(target, join(root, path));
	}
	for (const path of plan.mountedFiles) await write(join(root, path), '');
	for (const [path, text] of Object.entries(plan.texts)) await write(join(root, path), text);
	for (const [path, source] of Object.entries(plan.hostFiles)) await place(source, join(root, path));
}

const succeeds = (action: Promise<unknown>): Promise<boolean> =>
	action.then(
		() => true,
		() => false,
	);

/** Every user may enter the tree, whatever the umask of the process that lays it. */
async function openFolders(root: string): Promise<void> {
	await chmod(root, 0o755);
	for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
		if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o755);
	}
}

/** Lays the tree out below `home` unless it is there already; returns its folder. Two processes may do it at once. */
export async function stageRootfs(home: string, plan: RootfsPlan): Promise<string> {
	const root = join(home, 'rootfs', await keyOf(plan));
	if (await succeeds(stat(root))) {
		await succeeds(utimes(root, new Date(), new Date()));
		return root;
	}
	const draft = `${root}.${randomBytes(4).toString('hex')}`;
	await mkdir(draft, { recursive: true });
	for (const folder of [home, dirname(root)]) await chmod(folder, 0o755);
	await lay(draft, plan);
	await openFolders(draft);
	if (!(await succeeds(rename(draft, root)))) await rm(draft, { recursive: true });
	await removeUnused(dirname(root));
	return root;
}

/** A tree is touched by every process that starts to use it; one that nobody touched for so long belongs to an old version. */
const unusedMs = 90 * 24 * 3_600_000;

async function removeUnused(folder: string): Promise<void> {
	for (const name of await readdir(folder)) {
		const tree = join(folder, name);
		const { mtimeMs } = await stat(tree).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
		if (Date.now() - mtimeMs > unusedMs) await succeeds(rm(tree, { recursive: true }));
	}
}

/** A folder for one job that its user may fill, on a device without a jail. It is emptied as that user, never as root. */
import { chownSync, existsSync, lstatSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRoot } from './folders.ts';
import { runCommand } from './process.ts';

const prefix = 'secure-code-work-';

interface Owner {
	readonly uid: number;
	readonly gid: number;
}

/**
 * Links that a job laid could lead us elsewhere while we follow them, so whoever could lay them removes what is there.
 * What does not go away stays: nothing is forced.
 */
async function removeAs(path: string, owner: Owner): Promise<void> {
	// Most jobs leave nothing, and then no process need be started.
	if (isRemoved(path)) return;
	const user = isRoot() && owner.uid !== 0 ? { user: { uid: owner.uid, gid: owner.gid } } : {};
	const options = { env: {}, timeoutMs: 60_000, ...user };
	await runCommand('/bin/chmod', ['-R', 'u+rwX', '--', path], options);
	await runCommand('/bin/rm', ['-rf', '--', path], options);
	isRemoved(path);
}

/** Removes an empty folder and follows nothing. */
function isRemoved(path: string): boolean {
	try {
		rmdirSync(path);
		return true;
	} catch {
		return !existsSync(path);
	}
}

let isSwept = false;

async function removeLeftovers(): Promise<void> {
	if (isSwept) return;
	isSwept = true;
	for (const name of readdirSync(tmpdir())) {
		const [, pid] = new RegExp(`^${prefix}(\\d+)-`).exec(name) ?? [];
		const path = join(tmpdir(), name);
		const stats = lstatSync(path, { throwIfNoEntry: false });
		if (pid !== undefined && stats && !existsSync(`/proc/${pid}`)) await removeAs(path, stats);
	}
}

export interface Workspace {
	readonly path: string;
	remove(): Promise<void>;
}

/** @param owner undefined: we ourselves */
export function createWorkspace(owner: Owner | undefined): Workspace {
	void removeLeftovers();
	const path = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
	const { uid, gid } = owner ?? lstatSync(path);
	if (owner) chownSync(path, uid, gid);
	return { path, remove: () => removeAs(path, { uid, gid }) };
}

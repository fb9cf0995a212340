/** Where our own files lie on the host, and who can reach them. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const systemHome = '/var/lib/secure-code';

export const isRoot = (): boolean => process.getuid?.() === 0;

/** The data folder: SECURE_CODE_HOME, else a place every jail user can enter (root), else the user's own. */
export function dataHome(env: NodeJS.ProcessEnv = process.env): string {
	if (env.SECURE_CODE_HOME) return env.SECURE_CODE_HOME;
	if (isRoot()) return systemHome;
	return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'secure-code');
}

/** Data folders that may hold what a setup brought, the nearest first. */
export const dataHomes = (env: NodeJS.ProcessEnv = process.env): string[] => [...new Set([dataHome(env), systemHome])];

const mayEnter = (folder: string): boolean => (statSync(folder).mode & 0o001) !== 0;

/** Whether users other than the owner can get into a folder; one that does not exist yet is judged by where it will be. */
export function isEnterableByOthers(path: string): boolean {
	const parent = dirname(path);
	const isOpen = !existsSync(path) || mayEnter(path);
	return isOpen && (parent === path || isEnterableByOthers(parent));
}

/** Whether users other than the owner can read a file; a jail started by root runs as such a user. */
export const isReachableByOthers = (path: string): boolean =>
	existsSync(path) && (statSync(path).mode & 0o004) !== 0 && isEnterableByOthers(dirname(path));

/** Whether a folder can be made or filled; the recursive mkdir of Node.js never ends below /proc, so it is asked first. */
export function isWritableFolder(path: string): boolean {
	if (!existsSync(path)) return dirname(path) !== path && isWritableFolder(dirname(path));
	try {
		accessSync(path, constants.W_OK | constants.X_OK);
		return statSync(path).isDirectory() && !path.startsWith('/proc');
	} catch {
		return false;
	}
}

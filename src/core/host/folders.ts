/** Where our own files lie on the host, and who can reach them. */
import { statSync } from 'node:fs';
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

/** Whether users other than the owner can get to a file; a jail started by root runs as such a user. */
export function isReachableByOthers(path: string): boolean {
	try {
		if ((statSync(path).mode & 0o004) === 0) return false;
		for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
			if (!mayEnter(folder)) return false;
		}
		return true;
	} catch {
		return false;
	}
}

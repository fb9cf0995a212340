/** Writes files of an agent for the user who owns its folder, also when root does it, and never half of one. */
import {
	chownSync,
	closeSync,
	existsSync,
	fchmodSync,
	fsyncSync,
	openSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { KnownError } from '../../contract/error.ts';

function writeNew(path: string, text: string, mode: number): void {
	const file = openSync(path, 'wx', mode);
	try {
		fchmodSync(file, mode);
		writeFileSync(file, text);
		fsyncSync(file);
	} finally {
		closeSync(file);
	}
}

/** Puts a file where it belongs in one step. */
export function writeOwned(path: string, text: string, mode: number): void {
	const { uid, gid } = statSync(dirname(path));
	const unfinished = `${path}.new`;
	try {
		rmSync(unfinished, { force: true });
		writeNew(unfinished, text, mode);
		if (process.getuid?.() === 0) chownSync(unfinished, uid, gid);
		renameSync(unfinished, path);
	} catch (error) {
		rmSync(unfinished, { force: true });
		throw new KnownError('PERMISSION', { details: `${path} cannot be written by this user.` }, { cause: error });
	}
}

/** Makes a file that is not there yet. */
export function createOwned(path: string, text: string, mode: number): void {
	if (existsSync(path)) throw new KnownError('CONFIG_INVALID', { details: `${path} is there already` });
	writeOwned(path, text, mode);
}

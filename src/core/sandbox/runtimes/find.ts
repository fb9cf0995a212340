/** Finds programs and interpreters on the host and asks them what they need. */
import { constants } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runCommand } from '../../host/process.ts';

/** Where the host keeps programs, the system's own places first. */
const programFolders = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];

export async function isExecutable(path: string): Promise<boolean> {
	return access(path, constants.R_OK | constants.X_OK).then(
		() => true,
		() => false,
	);
}

/** The real file behind a program of the system, undefined when it is not installed. */
export async function findProgram(
	name: string,
	folders: readonly string[] = programFolders,
): Promise<string | undefined> {
	for (const folder of folders) {
		const path = join(folder, name);
		if (await isExecutable(path)) return realpath(path);
	}
	return undefined;
}

export const pathFolders = (env: NodeJS.ProcessEnv = process.env): string[] =>
	(env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));

/** Runs an interpreter with a tiny script that prints JSON; undefined when it cannot. */
export async function ask<T>(program: string, args: readonly string[]): Promise<T | undefined> {
	const { exitCode, stdout } = await runCommand(program, args, { env: {}, timeoutMs: 10_000 });
	if (exitCode !== 0) return undefined;
	try {
		return JSON.parse(stdout) as T;
	} catch {
		return undefined;
	}
}

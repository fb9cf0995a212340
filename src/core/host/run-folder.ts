/** A short-lived folder for the files of one run: the jail's user can follow a path into it but cannot list it. */
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class RunFolder {
	readonly path: string;

	private constructor(path: string) {
		this.path = path;
	}

	static async create(): Promise<RunFolder> {
		const path = await mkdtemp(join(tmpdir(), 'secure-code-'));
		await chmod(path, 0o711);
		return new RunFolder(path);
	}

	/** A file that only we and nsjail read. */
	async writePrivate(name: string, content: string): Promise<string> {
		const path = join(this.path, name);
		await writeFile(path, content, { mode: 0o600 });
		return path;
	}

	/** A folder whose files are shown to the jail, read-only. */
	async share(
		name: string,
		files: readonly { name: string; content: Uint8Array | { hostPath: string } }[],
	): Promise<string> {
		const folder = join(this.path, name);
		await mkdir(folder);
		await chmod(folder, 0o755);
		for (const file of files) await placeShared(join(folder, file.name), file.content);
		return folder;
	}

	async remove(): Promise<void> {
		await rm(this.path, { recursive: true, force: true });
	}
}

async function placeShared(path: string, content: Uint8Array | { hostPath: string }): Promise<void> {
	if (content instanceof Uint8Array) await writeFile(path, content);
	else await copyFile(content.hostPath, path);
	await chmod(path, 0o444);
}

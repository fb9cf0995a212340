/** A short-lived folder for the files of one run: the jail's user can follow a path into it but cannot list it. */
import {
	chmodSync,
	chownSync,
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { KnownError } from '../../contract/error.ts';

const prefix = 'secure-code-run-';
const swept = new Set<string>();

/** Folders of processes that were killed before they could clean up; looked for once, with our first run. */
function removeLeftovers(base: string): void {
	if (swept.has(base)) return;
	swept.add(base);
	for (const name of readdirSync(base)) {
		const [, pid] = new RegExp(`^${prefix}(\\d+)-`).exec(name) ?? [];
		if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
		const path = join(base, name);
		if (lstatSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.())
			rmSync(path, { recursive: true, force: true });
	}
}

export class RunFolder {
	readonly path: string;

	private constructor(path: string) {
		this.path = path;
	}

	/** Without waiting: these are a few small writes, and a turn in the thread pool costs more than they do. */
	static create(base = tmpdir()): RunFolder {
		try {
			removeLeftovers(base);
			const path = mkdtempSync(join(base, `${prefix}${process.pid}-`));
			chmodSync(path, 0o711);
			return removeAtExit(new RunFolder(path));
		} catch (error) {
			const details = 'the folder for temporary files (TMPDIR) cannot be written';
			throw new KnownError('SANDBOX_UNAVAILABLE', { details }, { cause: error });
		}
	}

	/** Unlike that of any other run on this host. */
	get name(): string {
		return basename(this.path);
	}

	/** From now on nobody else enters it but the group of one jail. */
	narrowTo(group: number): void {
		chownSync(this.path, process.getuid?.() ?? 0, group);
		chmodSync(this.path, 0o710);
	}

	/** A file that only we and nsjail read. */
	writePrivate(name: string, content: string): string {
		const path = join(this.path, name);
		writeFileSync(path, content, { mode: 0o600 });
		return path;
	}

	/** A file that is shown to the jail: its group may read it, and nobody may write. */
	writeFor(group: number, name: string, content: string): string {
		const path = this.writePrivate(name, content);
		chownSync(path, process.getuid?.() ?? 0, group);
		chmodSync(path, 0o440);
		return path;
	}

	/** Fills a file that the jail was shown empty, and that anybody could read. */
	fillFor(group: number, name: string, content: string): string {
		chmodSync(join(this.path, name), 0o600);
		return this.writeFor(group, name, content);
	}

	/** A file that is shown to the jail before it is filled, as its user's own; on a mount that nobody writes to. */
	reserveOwn(user: number, group: number, name: string): string {
		const path = this.writePrivate(name, '');
		chmodSync(path, 0o644);
		chownSync(path, user, group);
		return path;
	}

	/** A folder that is shown to the jail before anything lies in it. */
	reserveFolder(name: string): string {
		const path = join(this.path, name);
		mkdirSync(path);
		chmodSync(path, 0o755);
		return path;
	}

	/** A file that any user reads who knows where it lies. */
	writeForAll(name: string, content: string): string {
		const path = this.writePrivate(name, content);
		chmodSync(path, 0o444);
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

	/** Removes it while others go on: an answer need not wait for that. */
	discard(): void {
		const forget = () => existing.delete(this);
		rm(this.path, { recursive: true, force: true }).then(forget, () => {});
	}

	remove(): void {
		existing.delete(this);
		rmSync(this.path, { recursive: true, force: true });
	}
}

/** A process that ends in order leaves none behind, also of boxes that only wait. */
const existing = new Set<RunFolder>();
let isWatchingExit = false;

function removeAtExit(folder: RunFolder): RunFolder {
	existing.add(folder);
	if (!isWatchingExit)
		process.once('exit', () => {
			for (const one of existing) one.remove();
		});
	isWatchingExit = true;
	return folder;
}

async function placeShared(path: string, content: Uint8Array | { hostPath: string }): Promise<void> {
	if (content instanceof Uint8Array) await writeFile(path, content);
	else await copyFile(content.hostPath, path);
	await chmod(path, 0o444);
}

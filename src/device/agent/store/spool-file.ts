/** A file that is only appended to, behind the back of who writes: bytes wait in memory, within bounds, until the disk has them. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/** Bytes that wait for the disk before whoever writes is asked to wait, too. */
const comfortablePending = 1024 * 1024;
/** Bytes that may wait for the disk; who goes on writing beyond that loses its further output, not our memory. */
const mostPending = 4 * 1024 * 1024;

export interface SpoolOptions {
	readonly path: string;
	/** Resolves when the folder of the file is there. */
	prepare(): Promise<void>;
	/** Whether the file must not be there yet. */
	readonly isFresh: boolean;
	/** Let go of the file whenever nothing waits. */
	readonly isClosedWhenIdle: boolean;
}

export class SpoolFile {
	readonly #options: SpoolOptions;
	#pending: Buffer[] = [];
	#pendingBytes = 0;
	#handle: FileHandle | undefined;
	#isOpened = false;
	#writing: Promise<void> | undefined;
	#error: unknown;
	/** Bytes taken, and bytes that the disk has. */
	accepted = 0;
	flushed = 0;

	constructor(options: SpoolOptions) {
		this.#options = options;
	}

	get hasFailed(): boolean {
		return this.#error !== undefined;
	}

	/** What can be read, now or when `drained` resolves. */
	get size(): number {
		return this.hasFailed ? this.flushed : this.accepted;
	}

	/** @returns false when the chunk is not taken: the disk is too slow, or full */
	write(chunk: Buffer): boolean {
		if (this.hasFailed || this.#pendingBytes + chunk.length > mostPending) return false;
		this.#pending.push(chunk);
		this.#pendingBytes += chunk.length;
		this.accepted += chunk.length;
		this.#writing ??= this.#writeAll();
		return true;
	}

	/** Resolves when there is room again for a writer that is faster than the disk; undefined while there is. */
	room(): Promise<void> | undefined {
		return this.#pendingBytes > comfortablePending ? this.drained() : undefined;
	}

	/** Resolves when what is taken so far is on the disk, or cannot be. */
	async drained(upTo = this.accepted): Promise<void> {
		while (this.#writing && this.flushed < upTo) await this.#writing;
	}

	/** @param isSafe waits until it would survive a loss of power */
	async close(isSafe: boolean): Promise<void> {
		await this.drained();
		const handle = this.#handle;
		this.#handle = undefined;
		if (isSafe) await handle?.datasync().catch(() => {});
		await handle?.close().catch(() => {});
	}

	async #writeAll(): Promise<void> {
		try {
			await this.#writePending();
			if (this.#options.isClosedWhenIdle) await this.#release();
		} catch (error) {
			this.#error = error;
			this.#pending = [];
			await this.#release().catch(() => {});
		}
		this.#writing = this.#pending.length > 0 ? this.#writeAll() : undefined;
	}

	async #writePending(): Promise<void> {
		await this.#options.prepare();
		while (this.#pending.length > 0) {
			this.#handle ??= await this.#open();
			const bytes = this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending);
			this.#pending = [];
			await this.#writeWhole(this.#handle, bytes);
		}
	}

	/** A disk that is nearly full writes a part, and fails with the next. */
	async #writeWhole(handle: FileHandle, bytes: Buffer): Promise<void> {
		for (let at = 0; at < bytes.length; ) {
			const { bytesWritten } = await handle.write(bytes, at);
			at += bytesWritten;
			this.flushed += bytesWritten;
			this.#pendingBytes -= bytesWritten;
		}
	}

	async #open(): Promise<FileHandle> {
		const isNew = this.#options.isFresh && !this.#isOpened;
		const handle = await open(
			this.#options.path,
			O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | (isNew ? O_EXCL : 0),
			0o600,
		);
		this.#isOpened = true;
		return handle;
	}

	async #release(): Promise<void> {
		const handle = this.#handle;
		this.#handle = undefined;
		await handle?.close();
	}
}

/** Up to `length` bytes from `offset` on; fewer at the end, none where there is no file. */
export async function readPart(path: string, offset: number, length: number): Promise<Buffer> {
	const handle = await openToRead(path);
	if (!handle) return Buffer.alloc(0);
	try {
		const buffer = Buffer.allocUnsafe(length);
		let filled = 0;
		while (filled < length) {
			const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
			if (bytesRead === 0) break;
			filled += bytesRead;
		}
		return buffer.subarray(0, filled);
	} finally {
		await handle.close();
	}
}

export async function* readParts(path: string, size: number, partBytes: number): AsyncGenerator<Buffer> {
	const handle = await openToRead(path);
	if (!handle) return;
	try {
		for (let offset = 0; offset < size; ) {
			const buffer = Buffer.allocUnsafe(Math.min(partBytes, size - offset));
			const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
			if (bytesRead === 0) return;
			offset += bytesRead;
			yield buffer.subarray(0, bytesRead);
		}
	} finally {
		await handle.close();
	}
}

const openToRead = (path: string): Promise<FileHandle | undefined> =>
	open(path, O_RDONLY | O_NOFOLLOW).catch(() => undefined);

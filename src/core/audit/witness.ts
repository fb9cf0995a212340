/** What stands outside the database and knows how long the audit was: signed checkpoints, and the signed number of the last line. */
import {
	closeSync,
	constants,
	fdatasyncSync,
	fstatSync,
	fsyncSync,
	ftruncateSync,
	openSync,
	readSync,
	writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { genesis } from './chain.ts';
import { type Checkpoint, readCheckpoint, type Signer, signCheckpoint } from './checkpoint.ts';
import type { Head } from './ledger.ts';

export const checkpointFile = 'audit-checkpoints.jsonl';
export const headFile = 'audit-head.json';

/** The head is written over itself, so it must not become shorter; one sector of a disk is written whole or not at all. */
const headBytes = 512;
const newline = 10;

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDONLY, O_RDWR } = constants;

const openPrivate = (path: string, flags: number): number => openSync(path, flags | O_CREAT | O_NOFOLLOW, 0o600);

/** The last bytes of a file, enough for a checkpoint. */
function readEnd(path: string): string {
	const fd = openSync(path, O_RDONLY | O_NOFOLLOW);
	try {
		const buffer = Buffer.alloc(4 * headBytes);
		const length = readSync(fd, buffer, 0, buffer.length, Math.max(0, fstatSync(fd).size - buffer.length));
		return buffer.subarray(0, length).toString();
	} finally {
		closeSync(fd);
	}
}

/** Undefined when there is none, or none yet; null when it cannot be read as one. */
export function readHead(folder: string): Checkpoint | undefined | null {
	try {
		const text = readEnd(join(folder, headFile));
		return text === '' ? undefined : (readCheckpoint(text) ?? null);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : null;
	}
}

/** The last line of the checkpoints; empty when there is none. */
export function lastLine(folder: string): string {
	try {
		return readEnd(join(folder, checkpointFile)).trimEnd().split('\n').at(-1) ?? '';
	} catch {
		return '';
	}
}

/** What a crash or a full disk left of a last line is no line. */
function dropTornLine(fd: number): void {
	const { size } = fstatSync(fd);
	const buffer = Buffer.alloc(Math.min(size, 4 * headBytes));
	readSync(fd, buffer, 0, buffer.length, size - buffer.length);
	if (buffer.length > 0 && buffer.at(-1) !== newline)
		ftruncateSync(fd, size - buffer.length + buffer.lastIndexOf(newline) + 1);
}

export class Witness {
	readonly #signer: Signer;
	readonly #checkpoints: number;
	readonly #head: number;
	readonly #folder: string;

	constructor(folder: string, signer: Signer) {
		this.#folder = folder;
		this.#signer = signer;
		this.#checkpoints = openPrivate(join(folder, checkpointFile), O_RDWR | O_APPEND);
		this.#head = openPrivate(join(folder, headFile), O_RDWR);
		dropTornLine(this.#checkpoints);
	}

	sign(head: Head, at: string): Checkpoint {
		return signCheckpoint(this.#signer, head, at);
	}

	/** Before the first line, so that no crash can leave lines without a head. */
	begin(at: string): void {
		this.noteHead({ seq: 0, seal: genesis }, at);
		fdatasyncSync(this.#head);
		const folder = openSync(this.#folder, O_RDONLY);
		fsyncSync(folder);
		closeSync(folder);
	}

	/** After each commit. Not flushed: a head that stays behind is no harm, and one that is ahead of the disk cannot be. */
	noteHead(head: Head, at: string): void {
		const line = JSON.stringify(this.sign(head, at));
		writeSync(this.#head, `${line.padEnd(headBytes - 1)}\n`, 0);
	}

	/** Never changed again, and on the disk when this returns. A whole line or none. */
	noteCheckpoint(checkpoint: Checkpoint): void {
		const { size } = fstatSync(this.#checkpoints);
		const line = Buffer.from(`${JSON.stringify(checkpoint)}\n`);
		try {
			for (let at = 0; at < line.length; ) at += writeSync(this.#checkpoints, line, at);
			fdatasyncSync(this.#checkpoints);
		} catch (error) {
			ftruncateSync(this.#checkpoints, size);
			throw error;
		}
	}

	close(): void {
		closeSync(this.#checkpoints);
		closeSync(this.#head);
	}
}

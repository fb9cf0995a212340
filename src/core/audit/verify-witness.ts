/** Compares the audit with what was signed outside the database, and so finds lines that are gone from its end. */
import type { KeyObject } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { type Checkpoint, isSigned, readCheckpoint } from './checkpoint.ts';
import type { Finding } from './explain.ts';
import type { AuditReader } from './reader.ts';
import { checkpointFile, readHead } from './witness.ts';

/** Bytes of one line of checkpoints; a longer one is none. */
const longestLine = 4096;
const partBytes = 64 * 1024;

/** Lines of a file that may be of any size; undefined in the place of one that is too long. Throws when it cannot be opened. */
function* linesOf(path: string): Generator<string | undefined> {
	const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
	try {
		let rest = '';
		const part = Buffer.alloc(partBytes);
		for (let read = readSync(fd, part); read > 0; read = readSync(fd, part)) {
			const lines = (rest + part.toString('latin1', 0, read)).split('\n');
			rest = lines.pop() ?? '';
			for (const line of lines) yield line.length > longestLine ? undefined : line;
			if (rest.length > longestLine) rest = rest.slice(0, longestLine + 1);
		}
		if (rest !== '') yield rest.length > longestLine ? undefined : rest;
	} finally {
		closeSync(fd);
	}
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

export class WitnessCheck {
	readonly #folder: string;
	readonly #more: readonly string[];
	readonly #keys: ReadonlyMap<string, KeyObject>;
	readonly #head: Checkpoint | undefined | null;

	constructor(folder: string, more: readonly string[], keys: ReadonlyMap<string, KeyObject>) {
		this.#folder = folder;
		this.#more = more;
		this.#keys = keys;
		this.#head = readHead(folder);
	}

	/** Everything that was signed must be in the database. */
	async compare(reader: AuditReader): Promise<Finding | undefined> {
		const files = [join(this.#folder, checkpointFile), ...this.#more];
		for (const [index, file] of files.entries()) {
			const finding = await this.#compareFile(reader, file, index === 0);
			if (finding) return finding;
		}
		if (this.#head === null)
			return { seq: 0, what: 'checkpoint', message: 'the signed head of the audit cannot be read' };
		return this.#head && this.#compareOne(reader, this.#head, 'the signed head');
	}

	async #compareFile(reader: AuditReader, file: string, isOwn: boolean): Promise<Finding | undefined> {
		let count = 0;
		try {
			for (const line of linesOf(file)) {
				count++;
				const place = `line ${count} of ${isOwn ? checkpointFile : file}`;
				const checkpoint = line === undefined ? undefined : readCheckpoint(line);
				if (!checkpoint) return { seq: 0, what: 'checkpoint', message: `${place} is no checkpoint` };
				const finding = this.#compareOne(reader, checkpoint, place);
				if (finding) return finding;
				if (count % 100 === 0) await breathe();
			}
		} catch (error) {
			if (!isMissing(error) || !isOwn) throw error;
		}
		return undefined;
	}

	#compareOne(reader: AuditReader, checkpoint: Checkpoint, place: string): Finding | undefined {
		const { seq, seal } = checkpoint;
		if (!isSigned(checkpoint, this.#keys))
			return { seq, what: 'checkpoint', message: `${place} is not signed by this device` };
		const found = reader.sealOf(seq);
		if (found === seal) return undefined;
		if (found === undefined)
			return {
				seq: seq,
				what: 'cut',
				message: `the end of the audit was cut off: ${place} says that there was a row ${seq}`,
			};
		return { seq, what: 'changed', message: `row ${seq} is not the row that ${place} was signed for` };
	}

	/** Every checkpoint of the database must stand outside, but for the last, which may be on its way there. */
	async complete(reader: AuditReader, lastSeq: number): Promise<Finding | undefined> {
		if (lastSeq > 0 && this.#head === undefined)
			return { seq: lastSeq, what: 'cut', message: 'the signed head is missing, so lines may be gone from the end' };
		const outside = this.#ownCheckpoints();
		try {
			return await this.#completeFrom(outside, reader, lastSeq);
		} finally {
			outside.return(undefined);
		}
	}

	async #completeFrom(
		outside: Generator<Checkpoint>,
		reader: AuditReader,
		lastSeq: number,
	): Promise<Finding | undefined> {
		for (let seq = reader.nextCheckpoint(0, lastSeq); seq !== undefined; ) {
			const next = reader.nextCheckpoint(seq, lastSeq);
			if (!isAmong(outside, seq - 1, reader.sealOf(seq - 1)) && next !== undefined)
				return { seq, what: 'checkpoint', message: `the checkpoint of row ${seq} is missing in ${checkpointFile}` };
			seq = next;
			await breathe();
		}
		return undefined;
	}

	*#ownCheckpoints(): Generator<Checkpoint> {
		try {
			for (const line of linesOf(join(this.#folder, checkpointFile))) {
				const checkpoint = line === undefined ? undefined : readCheckpoint(line);
				if (checkpoint) yield checkpoint;
			}
		} catch (error) {
			if (!isMissing(error)) throw error;
		}
	}
}

/** Both are in order, so what was passed over is never needed again. */
function isAmong(outside: Generator<Checkpoint>, seq: number, seal: string | undefined): boolean {
	for (let found = outside.next(); !found.done; found = outside.next())
		if (found.value.seq === seq && found.value.seal === seal) return true;
	return false;
}

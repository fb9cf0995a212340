/** The output of one job: a spool file for each stream, and one for the story that watchers hear. */
import { createHash, type Hash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OutputStream } from '../../../core/sandbox/backend.ts';
import type { GrepHit, OutputPage, OutputStore, OutputSums } from '../ports.ts';
import { characterBytes, firstCharacter, unfinishedBytes } from './characters.ts';
import { compilePattern, grep, mostHits } from './grep.ts';
import { readPart, readParts, SpoolFile } from './spool-file.ts';
import type { Sizes } from './stored-job.ts';

/** Bytes of one answer. */
const longestPage = 1024 * 1024;
/** Bytes that are read at a time. */
const partBytes = 64 * 1024;
/** Bytes of all lines of the story. */
const longestStory = 64 * 1024 * 1024;

/** Ends the line that a crash may have cut, and says that it is none. */
const cancelled = '\u0018';

export interface OutputPlace {
	/** Folder of this job. */
	readonly folder: string;
	/** Bytes of both streams together. */
	readonly capBytes: number;
	/** What is there of a job that is over; undefined for one that is not. */
	readonly left: Sizes | undefined;
	/** It was read. */
	used(): void;
	finished(): Promise<void>;
	removed(bytes: number): void;
}

interface Stream {
	total: number;
	isCut: boolean;
	readonly file: SpoolFile;
	readonly hash: Hash;
}

export class JobOutput implements OutputStore {
	readonly #place: OutputPlace;
	readonly #streams: Record<OutputStream, Stream>;
	readonly #story: SpoolFile;
	#folder: Promise<void> | undefined;
	#finishing: Promise<void> | undefined;
	#isRemoved = false;
	#isSettled = false;
	#isStoryBegun = false;

	constructor(place: OutputPlace) {
		this.#place = place;
		this.#streams = { stdout: this.#stream('stdout'), stderr: this.#stream('stderr') };
		this.#story = this.#spool('story', false, true);
	}

	#path = (name: string): string => join(this.#place.folder, name);

	#spool(name: string, isFresh: boolean, isClosedWhenIdle: boolean): SpoolFile {
		const prepare = () => {
			this.#folder ??= mkdir(this.#place.folder, { recursive: true, mode: 0o700 }).then(() => {});
			return this.#folder;
		};
		return new SpoolFile({ path: this.#path(name), prepare, isFresh, isClosedWhenIdle });
	}

	#stream = (name: OutputStream): Stream => ({
		...{ total: 0, isCut: false },
		file: this.#spool(name, true, false),
		hash: createHash('sha256'),
	});

	sizes(): Sizes {
		const { left } = this.#place;
		if (this.#isRemoved)
			return { stdout: this.#gone('stdout'), stderr: this.#gone('stderr'), hasFiles: false, isKept: false };
		if (left) return left;
		const { stdout, stderr } = this.#streams;
		return {
			stdout: { total: stdout.total, stored: stdout.file.size },
			stderr: { total: stderr.total, stored: stderr.file.size },
			hasFiles: this.#story.size + stdout.file.size + stderr.file.size > 0,
			isKept: true,
		};
	}

	#gone = (name: OutputStream) => ({ total: this.#place.left?.[name].total ?? this.#streams[name].total, stored: 0 });

	get isFinished(): boolean {
		return this.#finishing !== undefined || this.#place.left !== undefined || this.#isSettled;
	}

	append(name: OutputStream, chunk: Buffer, dropped = 0): number {
		const stream = this.#streams[name];
		stream.total += chunk.length + dropped;
		if (stream.isCut || this.isFinished || this.#isRemoved) return 0;
		const { stdout, stderr } = this.#streams;
		const room = this.#place.capBytes - stdout.file.accepted - stderr.file.accepted;
		const part = chunk.length <= room ? chunk : chunk.subarray(0, Math.max(room, 0));
		const isTaken = part.length > 0 && stream.file.write(part);
		if (isTaken) stream.hash.update(part);
		stream.isCut = chunk.length > 0 && (!isTaken || part.length < chunk.length);
		return isTaken ? part.length : 0;
	}

	room(name: OutputStream): Promise<void> | undefined {
		return this.#streams[name].file.room();
	}

	/** The story of a job that was over when it was opened is told already, and one that begins with its end needs no file. */
	note(line: string): void {
		const isTold = this.#place.left !== undefined || (this.#isSettled && !this.#isStoryBegun);
		if (isTold || this.#isRemoved || this.#story.accepted > longestStory) return;
		if (!this.#isStoryBegun) this.#story.write(Buffer.from(`${cancelled}\n`));
		this.#isStoryBegun = true;
		this.#story.write(Buffer.from(`${line.replaceAll('\n', ' ')}\n`));
	}

	async notes(): Promise<string[]> {
		if (this.#isRemoved) return [];
		await this.#story.drained();
		const lines = (await readPart(this.#path('story'), 0, longestStory)).toString().split('\n');
		lines.pop();
		return lines.filter((line) => !line.endsWith(cancelled));
	}

	finish(): Promise<void> {
		this.#finishing ??= this.#finish();
		return this.#finishing;
	}

	sums(): OutputSums {
		const kept = Object.entries(this.#streams).filter(([, { file }]) => file.accepted > 0 && !file.hasFailed);
		return Object.fromEntries(
			kept.map(([name, { file, hash }]) => [name, { sha256: hash.copy().digest('hex'), bytes: file.accepted }]),
		);
	}

	/** The job is over, also when it never began to print. */
	settle(): void {
		this.#isSettled = true;
	}

	async #finish(): Promise<void> {
		const files = [this.#streams.stdout.file, this.#streams.stderr.file];
		await Promise.all(files.map((file) => file.close(true)));
		await this.#place.finished();
	}

	/** Waits for the disk as far as is asked, and says how much there is to read. */
	async #stored(name: OutputStream, upTo: number): Promise<number> {
		this.#place.used();
		const { file } = this.#streams[name];
		await file.drained(Math.min(upTo, file.accepted));
		return this.sizes()[name].stored;
	}

	/** Nothing where something should be: the files were deleted by whoever may. */
	#page(name: OutputStream, offset: number, bytes: Buffer): OutputPage {
		const { total, stored } = this.sizes()[name];
		const nextOffset = offset + bytes.length;
		const isGone = bytes.length === 0 && offset < stored;
		const eof = this.isFinished && (nextOffset >= stored || isGone);
		return { bytes, offset, nextOffset, eof, totalBytes: total, storedBytes: isGone ? nextOffset : stored };
	}

	async read(name: OutputStream, offset: number, limit: number): Promise<OutputPage> {
		const from = toCount(offset);
		const wanted = Math.min(Math.max(toCount(limit), characterBytes), longestPage);
		const stored = await this.#stored(name, from + wanted);
		const { bytes } = await this.#slice(name, from, Math.min(wanted, Math.max(stored - from, 0)));
		const isEnd = from + bytes.length >= stored;
		const whole = isEnd && this.isFinished ? bytes : bytes.subarray(0, bytes.length - unfinishedBytes(bytes));
		return this.#page(name, Math.min(from, stored), whole);
	}

	async slice(name: OutputStream, offset: number, length: number): Promise<{ readonly bytes: Buffer }> {
		const from = toCount(offset);
		const wanted = Math.min(toCount(length), longestPage);
		const stored = await this.#stored(name, from + wanted);
		return this.#slice(name, from, Math.min(wanted, Math.max(stored - from, 0)));
	}

	async #slice(name: OutputStream, offset: number, length: number): Promise<{ readonly bytes: Buffer }> {
		if (length === 0 || this.#isRemoved) return { bytes: Buffer.alloc(0) };
		return { bytes: await readPart(this.#path(name), offset, length) };
	}

	async tail(name: OutputStream, lines: number): Promise<OutputPage> {
		const end = await this.#stored(name, Number.MAX_SAFE_INTEGER);
		const wanted = toCount(lines);
		let start = end;
		let bytes: Buffer = Buffer.alloc(0);
		while (start > 0 && bytes.length < longestPage && startOfLines(bytes, wanted) === undefined) {
			const size = Math.min(partBytes, start, longestPage - bytes.length);
			start -= size;
			bytes = Buffer.concat([(await this.#slice(name, start, size)).bytes, bytes]);
		}
		const cut =
			wanted === 0 ? bytes.length : (startOfLines(bytes, wanted) ?? (start === 0 ? 0 : firstCharacter(bytes)));
		return this.#page(name, start + cut, bytes.subarray(cut));
	}

	async grep(name: OutputStream, pattern: string, most: number): Promise<GrepHit[]> {
		const compiled = compilePattern(pattern);
		const stored = await this.#stored(name, Number.MAX_SAFE_INTEGER);
		const hits = Math.min(toCount(most), mostHits);
		if (hits === 0 || stored === 0 || this.#isRemoved) return [];
		return grep(readParts(this.#path(name), stored, partBytes), compiled, hits);
	}

	remove(): void {
		if (this.#isRemoved) return;
		const { stdout, stderr } = this.sizes();
		this.#isRemoved = true;
		this.#place.removed(stdout.stored + stderr.stored);
	}

	/** The files go when the removal is on record. */
	async deleteFiles(): Promise<void> {
		this.#isRemoved = true;
		await this.close();
		await rm(this.#place.folder, { recursive: true, force: true });
	}

	/** Lets go of the files. */
	async close(): Promise<void> {
		const files = [this.#streams.stdout.file, this.#streams.stderr.file, this.#story];
		await Promise.all(files.map((file) => file.close(false)));
	}
}

/** A count or an offset that somebody asked for: whole, and not below zero. */
const toCount = (value: number): number =>
	Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), 0), Number.MAX_SAFE_INTEGER);

/** Where the last `count` lines begin; undefined when there are fewer line ends before them. */
function startOfLines(bytes: Buffer, count: number): number | undefined {
	if (count === 0) return bytes.length;
	let at = bytes.at(-1) === 10 ? bytes.length - 1 : bytes.length;
	for (let found = 0; found < count; found++) {
		if (at === 0) return undefined;
		at = bytes.lastIndexOf(10, at - 1);
		if (at === -1) return undefined;
	}
	return at + 1;
}

/** What a job printed, as text for an answer: all of it, or the end of it where it is too long for one. */
import type { OutputStream } from '../../../core/sandbox/backend.ts';
import type { Jobs } from '../ports.ts';

/** Read at once. */
const pageBytes = 1024 * 1024;
/** No read is for less, so that it always comes on. */
const characterBytes = 4;

export interface StoredText {
	readonly text: string;
	/** Something that is stored stands before it. */
	readonly isCut: boolean;
	/** Bytes of the stream that the text was made of, and where they begin. */
	readonly offset: number;
	readonly bytes: number;
}

/** Bytes at the beginning that only continue a character. */
const continuations = (bytes: Buffer): number => {
	const first = bytes.subarray(0, characterBytes - 1);
	const start = first.findIndex((byte) => (byte & 0xc0) !== 0x80);
	return start === -1 ? first.length : start;
};

/** UTF-8, U+FFFD for what is none. */
const decode = (bytes: Buffer): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

async function readAll(jobs: Jobs, jobId: string, stream: OutputStream, from: number, to: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	for (let offset = from; offset < to; ) {
		const page = await jobs.read(jobId, stream, offset, Math.min(pageBytes, to - offset));
		if (page.nextOffset <= offset) break;
		chunks.push(page.bytes);
		offset = page.nextOffset;
		// The first bytes of a character whose last ones are not wanted.
		if (to - offset < characterBytes && page.storedBytes > to) break;
	}
	return Buffer.concat(chunks);
}

/** @param most bytes of the stream, counted from its end */
export async function lastText(
	jobs: Jobs,
	jobId: string,
	stream: OutputStream,
	storedBytes: number,
	most: number,
): Promise<StoredText> {
	const from = Math.max(0, storedBytes - most);
	const bytes = await readAll(jobs, jobId, stream, from, storedBytes);
	const whole = from === 0 ? bytes : bytes.subarray(continuations(bytes));
	return { text: decode(whole), isCut: from > 0, offset: from, bytes: bytes.length };
}

/** A piece of a stream from its beginning on; it ends with a whole character where the stream goes on. */
export async function textFrom(
	jobs: Jobs,
	jobId: string,
	stream: OutputStream,
	offset: number,
	limit: number,
): Promise<{ readonly text: string; readonly nextOffset: number }> {
	const bytes = await readAll(jobs, jobId, stream, offset, offset + limit);
	return { text: decode(bytes), nextOffset: offset + bytes.length };
}

/** Keeps the head and the tail of a stream in constant memory, whatever the program prints. */
import { cleanText, cutMark } from '../text.ts';

export interface Captured {
	readonly text: string;
	readonly truncated: boolean;
}

const firstBytes = 1_024;

/** Bytes in one piece: a program can print each of them alone, and a piece of a byte takes hundreds. */
class Gathered {
	#room = Buffer.alloc(0);
	length = 0;

	get bytes(): Buffer {
		return this.#room.subarray(0, this.length);
	}

	add(part: Buffer): void {
		const length = this.length + part.length;
		if (length > this.#room.length) this.#grow(Math.max(length, 2 * this.#room.length, firstBytes));
		part.copy(this.#room, this.length);
		this.length = length;
	}

	keepLast(bytes: number): void {
		const first = Math.max(0, this.length - bytes);
		this.#room.copyWithin(0, first, this.length);
		this.length -= first;
	}

	#grow(bytes: number): void {
		const room = Buffer.allocUnsafeSlow(bytes);
		this.bytes.copy(room);
		this.#room = room;
	}
}

export class Capture {
	/** All bytes seen, kept or not. */
	total = 0;
	readonly #keep: number;
	readonly #head = new Gathered();
	readonly #tail = new Gathered();
	#dropped = 0;

	/** @param keepBytes how much is kept: one half from the start, one half from the end */
	constructor(keepBytes: number) {
		this.#keep = keepBytes;
	}

	push(chunk: Buffer): void {
		this.total += chunk.length;
		const room = Math.ceil(this.#keep / 2) - this.#head.length;
		if (room > 0) this.#head.add(chunk.subarray(0, room));
		if (chunk.length > room) this.#addTail(chunk.subarray(Math.max(room, 0)));
	}

	/** Counts what somebody else decided not to keep, behind everything that was. */
	drop(bytes: number): void {
		this.total += bytes;
		this.#dropped += bytes;
	}

	/** The tail grows to twice its share before it is compacted, so that small chunks cost no copying. */
	#addTail(part: Buffer): void {
		this.#tail.add(part);
		if (this.#tail.length > this.#keep) this.#compact();
	}

	#compact(): void {
		this.#tail.keepLast(Math.floor(this.#keep / 2));
	}

	/** What was kept, as clean text; where bytes are missing a mark says how many. */
	result(): Captured {
		const given = this.total - this.#dropped;
		const cut = given > this.#keep;
		if (cut) this.#compact();
		const [first, last] = [this.#head.bytes, this.#tail.bytes];
		const missing = given - first.length - last.length;
		const text = cut ? cleanText(first) + cutMark(missing) + cleanText(last) : cleanText(Buffer.concat([first, last]));
		const end = this.#dropped > 0 ? cutMark(this.#dropped) : '';
		return { text: text + end, truncated: cut || this.#dropped > 0 };
	}
}

/** Keeps the head and the tail of a stream in constant memory, whatever the program prints. */
import { cleanText, cutMark } from '../text.ts';

export interface Captured {
	readonly text: string;
	readonly truncated: boolean;
}

export class Capture {
	/** All bytes seen, kept or not. */
	total = 0;
	readonly #keep: number;
	readonly #head: Buffer[] = [];
	#headBytes = 0;
	#tail: Buffer[] = [];
	#tailBytes = 0;
	#dropped = 0;

	/** @param keepBytes how much is kept: one half from the start, one half from the end */
	constructor(keepBytes: number) {
		this.#keep = keepBytes;
	}

	push(chunk: Buffer): void {
		this.total += chunk.length;
		const room = Math.ceil(this.#keep / 2) - this.#headBytes;
		if (room > 0) this.#addHead(chunk.subarray(0, room));
		if (chunk.length > room) this.#addTail(chunk.subarray(Math.max(room, 0)));
	}

	/** Counts what somebody else decided not to keep, behind everything that was. */
	drop(bytes: number): void {
		this.total += bytes;
		this.#dropped += bytes;
	}

	#addHead(part: Buffer): void {
		this.#head.push(part);
		this.#headBytes += part.length;
	}

	/** The tail grows to twice its share before it is compacted, so that small chunks cost no copying. */
	#addTail(part: Buffer): void {
		this.#tail.push(part);
		this.#tailBytes += part.length;
		if (this.#tailBytes > this.#keep) this.#compact();
	}

	#compact(): void {
		const all = Buffer.concat(this.#tail);
		const share = Math.floor(this.#keep / 2);
		const last = Buffer.from(all.subarray(Math.max(0, all.length - share)));
		this.#tail = [last];
		this.#tailBytes = last.length;
	}

	/** What was kept, as clean text; where bytes are missing a mark says how many. */
	result(): Captured {
		const given = this.total - this.#dropped;
		const cut = given > this.#keep;
		if (cut) this.#compact();
		const first = Buffer.concat(this.#head);
		const last = Buffer.concat(this.#tail);
		const missing = given - first.length - last.length;
		const text = cut ? cleanText(first) + cutMark(missing) + cleanText(last) : cleanText(Buffer.concat([first, last]));
		const end = this.#dropped > 0 ? cutMark(this.#dropped) : '';
		return { text: text + end, truncated: cut || this.#dropped > 0 };
	}
}

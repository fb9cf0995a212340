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
		const cut = this.total > this.#keep;
		if (cut) this.#compact();
		const first = Buffer.concat(this.#head);
		const last = Buffer.concat(this.#tail);
		if (!cut) return { text: cleanText(Buffer.concat([first, last])), truncated: false };
		const missing = this.total - first.length - last.length;
		return { text: cleanText(first) + cutMark(missing) + cleanText(last), truncated: true };
	}
}

/** Cuts what a job prints where no more of it is kept. Pure. */
import { unfinishedBytes } from './store/characters.ts';

export class OutputCap {
	#room: number;
	#isFull = false;

	/** @param bytes of both streams together */
	constructor(bytes: number) {
		this.#room = bytes;
	}

	/** @returns what is kept of the chunk: all of it, its beginning up to a whole character, or nothing any more */
	take(chunk: Buffer): Buffer {
		if (this.#isFull) return chunk.subarray(0, 0);
		this.#isFull = chunk.length > this.#room;
		const part = chunk.subarray(0, this.#room);
		this.#room -= part.length;
		return this.#isFull ? part.subarray(0, part.length - unfinishedBytes(part)) : part;
	}
}

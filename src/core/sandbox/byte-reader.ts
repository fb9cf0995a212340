/** Reads a stream piece by piece: a line, words that end in NUL, and then everything else as a stream of its own. */
import { Readable } from 'node:stream';

export class ByteReader {
	readonly #chunks: AsyncIterator<Buffer>;
	#held: Buffer = Buffer.alloc(0);

	constructor(stream: AsyncIterable<Buffer>) {
		this.#chunks = stream[Symbol.asyncIterator]();
	}

	async #more(): Promise<boolean> {
		const { done, value } = await this.#chunks.next();
		if (done) return false;
		this.#held = Buffer.concat([this.#held, value]);
		return true;
	}

	/** Whether there is nothing to read any more. */
	async isOver(): Promise<boolean> {
		return this.#held.length === 0 && !(await this.#more());
	}

	/**
	 * The bytes before the next `end`, which is passed over.
	 * @returns undefined when there is none within `limit` bytes
	 */
	async until(end: number, limit: number): Promise<Buffer | undefined> {
		let from = 0;
		for (;;) {
			const at = this.#held.indexOf(end, from);
			if (at > limit || (at < 0 && this.#held.length > limit)) return undefined;
			if (at >= 0) {
				const found = this.#held.subarray(0, at);
				this.#held = this.#held.subarray(at + 1);
				return found;
			}
			from = this.#held.length;
			if (!(await this.#more())) return undefined;
		}
	}

	/** So many bytes as a stream; what comes after them is read when that has ended. */
	take(bytes: number): Readable {
		const next = async (): Promise<Buffer | undefined> => {
			if (this.#held.length === 0 && !(await this.#more())) return undefined;
			const part = this.#held;
			this.#held = Buffer.alloc(0);
			return part;
		};
		const giveBack = (rest: Buffer) => {
			this.#held = rest;
		};
		async function* some(): AsyncGenerator<Buffer> {
			for (let left = bytes; left > 0; ) {
				const part = await next();
				if (part === undefined) return;
				if (part.length > left) giveBack(part.subarray(left));
				yield part.subarray(0, left);
				left -= part.length;
			}
		}
		return Readable.from(some());
	}

	/** What has not been read; nothing else may be asked for any more. */
	rest(): Readable {
		const held = this.#held;
		const chunks = { [Symbol.asyncIterator]: () => this.#chunks };
		async function* all(): AsyncGenerator<Buffer> {
			if (held.length > 0) yield held;
			yield* chunks;
		}
		return Readable.from(all());
	}
}

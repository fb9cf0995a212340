/** Takes over the archive of /work that a jail makes at its end, and knows whether it came whole. */
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** An archive of tar ends in two blocks of nothing. */
const endBytes = 1_024;

export class TreeReceiver {
	readonly path: string;
	readonly #mostBytes: number;
	#bytes = 0;
	#end = Buffer.alloc(0);
	#isOver = false;

	/** @param mostBytes more is only counted */
	constructor(path: string, mostBytes: number) {
		this.path = path;
		this.#mostBytes = mostBytes;
	}

	get bytes(): number {
		return this.#bytes;
	}

	/** False for an archive that broke off, as that of a jail which was killed. */
	get isWhole(): boolean {
		const isEnd = this.#end.length === endBytes && this.#end.every((byte) => byte === 0);
		return this.#isOver && isEnd && this.#bytes % 512 === 0;
	}

	async receive(archive: Readable): Promise<void> {
		await pipeline(
			archive,
			(chunks: AsyncIterable<Buffer>) => this.#watch(chunks),
			createWriteStream(this.path, { mode: 0o600 }),
		);
		this.#isOver = true;
	}

	async *#watch(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
		for await (const chunk of chunks) {
			this.#bytes += chunk.length;
			this.#end = Buffer.concat([this.#end, chunk.subarray(-endBytes)]).subarray(-endBytes);
			if (this.#bytes <= this.#mostBytes) yield chunk;
		}
	}
}

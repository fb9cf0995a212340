/** Frames on the socket between the front and the exec side: four bytes of length, most significant first, then JSON. Pure. */

const headBytes = 4;

export class FrameError extends Error {}

export function encodeFrame(value: unknown): Buffer {
	const body = Buffer.from(JSON.stringify(value));
	const head = Buffer.alloc(headBytes);
	head.writeUInt32BE(body.length);
	return Buffer.concat([head, body]);
}

function parse(body: Buffer): unknown {
	try {
		return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
	} catch {
		throw new FrameError('a frame is no JSON');
	}
}

/** Takes pieces as they come and gives whole frames. Never holds more than one frame of the greatest length and one piece. */
export class FrameReader {
	readonly #most: number;
	readonly #pieces: Buffer[] = [];
	#bytes = 0;

	/** @param mostBytes a longer frame is refused as soon as its length is known */
	constructor(mostBytes: number) {
		this.#most = mostBytes;
	}

	/** @throws FrameError; nothing can be read after that */
	*push(piece: Buffer): Generator<unknown> {
		this.#pieces.push(piece);
		this.#bytes += piece.length;
		for (let length = this.#nextLength(); length !== undefined; length = this.#nextLength()) {
			if (length > this.#most) throw new FrameError(`a frame is longer than ${this.#most} bytes`);
			if (this.#bytes < headBytes + length) return;
			yield parse(this.#take(headBytes + length).subarray(headBytes));
		}
	}

	#nextLength(): number | undefined {
		if (this.#bytes < headBytes) return undefined;
		if ((this.#pieces[0]?.length ?? 0) < headBytes) this.#join();
		return this.#pieces[0]?.readUInt32BE(0);
	}

	#join(): Buffer {
		const all = Buffer.concat(this.#pieces);
		this.#pieces.splice(0, this.#pieces.length, all);
		return all;
	}

	#take(bytes: number): Buffer {
		const all = this.#join();
		this.#pieces.splice(0, 1, all.subarray(bytes));
		this.#bytes -= bytes;
		return all.subarray(0, bytes);
	}
}

/** Masks output for whoever watches it: a line appears when it is printed, a prompt a moment later, and no secret appears at all. */
import type { Mask, MaskStream } from './redact.ts';

/** So long nothing more must come until the harmless beginning of what could be a secret is shown. */
export const silenceMs = 150;

/**
 * What it tells differs from a mask that waits in one thing only: where a program falls silent, or ends a line, in the middle of a
 * secret, the first bytes of the secret stand before its mask.
 */
export class LiveMask {
	readonly #stream: MaskStream | undefined;
	readonly #hear: (chunk: Buffer) => void;
	#timer: NodeJS.Timeout | undefined;
	#isOver = false;

	/** @param stream undefined where there is nothing to mask */
	constructor(stream: MaskStream | undefined, hear: (chunk: Buffer) => void) {
		this.#stream = stream;
		this.#hear = hear;
	}

	/** What comes after the end is not told. */
	push(chunk: Buffer): void {
		if (this.#isOver) return;
		if (this.#stream) this.#mask(this.#stream, chunk);
		else this.#tell(chunk);
	}

	/** Tells what was held back; a second call tells nothing. */
	end(): void {
		clearTimeout(this.#timer);
		if (this.#stream && !this.#isOver) this.#tell(this.#stream.end());
		this.#isOver = true;
	}

	#mask(stream: MaskStream, chunk: Buffer): void {
		clearTimeout(this.#timer);
		const decided = stream.push(chunk);
		const lines = stream.lines();
		this.#tell(lines.length === 0 ? decided : Buffer.concat([decided, lines]));
		if (stream.hasHarmless) this.#timer = setTimeout(() => this.#tell(stream.harmless()), silenceMs);
	}

	#tell(chunk: Buffer): void {
		if (chunk.length > 0) this.#hear(chunk);
	}
}

type Stream = 'stdout' | 'stderr';

/** Both streams of a program. */
export class MaskedOutput {
	readonly #streams: Readonly<Record<Stream, LiveMask>>;

	constructor(mask: Mask, hear: (stream: Stream, chunk: Buffer) => void) {
		const streamOf = (name: Stream) => new LiveMask(mask.stream(), (chunk) => hear(name, chunk));
		this.#streams = { stdout: streamOf('stdout'), stderr: streamOf('stderr') };
	}

	push(name: Stream, chunk: Buffer): void {
		this.#streams[name].push(chunk);
	}

	/** Tells what was held back; a second call tells nothing. */
	end(): void {
		this.#streams.stdout.end();
		this.#streams.stderr.end();
	}
}

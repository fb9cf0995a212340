/** Hides the secrets that the agent knows in what a command prints, before anybody keeps or hears it. Pure. */
import type { OutputStream } from '../../core/sandbox/backend.ts';
import type { Mask, MaskStream } from '../../core/secrets/redact.ts';

type Hear = (stream: OutputStream, chunk: Buffer) => void;

/** What may be the beginning of a secret is held back until it is known to be none. */
export class MaskedOutput {
	readonly #streams: Readonly<Record<OutputStream, MaskStream | undefined>>;
	readonly #hear: Hear;
	#isOver = false;

	constructor(mask: Mask, hear: Hear) {
		this.#streams = { stdout: mask.stream(), stderr: mask.stream() };
		this.#hear = hear;
	}

	push(name: OutputStream, chunk: Buffer): void {
		this.#tell(name, this.#streams[name]?.push(chunk) ?? chunk);
	}

	/** Tells what was held back; a second call tells nothing. */
	end(): void {
		if (this.#isOver) return;
		this.#isOver = true;
		for (const name of ['stdout', 'stderr'] as const) this.#tell(name, this.#streams[name]?.end());
	}

	#tell(name: OutputStream, chunk: Buffer | undefined): void {
		if (chunk && chunk.length > 0) this.#hear(name, chunk);
	}
}

/** The last lines of a stream that is still being written, in little memory however long its lines are. */
import { StringDecoder } from 'node:string_decoder';

/** Characters of one line; of a longer one the last are kept. */
const lineCharacters = 4096;

export class LastLines {
	readonly #most: number;
	readonly #decoder = new StringDecoder('utf8');
	#lines: string[] = [];
	#begun = '';
	/** Lines so far, the one that has begun included. */
	count = 0;

	constructor(most: number) {
		this.#most = most;
	}

	push(chunk: Buffer): void {
		const parts = this.#decoder.write(chunk).split('\n');
		const rest = parts.pop() ?? '';
		for (const part of parts) this.#end(part);
		if (this.#begun === '' && rest !== '') this.count++;
		this.#begun = (this.#begun + rest).slice(-lineCharacters);
	}

	get text(): string {
		const lines = this.#begun === '' ? this.#lines : [...this.#lines, this.#begun];
		return lines.slice(-this.#most).join('\n');
	}

	#end(part: string): void {
		if (this.#begun === '') this.count++;
		const line = (this.#begun + part).slice(-lineCharacters).replace(/\r$/, '');
		this.#begun = '';
		this.#lines = [...this.#lines.slice(1 - this.#most), line];
	}
}

/** Reads stored output by characters (code points), although the store counts bytes: what was counted once is not read again. */
import type { OutputPage } from '../ports.ts';

/** A place of the stored stream where a character begins. */
interface Mark {
	readonly bytes: number;
	readonly characters: number;
}

export type ReadBytes = (offset: number, limit: number) => Promise<Pick<OutputPage, 'bytes'>>;

/** Bytes of the character that begins with this one, 0 for a byte that begins none. */
function lengthFrom(lead: number): number {
	if (lead < 0x80) return 1;
	if (lead < 0xc2) return 0;
	if (lead < 0xe0) return 2;
	if (lead < 0xf0) return 3;
	return lead < 0xf5 ? 4 : 0;
}

/** How many bytes can be decoded without knowing what follows: all but a character that has only begun. */
export function wholeBytes(bytes: Buffer): number {
	for (let back = 1; back <= Math.min(3, bytes.length); back++) {
		const length = lengthFrom(bytes[bytes.length - back] ?? 0);
		if (length > 0) return length > back ? bytes.length - back : bytes.length;
	}
	return bytes.length;
}

const decode = (bytes: Buffer): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** Of text that comes out of a decoder, so that every surrogate is half of a pair. */
function pairsIn(text: string): number {
	let pairs = 0;
	for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xd800) pairs++;
	return pairs;
}

const countOf = (text: string): number => text.length - pairsIn(text);

/** Where the n-th character of a text begins, in units of JavaScript. */
function unitOf(text: string, character: number): number {
	let unit = 0;
	for (let left = character; left > 0 && unit < text.length; left--)
		unit += (text.charCodeAt(unit) & 0xfc00) === 0xd800 ? 2 : 1;
	return unit;
}

export function sliceCharacters(text: string, from: number, count: number): string {
	if (pairsIn(text) === 0) return text.slice(from, from + count);
	const start = unitOf(text, from);
	const rest = text.slice(start);
	return rest.slice(0, unitOf(rest, count));
}

export class StoredText {
	readonly #read: ReadBytes;
	readonly #step: number;
	readonly #marks: Mark[] = [{ bytes: 0, characters: 0 }];
	#counting: Promise<void> | undefined;

	/** @param step bytes that are read and decoded at a time, at least 4; between two of these the agent does other things */
	constructor(read: ReadBytes, step = 256 * 1024) {
		this.#read = read;
		this.#step = step;
	}

	/**
	 * Characters of the stream so far.
	 * @param isComplete nothing is added any more, so that a character that only began counts as the one it is shown as
	 */
	async count(isComplete: boolean): Promise<number> {
		while (this.#counting) await this.#counting;
		this.#counting = this.#goOn(isComplete).finally(() => {
			this.#counting = undefined;
		});
		await this.#counting;
		return this.#last.characters;
	}

	/** Characters of what was counted, from one on; fewer at its end. */
	async slice(from: number, count: number): Promise<string> {
		const parts: string[] = [];
		let left = count;
		for (let index = this.#indexBefore(from); left > 0 && index < this.#marks.length - 1; index++) {
			const text = await this.#between(index);
			const mark = this.#marks[index] ?? this.#last;
			const part = sliceCharacters(text, Math.max(0, from - mark.characters), left);
			parts.push(part);
			left -= countOf(part);
		}
		return parts.join('');
	}

	get #last(): Mark {
		return this.#marks.at(-1) ?? { bytes: 0, characters: 0 };
	}

	async #goOn(isComplete: boolean): Promise<void> {
		while (true) {
			const { bytes: offset, characters } = this.#last;
			const { bytes } = await this.#read(offset, this.#step);
			const whole = wholeBytes(bytes);
			const taken = whole === 0 && isComplete ? bytes : bytes.subarray(0, whole);
			if (taken.length === 0) return;
			this.#marks.push({ bytes: offset + taken.length, characters: characters + countOf(decode(taken)) });
		}
	}

	#indexBefore(character: number): number {
		const index = this.#marks.findIndex(({ characters }) => characters > character);
		return index === -1 ? this.#marks.length - 1 : index - 1;
	}

	async #between(index: number): Promise<string> {
		const { bytes: start } = this.#marks[index] ?? this.#last;
		const { bytes: end } = this.#marks[index + 1] ?? this.#last;
		const parts: Buffer[] = [];
		for (let at = start; at < end; ) {
			const { bytes } = await this.#read(at, end - at);
			if (bytes.length === 0) break;
			// A store may give a whole character where less was asked for.
			parts.push(bytes.subarray(0, end - at));
			at += bytes.length;
		}
		return decode(Buffer.concat(parts));
	}
}

/** Masks secrets in everything a job says: a value in any of its spellings becomes •••NAME•••. Pure, in constant memory. */
import { type Found, isGap, Matcher, type Pattern } from './matcher.ts';
import { spellingsOf } from './spellings.ts';

/** Shorter values would be found in every other word. */
const shortestValue = 6;

/** Words that are values of many settings and stand in many outputs. */
const commonValues = new Set(
	`undefined password passwd secret default enabled disabled production development staging testing localhost
	127.0.0.1 0.0.0.0 changeme administrator username postgres sqlite mongodb example example.com https:// http://
	application/json text/plain python python3 javascript 123456 1234567 12345678 123456789 1234567890 qwerty letmein
	welcome success succeeded failure failed string number boolean object`.split(/\s+/),
);

/** Whether masking the value would tear ordinary output apart instead of hiding something. */
export function isTooCommon(value: string): boolean {
	const letters = [...value.replaceAll(/[\0-\x20\x7f]/g, '')];
	return letters.length < shortestValue || new Set(letters).size < 3 || commonValues.has(value.trim().toLowerCase());
}

/** One masked place of the text that is kept; `isSaid` when its mask was already given out. */
interface Mark {
	start: number;
	end: number;
	readonly owner: number;
	isSaid: boolean;
}

const nothing = Buffer.alloc(0);

const lineFeed = 10;

/** Masks one stream, chunk by chunk; holds back only what may be the beginning of a secret. */
export class MaskStream {
	readonly #matcher: Matcher;
	readonly #masks: readonly Buffer[];
	#state = 0;
	/** What may be the beginning of a secret; so many bytes of it were given out already. */
	#held: Buffer = nothing;
	#said = 0;
	#marks: Mark[] = [];

	constructor(matcher: Matcher, masks: readonly Buffer[]) {
		this.#matcher = matcher;
		this.#masks = masks;
	}

	/** @returns what is decided so far; it may be empty */
	push(chunk: Buffer): Buffer {
		const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
		this.#state = this.#matcher.scan(bytes, this.#held.length, this.#state, (found) => this.#mark(found));
		const cut = this.#matcher.beginning(bytes, this.#state);
		if (cut === undefined) this.#state = 0;
		return this.#release(bytes, cut ?? bytes.length);
	}

	/**
	 * For whoever watches: the lines that are held back although they tell hardly anything. The beginning of a secret that
	 * leaves in them is short, and the rest of it is masked when it comes.
	 */
	lines(): Buffer {
		const open = this.#held.subarray(0, this.#open());
		return this.#say(this.#held, open.lastIndexOf(lineFeed) + 1);
	}

	/** The same for all that is held back and tells hardly anything. */
	harmless(): Buffer {
		return this.#say(this.#held, this.#open());
	}

	/** Whether there is something harmless that was not given out. */
	get hasHarmless(): boolean {
		return this.#open() > this.#said;
	}

	/** @returns the rest; the larger part of a secret at the very end counts as the secret, because the program was cut off */
	end(): Buffer {
		const unfinished = this.#matcher.unfinished(this.#held, this.#state);
		if (unfinished) this.#mark(unfinished);
		this.#state = 0;
		return this.#release(this.#held, this.#held.length);
	}

	/** Places that overlap become one, which is called after the first of them. */
	#mark({ start, end, owner }: Found): void {
		let mark: Mark = { start, end, owner, isSaid: false };
		for (let last = this.#marks.at(-1); last && last.end > mark.start; last = this.#marks.at(-1)) {
			this.#marks.pop();
			if (last.start < mark.start) mark = { ...last, end: Math.max(last.end, mark.end) };
		}
		this.#marks.push(mark);
	}

	/** How much of what is held may be seen. Behind a masked place no more than the gap: what follows may belong to the same secret. */
	#open(): number {
		const telling = this.#matcher.telling(this.#held, this.#state);
		const [first] = this.#marks;
		if (!first || telling < first.start) return telling;
		let end = first.end;
		while (end < this.#held.length && isGap(this.#held[end] as number)) end++;
		return end;
	}

	/** Gives out what is decided, and keeps the rest. */
	#release(bytes: Buffer, cut: number): Buffer {
		const said = this.#say(bytes, cut);
		this.#marks = this.#marks.filter((mark) => mark.end > cut);
		for (const mark of this.#marks) {
			mark.start -= cut;
			mark.end -= cut;
		}
		this.#held = cut === bytes.length ? nothing : Buffer.from(bytes.subarray(cut));
		this.#said = Math.max(0, this.#said - cut);
		return said;
	}

	/** Everything up to `end` that was not given out before, with masks in it. */
	#say(bytes: Buffer, end: number): Buffer {
		const parts: Buffer[] = [];
		let at = this.#said;
		for (const mark of this.#marks) {
			if (mark.start >= end) break;
			if (mark.start > at) parts.push(bytes.subarray(at, mark.start));
			if (!mark.isSaid) parts.push(this.#masks[mark.owner] as Buffer);
			mark.isSaid = true;
			at = Math.max(at, mark.end);
		}
		if (at < end) parts.push(bytes.subarray(at, end));
		this.#said = Math.max(at, end);
		return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
	}
}

export interface Mask {
	/** Names of the secrets that are not masked, because their values are too short or too common. */
	readonly refused: readonly string[];
	/** Masks a whole text. */
	text(text: string): string;
	/** Undefined when there is nothing to mask. */
	stream(): MaskStream | undefined;
}

export const maskOf = (name: string): string => `•••${name}•••`;

const noMask = (refused: readonly string[]): Mask => ({ refused, text: (text) => text, stream: () => undefined });

/** @param values the secrets of a job by their names */
export function createMask(values: Readonly<Record<string, string>>): Mask {
	const isRefused = ([, value]: [string, string]) => isTooCommon(value);
	const refused = Object.entries(values)
		.filter(isRefused)
		.map(([name]) => name);
	const secrets = Object.entries(values).filter((secret) => !isRefused(secret));
	if (secrets.length === 0) return noMask(refused);
	const patterns = secrets.flatMap(([, value], owner): Pattern[] =>
		[...spellingsOf(value)].map((text) => ({ text, owner })),
	);
	const matcher = new Matcher(patterns);
	const masks = secrets.map(([name]) => Buffer.from(maskOf(name)));
	const stream = () => new MaskStream(matcher, masks);
	return {
		refused,
		stream,
		text(text) {
			const masked = stream();
			return Buffer.concat([masked.push(Buffer.from(text)), masked.end()]).toString();
		},
	};
}

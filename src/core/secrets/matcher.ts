/** Finds many byte patterns in one pass over a stream (Aho and Corasick's automaton). Pure. */

/**
 * White space and control characters, NUL to space and DEL: they do not interrupt a match, so that a value is found when it
 * is broken into lines, indented, written in 16 bits, or spelled with a space after each character.
 */
export const isGap = (byte: number): boolean => byte <= 0x20 || byte === 0x7f;

/** No match may reach further back, however many gaps a program puts into it, so that little must be held back. */
const longestReach = 4096;

/** How much of the beginning of a pattern tells too little of it to be kept from whoever watches: a quarter, and never more. */
const mostTold = 8;
const toldOf = (length: number): number => Math.min(mostTold, Math.floor(length / 4));

export interface Pattern {
	readonly text: string;
	/** Number of the secret that the pattern belongs to. */
	readonly owner: number;
}

/** Where a pattern was found: bytes from `start` up to, not including, `end`. */
export interface Found {
	readonly start: number;
	readonly end: number;
	readonly owner: number;
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text).filter((byte) => !isGap(byte));

/** The automaton: states are numbers, 0 is the root, and the states of one byte follow it. */
export class Matcher {
	readonly #firstChild: Int32Array;
	readonly #sibling: Int32Array;
	readonly #label: Uint8Array;
	readonly #fail: Int32Array;
	readonly #depth: Int32Array;
	/** Length of the longest pattern that ends in the state, else 0; and whose it is. */
	readonly #found: Int32Array;
	readonly #foundOwner: Int32Array;
	/** A pattern that the state is the beginning of: its length, and whose it is. */
	readonly #goal: Int32Array;
	readonly #goalOwner: Int32Array;
	/** Length of the shortest pattern that the state is the beginning of. */
	readonly #shortest: Int32Array;
	/** Length of the longest end of the state that begins a pattern and tells too much of it, else 0. */
	readonly #telling: Int32Array;
	/** Next states of the root and of the states of one byte, 256 for each; most bytes of ordinary text need no other. */
	readonly #dense: Int32Array;
	readonly #shallow: number;
	#size = 1;

	constructor(patterns: readonly Pattern[]) {
		const all = patterns
			.map(({ text, owner }) => ({ bytes: bytesOf(text), owner }))
			.filter((one) => one.bytes.length > 0);
		const room = 1 + all.reduce((sum, { bytes }) => sum + bytes.length, 0);
		const numbers = () => new Int32Array(room);
		[this.#firstChild, this.#sibling, this.#fail, this.#depth] = [numbers(), numbers(), numbers(), numbers()];
		[this.#found, this.#foundOwner, this.#goal, this.#goalOwner] = [numbers(), numbers(), numbers(), numbers()];
		[this.#shortest, this.#telling] = [numbers(), numbers()];
		this.#label = new Uint8Array(room);
		for (const { bytes } of all) this.#childOrNew(0, bytes[0] as number);
		this.#shallow = this.#size - 1;
		for (const { bytes, owner } of all) this.#insert(bytes, owner);
		this.#dense = new Int32Array((this.#shallow + 1) * 256);
		this.#link();
	}

	#child(state: number, byte: number): number {
		let child = this.#firstChild[state] as number;
		while (child !== 0 && this.#label[child] !== byte) child = this.#sibling[child] as number;
		return child;
	}

	#childOrNew(state: number, byte: number): number {
		const known = this.#child(state, byte);
		if (known !== 0) return known;
		const child = this.#size++;
		this.#label[child] = byte;
		this.#sibling[child] = this.#firstChild[state] as number;
		this.#firstChild[state] = child;
		this.#depth[child] = (this.#depth[state] as number) + 1;
		return child;
	}

	#insert(bytes: Uint8Array, owner: number): void {
		let state = 0;
		for (const byte of bytes) {
			state = this.#childOrNew(state, byte);
			const shortest = this.#shortest[state] as number;
			if (shortest === 0 || shortest > bytes.length) this.#shortest[state] = bytes.length;
			if (this.#goal[state] !== 0) continue;
			this.#goal[state] = bytes.length;
			this.#goalOwner[state] = owner;
		}
		if (this.#found[state] !== 0) return;
		this.#found[state] = bytes.length;
		this.#foundOwner[state] = owner;
	}

	/** Level by level: a state falls back to the longest end of itself that begins another pattern. */
	#link(): void {
		const queue = [0];
		for (const state of queue) {
			if (state <= this.#shallow) this.#fillRow(state);
			for (let child = this.#firstChild[state] as number; child !== 0; child = this.#sibling[child] as number) {
				if (state !== 0) this.#fallBack(child, this.step(this.#fail[state] as number, this.#label[child] as number));
				this.#weigh(child);
				queue.push(child);
			}
		}
	}

	#fallBack(state: number, fallback: number): void {
		this.#fail[state] = fallback;
		if (this.#found[state] !== 0) return;
		this.#found[state] = this.#found[fallback] as number;
		this.#foundOwner[state] = this.#foundOwner[fallback] as number;
	}

	#weigh(state: number): void {
		const depth = this.#depth[state] as number;
		const isTelling = depth > toldOf(this.#shortest[state] as number);
		this.#telling[state] = isTelling ? depth : (this.#telling[this.#fail[state] as number] as number);
	}

	#fillRow(state: number): void {
		for (let byte = 0; byte < 256; byte++) {
			const elsewhere = state === 0 ? 0 : (this.#dense[byte] as number);
			this.#dense[(state << 8) | byte] = isGap(byte) ? state : this.#child(state, byte) || elsewhere;
		}
	}

	step(state: number, byte: number): number {
		let from = state;
		while (from > this.#shallow) {
			const child = this.#child(from, byte);
			if (child !== 0) return child;
			from = this.#fail[from] as number;
		}
		return this.#dense[(from << 8) | byte] as number;
	}

	/**
	 * One pass over `bytes` from `from` on, in the state in which the last one ended.
	 * Patterns have at least three bytes, so only states that are not shallow can end one.
	 */
	scan(bytes: Uint8Array, from: number, state: number, onFound: (found: Found) => void): number {
		const dense = this.#dense;
		const shallow = this.#shallow;
		const found = this.#found;
		const end = bytes.length;
		let now = state;
		let at = from;
		while (at < end) {
			while (now <= shallow && at < end) now = dense[(now << 8) | (bytes[at++] as number)] as number;
			if (at >= end) break;
			const byte = bytes[at++] as number;
			if (isGap(byte)) continue;
			now = this.step(now, byte);
			const length = found[now] as number;
			if (length === 0) continue;
			onFound({ start: startOf(bytes, at, length), end: at, owner: this.#foundOwner[now] as number });
			if (this.#firstChild[now] === 0) now = this.#fail[now] as number;
		}
		return now;
	}

	/** Where the unfinished match of a state begins, before which everything is decided; undefined when it is given up. */
	beginning(bytes: Uint8Array, state: number): number | undefined {
		const start = startOf(bytes, bytes.length, this.#depth[state] as number);
		return bytes.length - start > longestReach ? undefined : start;
	}

	/** Where the unfinished match of a state begins to tell too much; the end of the bytes when it does not. */
	telling(bytes: Uint8Array, state: number): number {
		return startOf(bytes, bytes.length, this.#telling[state] as number);
	}

	/** The larger part of a pattern at the end of the last bytes; undefined when there is less of one. */
	unfinished(bytes: Uint8Array, state: number): Found | undefined {
		const depth = this.#depth[state] as number;
		if (state === 0 || depth * 2 < (this.#goal[state] as number)) return undefined;
		const end = startOf(bytes, bytes.length, 1) + 1;
		return { start: startOf(bytes, end, depth), end, owner: this.#goalOwner[state] as number };
	}
}

/** The index of the `length`-th byte before `end` that is no gap. */
function startOf(bytes: Uint8Array, end: number, length: number): number {
	let start = end;
	for (let missing = length; missing > 0; missing--) {
		do start--;
		while (isGap(bytes[start] as number));
	}
	return start;
}

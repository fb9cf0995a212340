/** A map of what was set last: what is asked for soon is there, and nothing grows for as long as a process lives. Pure. */

export class LatestMap<Key, Value> {
	readonly #most: number;
	readonly #entries = new Map<Key, Value>();

	/** @param most entries; the oldest ones go first */
	constructor(most: number) {
		this.#most = most;
	}

	get size(): number {
		return this.#entries.size;
	}

	get(key: Key): Value | undefined {
		return this.#entries.get(key);
	}

	set(key: Key, value: Value): void {
		this.#entries.delete(key);
		this.#entries.set(key, value);
		const [oldest] = this.#entries.keys();
		if (this.#entries.size > this.#most) this.#entries.delete(oldest as Key);
	}

	delete(key: Key): void {
		this.#entries.delete(key);
	}
}

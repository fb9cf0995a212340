/** Ids of signed requests that were used, kept as long as they could be used again. */

export class SeenIds {
	readonly #most: number;
	/** By key; each id with the moment at which it stops being good. */
	readonly #byKey = new Map<string, Map<string, number>>();

	/** @param most ids of one key; while so many are good, new ones are too much */
	constructor(most: number) {
		this.#most = most;
	}

	/** @param until milliseconds since 1970 */
	use(key: string, id: string, until: number, now: number): 'first' | 'again' | 'too many' {
		const ids = this.#byKey.get(key) ?? new Map<string, number>();
		this.#byKey.set(key, ids);
		forget(ids, now);
		if (ids.has(id)) return 'again';
		if (ids.size >= this.#most) return 'too many';
		ids.set(id, until);
		return 'first';
	}
}

/** Those that came first end first, give or take a minute. */
function forget(ids: Map<string, number>, now: number): void {
	for (const [id, until] of ids) {
		if (until > now) return;
		ids.delete(id);
	}
}

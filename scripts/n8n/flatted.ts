/** Reads n8n's form of stored executions: one list whose texts are positions in it, so that parts can be shared. */

/** Parts may lead back to themselves, so every part is known before it is filled. */
export function parseFlatted(text: string): unknown {
	const pool = JSON.parse(text) as unknown[];
	const known = new Map<number, unknown>();
	const part = (index: number): unknown => {
		if (known.has(index)) return known.get(index);
		const raw = pool[index];
		if (typeof raw !== 'object' || raw === null) return raw;
		const filled: Record<string, unknown> = Array.isArray(raw) ? ([] as never) : {};
		known.set(index, filled);
		for (const [key, value] of Object.entries(raw)) {
			filled[key] = typeof value === 'string' ? part(Number(value)) : value;
		}
		return filled;
	};
	return part(0);
}

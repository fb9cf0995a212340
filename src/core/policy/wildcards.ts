/** Whether two names with wildcards have a name in common. Pure. */

/** In a name of a command: any characters. No text of a caller holds it. */
export const anyName = '\0';

const longestName = 255;

/** @param pattern of the policy, with "*" @param name of a command, with `anyName` */
export function mayBeSame(pattern: string, name: string): boolean {
	if (!pattern.includes('*') && !name.includes(anyName)) return pattern === name;
	// No wildcard finds a name that begins with a dot.
	if (name.startsWith(anyName) && pattern.startsWith('.')) return false;
	if (name.length > longestName) return true;
	let reached = withStars(pattern, new Set([0]));
	for (const character of name) reached = withStars(pattern, stepped(pattern, reached, character));
	return reached.has(pattern.length);
}

/** How much of the pattern may be used up after one more character. */
function stepped(pattern: string, reached: ReadonlySet<number>, character: string): Set<number> {
	if (character === anyName) {
		const first = Math.min(...reached);
		return new Set(Array.from({ length: pattern.length - first + 1 }, (_, i) => first + i));
	}
	const next = new Set<number>();
	for (const at of reached) {
		if (pattern[at] === '*') next.add(at);
		else if (pattern[at] === character) next.add(at + 1);
	}
	return next;
}

/** A star may stand for nothing. */
function withStars(pattern: string, states: Set<number>): Set<number> {
	for (const at of states) if (pattern[at] === '*') states.add(at + 1);
	return states;
}

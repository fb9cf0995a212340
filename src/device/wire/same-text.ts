/** Compares a text that came from outside with the one that was expected, in the same time wherever they differ. Pure. */
import { timingSafeEqual } from 'node:crypto';

export function isSameText(given: string, expected: string): boolean {
	const [a, b] = [Buffer.from(given), Buffer.from(expected)];
	return a.length === b.length && timingSafeEqual(a, b);
}

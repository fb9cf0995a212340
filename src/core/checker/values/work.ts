/**
 * Counts what it costs to look at a program, so that none costs more than its length may: one unit for every value, character or
 * name that is handled. Who runs out is refused as a whole; nothing is left out silently.
 */

/** Enough for an ordinary program many times over; a unit takes some ten nanoseconds. */
const baseUnits = 1_500_000;
const unitsPerCharacter = 400;

let left = Number.POSITIVE_INFINITY;

/** The program costs more than it may. */
export class TooMuchWork extends Error {}

/** @throws TooMuchWork when the program has had its share */
export function spend(units: number): void {
	left -= units;
	if (left < 0) throw new TooMuchWork('the program costs too much to be checked');
}

/** Runs with the share of a program of this length; inside another one the outer share counts. */
export function withinWork<T>(characters: number, run: () => T): T {
	if (left !== Number.POSITIVE_INFINITY) return run();
	left = baseUnits + unitsPerCharacter * characters;
	try {
		return run();
	} finally {
		left = Number.POSITIVE_INFINITY;
	}
}

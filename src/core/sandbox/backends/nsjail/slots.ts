/** Gives every concurrent jail a user of the host of its own, so that two jails can do nothing to each other. */

/** Where user ids are looked for, best place first: far from people, services and containers, then within 16 bits. */
const ranges = [
	{ first: 1_000_000_000, perProcess: 1_024, processes: 1_000_000 },
	{ first: 20_000, perProcess: 1_024, processes: 40 },
];

/** Lines of user_namespaces(7): first id inside, first id outside, how many. */
function isMapped(uidMap: string, first: number, last: number): boolean {
	return uidMap.split('\n').some((line) => {
		const [inside, , count] = line.trim().split(/\s+/).map(Number);
		return inside !== undefined && count !== undefined && inside <= first && last < inside + count;
	});
}

/**
 * The first user id for the jails of one process; processes of the same host get different ones.
 * @param uidMap text of /proc/self/uid_map
 * @returns undefined when the process lives in a user namespace that is too small
 */
export function firstJailUser(uidMap: string, pid: number): number | undefined {
	for (const { first, perProcess, processes } of ranges) {
		const start = first + (pid % processes) * perProcess;
		if (isMapped(uidMap, start, start + perProcess - 1)) return start;
	}
	return undefined;
}

/** Numbers of free slots; a number is used again only after it was given back. */
export class Slots {
	readonly #free: number[] = [];
	#next = 0;

	lease(): number {
		return this.#free.pop() ?? this.#next++;
	}

	release(slot: number): void {
		this.#free.push(slot);
	}
}

/** How many boxes of one kind should wait, read from when the last ones were asked for. Pure. */

/** Calls within this time are one burst: about as long as it takes to make a few boxes anew. */
const burstMs = 300;
/** How long the size of a burst is remembered. */
const holdMs = 30_000;
/** After so long without a call nothing waits any more. */
export const idleMs = 300_000;
/** More are never kept of one kind. */
const mostBoxes = 64;

/** Times in milliseconds of one clock. */
export interface Demand {
	readonly lastAt: number;
	/** Calls of the burst that is going on, or was the last. */
	readonly burst: { readonly since: number; readonly calls: number };
	/** The greatest burst that is still remembered. */
	readonly peak: { readonly at: number; readonly calls: number };
}

export function noteCall(demand: Demand | undefined, now: number): Demand {
	const goesOn = demand !== undefined && now - demand.burst.since < burstMs;
	const burst = goesOn ? { since: demand.burst.since, calls: demand.burst.calls + 1 } : { since: now, calls: 1 };
	const isHigher = !demand || burst.calls >= demand.peak.calls || now - demand.peak.at > holdMs;
	return { lastAt: now, burst, peak: isHigher ? { at: now, calls: burst.calls } : demand.peak };
}

/** One box for whoever comes now and then, as many as the last burst had calls for whoever comes in bursts. */
export function wantedBoxes({ lastAt, peak }: Demand, now: number): number {
	if (now - lastAt > idleMs) return 0;
	return now - peak.at > holdMs ? 1 : Math.min(peak.calls, mostBoxes);
}

/** Whether nobody has called for a while; then only little memory is kept. */
export const isCalm = (demands: Iterable<Demand>, now: number): boolean =>
	[...demands].every(({ lastAt }) => now - lastAt > holdMs);

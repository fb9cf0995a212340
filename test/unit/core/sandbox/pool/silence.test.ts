/** What a pool does while nobody calls, whatever kinds there are: it comes to rest. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pool, type PoolBox } from '../../../../../src/core/sandbox/pool/pool.ts';

const minuteMs = 60_000;
/** Where the making never ends, no timer would: a pool that made so many is at fault. */
const tooMany = 2_000;

interface Kind {
	/** What its boxes hold, one after another. */
	readonly sizes: readonly number[];
	/** Calls at the same time. */
	readonly calls: number;
	/** Time until the next kind is called. */
	readonly pauseMs: number;
}

interface Simulation {
	readonly kinds: readonly Kind[];
	readonly budgetBytes: number;
	readonly calmBytes: number;
	readonly processors: number;
	/** Whether the machine is short of memory, at one look after another. */
	readonly pressure: readonly boolean[];
}

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	vi.useRealTimers();
});

/** One that is ready at once and gone at once. */
const boxOf = (bytes: number): PoolBox => ({
	isReady: Promise.resolve(true),
	isWaiting: true,
	bytes,
	madeAt: Date.now(),
	isGone: Promise.resolve(),
	dismiss: () => {},
});

/** @returns how many boxes were made in each of six minutes after the last call */
async function makesInSilence({ kinds, budgetBytes, calmBytes, processors, pressure }: Simulation): Promise<number[]> {
	const made = kinds.map(() => 0);
	const sum = () => made.reduce((all, one) => all + one, 0);
	let looks = 0;
	const pool = new Pool<number, PoolBox>({
		kindOf: String,
		make: (kind) => {
			if (sum() > tooMany) throw new Error('the making never ends');
			const { sizes } = kinds[kind] as Kind;
			const bytes = sizes[(made[kind] ?? 0) % sizes.length] ?? 1;
			made[kind] = (made[kind] ?? 0) + 1;
			return boxOf(bytes);
		},
		budgetBytes,
		calmBytes,
		assumedBytes: 24,
		longestWaitMs: 450_000,
		isPressed: () => pressure[looks++ % pressure.length] ?? false,
		processors,
		now: () => Date.now(),
	});
	for (const [kind, { calls, pauseMs }] of kinds.entries()) {
		for (let n = 0; n < calls; n++) pool.begin();
		await Promise.all(Array.from({ length: calls }, () => pool.take(kind)));
		for (let n = 0; n < calls; n++) pool.done();
		await vi.advanceTimersByTimeAsync(pauseMs);
	}
	const minutes = [];
	for (let minute = 0; minute < 6; minute++) {
		const before = sum();
		await vi.advanceTimersByTimeAsync(minuteMs);
		minutes.push(sum() - before);
	}
	await pool.close();
	return minutes;
}

const kindOf = fc.record({
	sizes: fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 4 }),
	calls: fc.integer({ min: 1, max: 5 }),
	pauseMs: fc.constantFrom(0, 100, 500, 2_500),
});

const simulation: fc.Arbitrary<Simulation> = fc.record({
	kinds: fc.array(kindOf, { minLength: 1, maxLength: 6 }),
	budgetBytes: fc.integer({ min: 1, max: 300 }),
	calmBytes: fc.integer({ min: 1, max: 100 }),
	processors: fc.integer({ min: 1, max: 8 }),
	pressure: fc.constant([false]),
});

describe('a pool that nobody calls', () => {
	it('makes few boxes in a minute and then none, whatever they hold and whatever may be held', async () => {
		await fc.assert(
			fc.asyncProperty(simulation, async (one) => {
				const calledFor = one.kinds.reduce((sum, { calls }) => sum + calls, 0);
				const minutes = await makesInSilence(one);
				expect(Math.max(...minutes)).toBeLessThanOrEqual(2 * calledFor);
				expect(minutes.slice(2)).toEqual([0, 0, 0, 0]);
			}),
			{ numRuns: 300 },
		);
	}, 60_000);

	it('makes few boxes in a minute also where the machine is short of memory now and then', async () => {
		const pressure = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 });
		await fc.assert(
			fc.asyncProperty(simulation, pressure, async (one, pressed) => {
				const calledFor = one.kinds.reduce((sum, { calls }) => sum + calls, 0);
				const minutes = await makesInSilence({ ...one, pressure: pressed });
				expect(Math.max(...minutes)).toBeLessThanOrEqual(2 * calledFor);
			}),
			{ numRuns: 200 },
		);
	}, 60_000);
});

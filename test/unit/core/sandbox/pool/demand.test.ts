import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Demand, idleMs, isCalm, noteCall, wantedBoxes } from '../../../../../src/core/sandbox/pool/demand.ts';

/** The demand after calls at these times. */
const called = (...times: number[]): Demand =>
	times.reduce<Demand | undefined>((demand, now) => noteCall(demand, now), undefined) as Demand;

describe('noteCall', () => {
	it('begins with a burst of one call', () => {
		expect(noteCall(undefined, 1_000)).toEqual({
			lastAt: 1_000,
			burst: { since: 1_000, calls: 1 },
			peak: { at: 1_000, calls: 1 },
		});
	});

	it('counts calls within 300 ms of the first as one burst', () => {
		expect(called(1_000, 1_001, 1_299)).toEqual({
			lastAt: 1_299,
			burst: { since: 1_000, calls: 3 },
			peak: { at: 1_299, calls: 3 },
		});
	});

	it('begins a new burst after 300 ms, and remembers the greatest', () => {
		expect(called(1_000, 1_001, 1_300)).toEqual({
			lastAt: 1_300,
			burst: { since: 1_300, calls: 1 },
			peak: { at: 1_001, calls: 2 },
		});
	});

	it('remembers a burst that is as great as the greatest by its time', () => {
		expect(called(0, 1, 5_000, 5_001).peak).toEqual({ at: 5_001, calls: 2 });
	});

	it('forgets the greatest burst after 30 s', () => {
		expect(called(0, 1, 2, 30_002).peak).toEqual({ at: 2, calls: 3 });
		expect(called(0, 1, 2, 30_003).peak).toEqual({ at: 30_003, calls: 1 });
	});
});

describe('wantedBoxes', () => {
	it('is one for whoever comes now and then', () => {
		expect(wantedBoxes(called(0, 10_000, 20_000), 20_001)).toBe(1);
	});

	it('is as many as the greatest burst had calls, for 30 s; then one, for as long as somebody called within 5 minutes', () => {
		const demand = called(0, 1, 2, 3, 4);
		expect([4, 30_004, 30_005, 4 + idleMs, 5 + idleMs].map((now) => wantedBoxes(demand, now))).toEqual([5, 5, 1, 1, 0]);
	});

	it('is never more than 64', () => {
		expect(wantedBoxes(called(...Array.from({ length: 200 }, (_, n) => n)), 200)).toBe(64);
	});

	it('is at least one right after a call and at most 64, whenever the calls came', () => {
		const calls = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 50 });
		fc.assert(
			fc.property(calls, (gaps) => {
				let now = 0;
				const times = gaps.map((gap) => {
					now += gap;
					return now;
				});
				const wanted = wantedBoxes(called(...times), now);
				return wanted >= 1 && wanted <= Math.min(64, times.length);
			}),
		);
	});
});

describe('isCalm', () => {
	it('is when nobody has called for 30 s, whatever the kind', () => {
		const demands = [called(0), called(10_000)];
		expect([isCalm(demands, 40_000), isCalm(demands, 40_001), isCalm([], 0)]).toEqual([false, true, true]);
	});
});

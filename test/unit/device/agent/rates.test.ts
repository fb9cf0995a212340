import { describe, expect, it } from 'vitest';
import { decideRate, RateLimits } from '../../../../src/device/agent/rates.ts';

const limits = {
	burst: 3,
	requestsPerMinute: 60,
	jobsPerDay: 100,
	concurrentPerPrincipal: 5,
	identicalPerMinute: 10,
};

const asked = (more: object = {}) => ({
	principal: 'ann',
	commandDigest: 'a',
	runningJobs: 0,
	jobsToday: 0,
	now: 0,
	...more,
});

describe('a principal', () => {
	it('may send a burst, and then as much as its minute allows', () => {
		const rates = new RateLimits(limits);
		const at = (now: number) => rates.admit(asked({ now }));
		const burst = [at(0), at(0), at(0), at(0)];
		expect([burst, at(999), at(1000), at(1000)]).toEqual([
			[undefined, undefined, undefined, { details: '60 jobs a minute are allowed', seconds: 1 }],
			{ details: '60 jobs a minute are allowed', seconds: 1 },
			undefined,
			{ details: '60 jobs a minute are allowed', seconds: 1 },
		]);
	});

	it('does not pay for what another one sends', () => {
		const rates = new RateLimits({ ...limits, burst: 1 });
		expect([
			rates.admit(asked()),
			rates.admit(asked({ principal: 'bob' })),
			rates.admit(asked({ principal: 'bob' }))?.seconds,
		]).toEqual([undefined, undefined, 1]);
	});

	it('is told until midnight when its day is used up', () => {
		const now = 86_400_000 - 90_000;
		expect(new RateLimits(limits).admit(asked({ jobsToday: 100, now }))).toEqual({
			details: '100 jobs a day are allowed',
			seconds: 90,
		});
	});

	it('has so many jobs at a time', () => {
		expect([4, 5].map((runningJobs) => new RateLimits(limits).admit(asked({ runningJobs }))?.details)).toEqual([
			undefined,
			'5 jobs at a time are allowed',
		]);
	});

	it('is stopped when it sends the same command again and again, and may go on with others', () => {
		const rates = new RateLimits({ ...limits, burst: 100 });
		const same = Array.from({ length: 11 }, () => rates.admit(asked({ now: 10_000 })));
		expect([
			same.filter((refused) => refused === undefined).length,
			same[10],
			rates.admit(asked({ now: 10_000, commandDigest: 'b' })),
			rates.admit(asked({ now: 70_000 })),
		]).toEqual([10, { details: 'the same command came 10 times within a minute', seconds: 60 }, undefined, undefined]);
	});
});

describe('decideRate', () => {
	it('takes nothing for a job that it refuses', () => {
		const first = decideRate(limits, undefined, asked({ runningJobs: 9 }));
		expect([first.refused?.details, first.flow.tokens, first.flow.commands.size]).toEqual([
			'5 jobs at a time are allowed',
			3,
			0,
		]);
	});

	it('fills nothing up when the clock is set back', () => {
		const { flow } = decideRate({ ...limits, burst: 1 }, undefined, asked({ now: 100_000 }));
		expect(decideRate({ ...limits, burst: 1 }, flow, asked({ now: 0 })).refused?.seconds).toBe(1);
	});

	it('never keeps more than a burst, however long nothing came', () => {
		const { flow } = decideRate(limits, undefined, asked());
		expect(decideRate(limits, flow, asked({ now: 86_400_000 })).flow.tokens).toBe(2);
	});
});

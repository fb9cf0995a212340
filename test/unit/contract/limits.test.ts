import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownErrors } from '../../../src/contract/error.ts';
import { jobRequestSchema } from '../../../src/contract/job.ts';
import { defaultLimits, type LimitName, type LimitRow, limits, narrow } from '../../../src/contract/limits.ts';

const rows = Object.entries(limits) as [LimitName, LimitRow][];

const accepts = (name: LimitName, value: number): boolean =>
	jobRequestSchema.safeParse({ code: '', limits: { [name]: value } }).success;

describe.each(rows)('%s', (name, row) => {
	it('has a default between its floor and its ceiling', () => {
		expect([row.floor <= row.default, row.default <= row.ceiling]).toEqual([true, true]);
	});

	it('is accepted from floor to ceiling and refused outside and in between whole numbers', () => {
		const { floor, ceiling } = row;
		const tried = [floor, ceiling, floor - 1, ceiling + 1, floor + 0.5, Number.NaN];
		expect(tried.map((value) => accepts(name, value))).toEqual([true, true, false, false, false, false]);
	});

	it('names a known error', () => {
		expect(Object.keys(knownErrors)).toContain(row.problem);
	});
});

describe('a request without limits', () => {
	it('gets the defaults of the table', () => {
		expect(jobRequestSchema.parse({ code: '' }).limits).toEqual(defaultLimits);
	});

	it('cannot invent a limit', () => {
		expect(jobRequestSchema.safeParse({ code: '', limits: { gpus: 1 } }).success).toBe(false);
	});
});

describe('narrow', () => {
	const { floor, ceiling } = limits.timeoutMs;

	it('keeps what the author allows when the model asks for nothing', () => {
		expect(narrow('timeoutMs', 5_000, undefined)).toBe(5_000);
	});

	it.each([
		['less', 2_000, 2_000],
		['more', 60_000, 5_000],
		['less than the floor', 1, floor],
		['a negative number', -1, floor],
	])('answers a model that asks for %s', (_what, asked, expected) => {
		expect(narrow('timeoutMs', 5_000, asked)).toBe(expected);
	});

	it('never gives more than the author allows', () => {
		const allowed = fc.integer({ min: floor, max: ceiling });
		fc.assert(fc.property(allowed, fc.integer(), (most, asked) => narrow('timeoutMs', most, asked) <= most));
	});
});

import { describe, expect, it } from 'vitest';
import { SeenIds } from '../../../../../src/device/agent/faces/seen-ids.ts';

describe('an id that was used', () => {
	it('cannot be used again by the same key while it is good', () => {
		const seen = new SeenIds(10);
		const used = [
			seen.use('a', '1', 100, 0),
			seen.use('a', '1', 100, 99),
			seen.use('b', '1', 100, 99),
			seen.use('a', '2', 150, 99),
			seen.use('a', '1', 200, 100),
		];
		expect(used).toEqual(['first', 'again', 'first', 'first', 'first']);
	});

	it('counts against its key until it is void', () => {
		const seen = new SeenIds(2);
		const used = ['1', '2', '3'].map((id) => seen.use('a', id, 100, 0));
		expect([...used, seen.use('b', '3', 100, 0), seen.use('a', '3', 200, 100)]).toEqual([
			...['first', 'first', 'too many'],
			...['first', 'first'],
		]);
	});
});

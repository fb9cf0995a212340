import { describe, expect, it } from 'vitest';
import { LatestMap } from '../../../../src/device/client/latest.ts';

describe('a map of what was set last', () => {
	it('forgets the oldest entries, and what was set again is new', () => {
		const map = new LatestMap<string, number>(2);
		map.set('a', 1);
		map.set('b', 2);
		map.set('a', 3);
		map.set('c', 4);
		expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([3, undefined, 4, 2]);
	});

	it('forgets what it is told to', () => {
		const map = new LatestMap<string, number>(2);
		map.set('a', 1);
		map.delete('a');
		expect([map.get('a'), map.size]).toEqual([undefined, 0]);
	});
});

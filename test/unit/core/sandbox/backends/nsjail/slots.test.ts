import { describe, expect, it } from 'vitest';
import { firstJailUser, Slots } from '../../../../../../src/core/sandbox/backends/nsjail/slots.ts';

const wholeHost = '         0          0 4294967295\n';

describe('firstJailUser', () => {
	it('takes ids far from people and services where all are mapped', () => {
		expect(firstJailUser(wholeHost, 1)).toBe(1_000_001_024);
	});

	it('gives two processes of a host ids that do not touch', () => {
		const first = firstJailUser(wholeHost, 4_194_303) ?? 0;
		const second = firstJailUser(wholeHost, 4_194_302) ?? 0;
		expect(first - second).toBe(1_024);
	});

	it('stays within 16 bits in a container that maps no more', () => {
		expect(firstJailUser('0 100000 65536\n', 41)).toBe(21_024);
	});

	it('finds ids in any line of the map', () => {
		expect(firstJailUser('0 1000 1\n1 100000 65536\n', 2)).toBe(22_048);
	});

	it.each(['0 1000 1\n', '', '0 100000 20010\n'])('finds none where the map is %j', (map) => {
		expect(firstJailUser(map, 0)).toBeUndefined();
	});
});

describe('Slots', () => {
	it('gives no number twice before it came back', () => {
		const slots = new Slots();
		const first = [slots.lease(), slots.lease(), slots.lease()];
		slots.release(1);
		expect([first, slots.lease(), slots.lease()]).toEqual([[0, 1, 2], 1, 3]);
	});
});

import { describe, expect, it } from 'vitest';
import { networksOf } from '../../../../src/device/agent/peers.ts';

describe('networksOf', () => {
	it.each([
		[['10.42.0.0/24'], '10.42.0.7', true],
		[['10.42.0.0/24'], '::ffff:10.42.0.7', true],
		[['10.42.0.0/24'], '10.42.1.7', false],
		[['10.0.0.1'], '10.0.0.1', true],
		[['10.0.0.1'], '10.0.0.2', false],
		[['::1/128', 'fd00::/8'], 'fd12::1', true],
		[['0.0.0.0/0'], '::1', false],
		[[], '127.0.0.1', false],
		[['0.0.0.0/0'], undefined, false],
		[['0.0.0.0/0'], 'localhost', false],
	])('%j and %s: %s', (networks, address, isInside) => {
		expect(networksOf(networks)(address)).toBe(isInside);
	});

	it.each(['localhost', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10.0.0.0/8/8', '::/129', ''])(
		'refuses %j',
		(network) => {
			expect(() => networksOf([network])).toThrow('is no network');
		},
	);
});

import { describe, expect, it } from 'vitest';
import { isReservedName, secretFault } from '../../../../src/core/secrets/inject.ts';

describe('secretFault', () => {
	it('takes what fits', () => {
		expect(secretFault(['A', 'B'], { A: 'x', B: 'y', C: 'z' })).toBeUndefined();
	});

	it('refuses values that are too much together', () => {
		const values = Object.fromEntries(['A', 'B', 'C', 'D', 'E'].map((name) => [name, name.repeat(16_384)]));
		expect(secretFault(['A'], values)).toBe('the values have more than 65536 bytes together');
	});

	it.each([
		['a name that is not there', 'A', undefined, 'there is no secret called A'],
		['a name that every object has', 'constructor', {}, 'there is no secret called constructor'],
		['a variable of the sandbox', 'PATH', { PATH: '/tmp' }, 'PATH is a variable of the sandbox itself'],
		[
			'NUL, at which the value would end',
			'A',
			{ A: 'x\0y' },
			'the value of A has more than 16384 bytes or contains NUL',
		],
		[
			'more than can be masked quickly',
			'A',
			{ A: 'x'.repeat(16_385) },
			'the value of A has more than 16384 bytes or contains NUL',
		],
	])('refuses %s without showing the value', (_what, name, values, fault) => {
		expect(secretFault([name], values)).toBe(fault);
	});
});

it('keeps names away that steer the loader of a process outside the jail', () => {
	const names = ['LD_PRELOAD', 'LD_LIBRARY_PATH', 'GLIBC_TUNABLES', 'GCONV_PATH', 'ld_audit', 'MY_LD_PRELOAD', 'TOKEN'];
	expect(names.filter(isReservedName)).toEqual(names.slice(0, 5));
});

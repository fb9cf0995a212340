import { describe, expect, it } from 'vitest';
import { anyName, mayBeSame } from '../../../../src/core/policy/wildcards.ts';

describe('mayBeSame', () => {
	it.each([
		['shadow', 'shadow', true],
		['shadow', 'shadow2', false],
		['shadow', '*', true],
		['shadow', 's*w', true],
		['shadow', '*release', false],
		['shadow*', '*release', true],
		['*.key', 'a.key', true],
		['*.key', 'a.log', false],
		['a*b*c', 'abc', true],
		['a*b*c', 'ac', false],
		['a*b*c', '*', true],
		['.ssh', '*', false],
		['.ssh', '.s*', true],
		['*', 'anything', true],
		['', '', true],
		['a', '', false],
	])('%s and %s: %s', (pattern, name, same) => {
		expect(mayBeSame(pattern, name.replaceAll('*', anyName))).toBe(same);
	});

	it('answers at once for patterns that make other matchers slow', () => {
		expect(mayBeSame('a*'.repeat(60), `${'a'.repeat(250)}b`)).toBe(true);
		expect(mayBeSame(`${'a*'.repeat(60)}b`, 'a'.repeat(250))).toBe(false);
	});
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { KnownError } from '../../../src/contract/error.ts';
import { composeExecutor, parseJobRequest, sharedExecutor } from '../../../src/core/compose.ts';

describe('parseJobRequest', () => {
	it('fills in what was not said', () => {
		expect(parseJobRequest({ code: 'a' })).toMatchObject({ code: 'a', language: 'auto', network: 'none', check: true });
	});

	it.each([
		[{}, 'needs exactly one of "code", "argv" and "script"'],
		[{ code: 'a', limits: { timeoutMs: 1 } }, 'limits.timeoutMs'],
		[{ code: 'a', color: 'red' }, '"color"'],
		['print(1)', 'expected object'],
	])('says in one line what does not fit in %j', (input, words) => {
		const act = () => parseJobRequest(input);
		expect(act).toThrow(KnownError);
		expect(act).toThrow(words);
		expect(act).not.toThrow('\n');
	});
});

describe('the number of jobs at a time', () => {
	afterEach(() => vi.unstubAllEnvs());

	it.each(['0', '-1', 'many', '1000', '1.5'])('cannot be set to %j', (value) => {
		vi.stubEnv('SECURE_CODE_CONCURRENCY', value);
		expect(() => composeExecutor()).toThrow('SECURE_CODE_CONCURRENCY is not a number from 1 to 999');
	});

	it.each(['', '1', '999'])('can be set to %j', (value) => {
		vi.stubEnv('SECURE_CODE_CONCURRENCY', value);
		expect(() => composeExecutor()).not.toThrow();
	});
});

describe('sharedExecutor', () => {
	it('is one in a process, even for a second copy of the package', async () => {
		const first = sharedExecutor();
		vi.resetModules();
		const copy = await import('../../../src/core/compose.ts');
		expect(copy.sharedExecutor()).toBe(first);
	});
});

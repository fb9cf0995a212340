import { describe, expect, it } from 'vitest';
import { KnownError } from '../../../../../src/contract/error.ts';
import { warmSettings } from '../../../../../src/core/sandbox/pool/settings.ts';

const MiB = 1024 * 1024;
const usual = { budgetBytes: 256 * MiB, calmBytes: 55_000_000 };

describe('warmSettings', () => {
	it.each([
		[{}, usual],
		[{ SECURE_CODE_WARM: '', SECURE_CODE_WARM_MEMORY: '' }, usual],
		[{ SECURE_CODE_WARM: 'on' }, usual],
		[{ SECURE_CODE_WARM_MEMORY: '100' }, { ...usual, budgetBytes: 100 * MiB }],
		[{ SECURE_CODE_WARM: 'off' }, undefined],
		[{ SECURE_CODE_WARM: 'off', SECURE_CODE_WARM_MEMORY: '100' }, undefined],
		[{ SECURE_CODE_WARM_MEMORY: '0' }, undefined],
	])('reads %j', (env, settings) => {
		expect(warmSettings(env)).toEqual(settings);
	});

	it.each(['yes', 'ON', '1', 'false', ' off'])('refuses SECURE_CODE_WARM=%s', (wish) => {
		const refusal = new KnownError('CONFIG_INVALID', { details: 'SECURE_CODE_WARM is neither on nor off' });
		expect(() => warmSettings({ SECURE_CODE_WARM: wish })).toThrow(refusal);
	});

	it.each(['-1', '1.5', '1e3', '64MB', '1000000', ' 1'])('refuses SECURE_CODE_WARM_MEMORY=%s', (text) => {
		const refusal = new KnownError('CONFIG_INVALID', {
			details: 'SECURE_CODE_WARM_MEMORY is not a whole number of MiB',
		});
		expect(() => warmSettings({ SECURE_CODE_WARM_MEMORY: text })).toThrow(refusal);
	});
});

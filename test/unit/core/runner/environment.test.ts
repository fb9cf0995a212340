import { describe, expect, it } from 'vitest';
import { environmentFor } from '../../../../src/core/runner/environment.ts';

describe('environmentFor', () => {
	it('gives the path of the profile, what the backend and the profile say, and lets the job only add', () => {
		const profile = { env: { SITE: 'north', LANG: 'de_DE.UTF-8' }, path: ['/usr/bin', '/bin'] };
		expect(environmentFor(profile, { SITE: 'south', EXTRA: 'yes' }, { USER: 'device' })).toEqual({
			LANG: 'de_DE.UTF-8',
			SITE: 'north',
			EXTRA: 'yes',
			USER: 'device',
			PATH: '/usr/bin:/bin',
		});
	});

	it('inherits nothing of this process', () => {
		expect(environmentFor({ env: {}, path: [] }, {}, {})).toEqual({ LANG: 'C.UTF-8', PATH: '' });
	});

	it('refuses a name that nobody may bring, by its rule', () => {
		expect(() => environmentFor({ env: {}, path: [] }, { LD_PRELOAD: '/x.so' }, {})).toThrow(
			'The command was not run: the variable LD_PRELOAD cannot be set by whoever asks (rule environment/forbidden-variable).',
		);
	});
});

import { describe, expect, it } from 'vitest';
import { quietEnvironment } from '../../../../src/contract/quiet.ts';
import { environmentFor } from '../../../../src/core/runner/environment.ts';

describe('environmentFor', () => {
	it('gives the path of the profile, what the backend and the profile say, and lets the job only add', () => {
		const profile = { env: { SITE: 'north', LANG: 'de_DE.UTF-8' }, path: ['/usr/bin', '/bin'] };
		expect(environmentFor(profile, { SITE: 'south', EXTRA: 'yes', TERM: 'xterm' }, { USER: 'device' })).toEqual({
			...quietEnvironment,
			TERM: 'xterm',
			LANG: 'de_DE.UTF-8',
			SITE: 'north',
			EXTRA: 'yes',
			USER: 'device',
			PATH: '/usr/bin:/bin',
		});
	});

	it('inherits nothing of this process', () => {
		expect(environmentFor({ env: {}, path: [] }, {}, {})).toEqual({
			...quietEnvironment,
			LANG: 'C.UTF-8',
			TERM: 'dumb',
			PATH: '',
		});
	});

	it('keeps settings of the job and of repositories from starting programs, unless the profile says otherwise', () => {
		const made = environmentFor({ env: { PAGER: 'less' }, path: [] }, {}, {});
		expect(made).toMatchObject({ PAGER: 'less', GIT_CONFIG_GLOBAL: '/dev/null', PYTHONNOUSERSITE: '1' });
		const count = Number(made.GIT_CONFIG_COUNT);
		const settings = Array.from({ length: count }, (_, i) => [
			made[`GIT_CONFIG_KEY_${i}`],
			made[`GIT_CONFIG_VALUE_${i}`],
		]);
		expect(Object.fromEntries(settings)).toMatchObject({ 'core.fsmonitor': 'false', 'protocol.allow': 'never' });
		expect(settings.flat()).not.toContain(undefined);
	});

	it('refuses a name that nobody may bring, by its rule', () => {
		expect(() => environmentFor({ env: {}, path: [] }, { LD_PRELOAD: '/x.so' }, {})).toThrow(
			'The command was not run: the variable LD_PRELOAD cannot be set by whoever asks (rule environment/forbidden-variable).',
		);
	});
});

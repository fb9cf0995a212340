import { describe, expect, it } from 'vitest';
import { isForbiddenVariable, objectionToValue } from '../../../src/contract/environment.ts';

describe('a variable that nobody may bring', () => {
	it.each([
		...['PATH', 'IFS', 'ENV', 'BASH_ENV', 'BASH_FUNC_x', 'PS4', 'SHELLOPTS', 'CDPATH', 'HOME', 'TMPDIR'],
		...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'ld_preload', 'DYLD_INSERT_LIBRARIES', 'MY_PRELOAD', 'GLIBC_TUNABLES'],
		...['GIT_SSH_COMMAND', 'GIT_DIR', 'PAGER', 'MANPAGER', 'SYSTEMD_PAGER', 'EDITOR', 'SUDO_EDITOR', 'LESSOPEN'],
		...['PYTHONPATH', 'PYTHONSTARTUP', 'NODE_OPTIONS', 'PERL5LIB', 'PERL5OPT', 'RUBYOPT', 'JAVA_TOOL_OPTIONS'],
		...['GCONV_PATH', 'HOSTALIASES', 'TERMINFO', 'DOCKER_HOST', 'XDG_CONFIG_HOME', 'SECURE_CODE_JOB', 'PSModulePath'],
		...['', 'A B', 'A=B', '1A', 'BASH_FUNC_x%%', 'é'],
	])('%j', (name) => {
		expect(isForbiddenVariable(name)).toBe(true);
	});

	it.each(['SITE', 'TZ', 'LANG', 'LC_ALL', 'http_proxy', 'NO_COLOR', 'TERM', 'COLUMNS', 'DEPLOY_ENV', 'APP_VERSION'])(
		'but %s may be brought where the policy lists it',
		(name) => {
			expect(isForbiddenVariable(name)).toBe(false);
		},
	);
});

describe('the value of a variable', () => {
	it.each([
		['LANG', 'de_DE.UTF-8@euro'],
		['LC_ALL', ''],
		['TZ', 'America/Argentina/Buenos_Aires'],
		['TZ', 'CET-1CEST,M3.5.0,M10.5.0'],
		['SITE', '/anywhere/../at/all'],
	])('may be %s=%s', (name, value) => {
		expect(objectionToValue(name, value)).toBeUndefined();
	});

	it.each([
		['LANG', '/work/x'],
		['LC_CTYPE', '../x'],
		['LC_ALL', '..'],
		['TZ', ':/etc/shadow'],
		['TZ', '/etc/shadow'],
		['TZ', 'a/../b'],
		['LANG', null],
	])('must not be %s=%s', (name, value) => {
		expect(objectionToValue(name, value)).toBe(`${name} must be the plain name of a language or a time zone`);
	});
});

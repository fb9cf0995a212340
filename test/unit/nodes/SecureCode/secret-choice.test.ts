import { describe, expect, it } from 'vitest';
import { chooseSecrets, type SecretSettings } from '../../../../nodes/SecureCode/secret-choice.ts';
import { problemFor } from '../../../../src/contract/error.ts';

const settings: SecretSettings = {
	exposed: [
		{ name: 'openai', variable: 'OPENAI_API_KEY', description: 'for the OpenAI API', hosts: ['api.openai.com'] },
		{ name: 'DB', variable: 'DB', description: '', hosts: [] },
	],
	mode: 'onRequest',
	allowInline: false,
};
const content = { name: 'GH', variable: 'GH_TOKEN', value: 'ghp_1', hosts: ['api.github.com'], expires: 1 };
const openHandle = (handle: string) => (handle === 'scv_good' ? content : undefined);

const choose = (asked: unknown[], changes: Partial<SecretSettings> = {}) =>
	chooseSecrets(asked, { ...settings, ...changes }, openHandle);

const hosts = ['api.openai.com'];
const openai = { variable: 'OPENAI_API_KEY', name: 'openai', hosts };
const handled = { value: 'ghp_1', hosts: ['api.github.com'] };

describe('chooseSecrets', () => {
	it('gives nothing that was not asked for', () => {
		expect(choose([])).toEqual({ chosen: [] });
	});

	it.each([
		['its name', { name: 'openai' }, openai],
		['its name alone', 'openai', openai],
		['its variable', { name: 'OPENAI_API_KEY' }, openai],
		['the other format', { envVarName: 'KEY', credentialName: 'openai' }, { variable: 'KEY', name: 'openai', hosts }],
		['the other format without a variable', { credentialName: ' openai ' }, openai],
		[
			'an object without a value',
			{ envVarName: 'KEY', credentialName: { name: 'DB' } },
			{ variable: 'KEY', name: 'DB', hosts: [] },
		],
		['a handle', { envVarName: 'KEY', credentialName: 'scv_good' }, { variable: 'KEY', ...handled }],
		['a handle without a variable', { credentialName: 'scv_good' }, { variable: 'GH_TOKEN', ...handled }],
		[
			'a handle in the place of a value',
			{ envVarName: 'KEY', credentialName: { name: 'Authorization', value: 'scv_good' } },
			{ variable: 'KEY', ...handled },
		],
	])('takes a secret by %s', (_how, entry, chosen) => {
		expect(choose([entry])).toEqual({ chosen: [chosen] });
	});

	it('gives every program every secret when the author says so, and more on request', () => {
		expect(choose([{ credentialName: 'scv_good' }], { mode: 'always' })).toEqual({
			chosen: [openai, { variable: 'DB', name: 'DB', hosts: [] }, { variable: 'GH_TOKEN', ...handled }],
		});
	});

	it('answers a name that is not exposed with those that are', () => {
		expect(choose([{ name: 'openai' }, { name: 'AWS' }])).toEqual({
			problem: problemFor('SECRET_UNKNOWN', { names: 'openai (for the OpenAI API), DB' }),
		});
		expect(choose([{ name: 'AWS' }], { exposed: [] })).toEqual({
			problem: problemFor('SECRET_UNKNOWN', { names: 'there is none' }),
		});
	});

	it('answers a handle that does not open', () => {
		expect(choose([{ credentialName: 'scv_bad' }])).toEqual({ problem: problemFor('SECRET_HANDLE_INVALID') });
	});

	const inline = { envVarName: 'KEY', credentialName: { name: 'Authorization', value: 'Bearer sk-1' } };

	it('takes a value from a call only when the author allows it, and repeats it in no answer', () => {
		expect(choose([inline], { allowInline: true })).toEqual({
			chosen: [{ variable: 'KEY', value: 'Bearer sk-1', hosts: [] }],
		});
		const flat = { envVarName: 'KEY', value: 'Bearer sk-1' };
		expect(choose([flat], { allowInline: true })).toEqual(choose([inline], { allowInline: true }));
		expect(choose([flat])).toEqual(choose([inline]));
		const refused = choose([inline]);
		expect(refused).toMatchObject({ problem: { code: 'JOB_UNSUPPORTED' } });
		expect(JSON.stringify(refused)).not.toContain('sk-1');
	});

	it.each([
		['no name at all', { envVarName: 'KEY' }],
		['a number', 7],
		['a variable that no program can have', { name: 'openai', envVarName: 'A B' }],
		['a variable that steers the loader outside the jail', { name: 'openai', envVarName: 'LD_PRELOAD' }],
	])('answers %s as a mistake in the arguments', (_what, entry) => {
		expect(choose([entry])).toMatchObject({ problem: { code: 'JOB_INVALID' } });
	});
});

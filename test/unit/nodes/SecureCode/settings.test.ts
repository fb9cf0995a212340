import { describe, expect, it } from 'vitest';
import { stepParameters, toolParameters } from '../../../../nodes/SecureCode/parameters.ts';
import { readSettings } from '../../../../nodes/SecureCode/settings.ts';
import { fixedLimits, limits } from '../../../../src/contract/limits.ts';
import { fakeContext, noFiles } from '../../../helpers/n8n.ts';

const settingsOf = (parameters: Record<string, unknown> = {}, properties = toolParameters) =>
	readSettings(fakeContext({ parameters, properties }).context, 0);

const defaults = {
	language: 'auto',
	timeoutMs: limits.timeoutMs.default,
	memoryBytes: limits.memoryBytes.default,
	codeCharacters: limits.codeCharacters.default,
	network: 'none',
	check: true,
	bundle: 'default',
	isStreamed: false,
	isWarm: true,
	preload: [],
	checkPolicy: {},
	files: { ...noFiles, from: 'item', linkHours: 24 },
};

describe('readSettings', () => {
	it('reads a new tool as the defaults of the limits table, without network and with the check', () => {
		expect(settingsOf()).toEqual(defaults);
	});

	it('reads a new step in the same way, with the data of its item and without its files', () => {
		const files = { ...noFiles, dataFrom: 'item' };
		expect(settingsOf({}, stepParameters)).toEqual({ ...defaults, files });
	});

	it('turns seconds and megabytes into the units of the contract', () => {
		expect(settingsOf({ timeout: 5, memory: 64, maxCodeLength: 1000 })).toEqual({
			...defaults,
			timeoutMs: 5_000,
			memoryBytes: 64 * 1024 * 1024,
			codeCharacters: 1000,
		});
	});

	it.each([
		['none', 'ignored.example', 'none'],
		['full', 'ignored.example', 'full'],
		[
			'hosts',
			'api.example.com, *.example.org\nexample.net:8443',
			['api.example.com', '*.example.org', 'example.net:8443'],
		],
		['hosts', ' ,', []],
		['hosts', '', []],
	])('reads network %s with hosts %j as %j', (network, allowedHosts, expected) => {
		expect(settingsOf({ network, allowedHosts }).network).toEqual(expected);
	});

	it.each([
		['api.example.com, https://x.example/path', 'https://x.example/path'],
		['*', '*'],
		['10.0.0.0/33', '10.0.0.0/33'],
		['a.example:53', 'a.example:53'],
	])('tells the author which of the allowed hosts %j is none', (allowedHosts, entry) => {
		expect(() => settingsOf({ network: 'hosts', allowedHosts })).toThrow(
			expect.objectContaining({
				code: 'CONFIG_INVALID',
				message: expect.stringContaining(`"Allowed Hosts": "${entry}" is not a host`),
			}),
		);
	});

	it('reads which modules an interpreter that waits imports, and tells the author which is none', () => {
		expect(settingsOf({ preload: 'pandas, matplotlib.pyplot\n@scope/pack' }).preload).toEqual([
			'pandas',
			'matplotlib.pyplot',
			'@scope/pack',
		]);
		expect(settingsOf({ warmStarts: false }).isWarm).toBe(false);
		expect(() => settingsOf({ preload: 'os; rm -rf /' })).toThrow('the parameter "preload" names no module: -rf');
		const many = Array.from({ length: fixedLimits.preloadedModules + 1 }, (_, index) => `m${index}`).join(',');
		expect(() => settingsOf({ preload: many })).toThrow('the parameter "preload" names more than 20 modules');
	});

	it('reads the hosts that a secret is bound to, and tells the author which is none', () => {
		const bound = (allowedHosts: string) =>
			settingsOf({ useSecrets: true, exposedSecrets: { secret: [{ name: 'KEY', allowedHosts }] } }).secrets?.exposed;
		expect(bound('api.example.com, *.example.org:8443')).toEqual([
			{ name: 'KEY', variable: 'KEY', description: '', hosts: ['api.example.com', '*.example.org:8443'] },
		]);
		expect(() => bound('10.0.0.0/8')).toThrow('"Expose As", allowed hosts of row 1: "10.0.0.0/8" is not a host');
	});

	it.each([
		['*', undefined],
		['math, *', undefined],
		['math, json', ['math', 'json']],
		['', []],
	])('reads allowed imports %j as %j', (allowedImports, expected) => {
		expect(settingsOf({ allowedImports }).allowedImports).toEqual(expected);
	});

	it('turns the check off only for a real false', () => {
		expect([false, 'false', 0, true].map((validateCode) => settingsOf({ validateCode }).check)).toEqual([
			false,
			true,
			true,
			true,
		]);
	});

	it.each([
		['timeout', 301, 'the parameter "timeout" must be a number between 1 and 300'],
		['timeout', '30', 'the parameter "timeout" must be a number between 1 and 300'],
		['memory', 1, 'the parameter "memory" must be a number between 16 and 1024'],
		['maxCodeLength', 1_000_000, 'the parameter "maxCodeLength" must be a number between 100 and 200000'],
		['language', 'ruby', 'the parameter "language" must be one of auto, python, javascript, bash'],
		['network', 'everything', 'the parameter "network" must be "none", "hosts" or "full"'],
		['allowedImports', 7, 'the parameter "allowedImports" must be a text'],
	])('refuses a hand-written workflow whose %s is %j', (name, value, details) => {
		expect(() => settingsOf({ [name]: value })).toThrow(`The configuration is not valid: ${details}.`);
	});

	it.each(['timeout', 'memory', 'network', 'allowedImports', 'validateCode', 'maxCodeLength'])(
		'refuses an expression for %s, which the model could steer',
		(name) => {
			const expression = `={{ $fromAI('${name}') }}`;
			expect(() => settingsOf({ [name]: expression })).toThrow(`"${name}" must be a fixed value, not an expression`);
		},
	);

	it('takes the language from an expression', () => {
		expect(settingsOf({ language: () => 'bash' }).language).toBe('bash');
	});

	it('refuses an expression for the allowed hosts', () => {
		expect(() => settingsOf({ network: 'hosts', allowedHosts: '={{ $json.host }}' })).toThrow(
			'"allowedHosts" must be a fixed value, not an expression',
		);
	});
});

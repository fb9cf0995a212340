import { describe, expect, it } from 'vitest';
import { allowedDevices, readDeviceList } from '../../../../nodes/RemoteShell/device-list.ts';

const listOf = (...args: Parameters<typeof readDeviceList>) => Object.fromEntries(readDeviceList(...args));

describe('the devices of a credential', () => {
	it('are the one of its fields, by its name', () => {
		expect(
			listOf('agent3', { alias: 'web-1', url: 'http://a:5000', token: 't', ca: '', fingerprint: '', devices: '' }),
		).toEqual({
			'web-1': { protocol: 'agent3', url: 'http://a:5000', ca: undefined, fingerprint: undefined, token: 't' },
		});
	});

	it('and those of its lines: a URL keeps the proof from above, an object brings its own', () => {
		const devices = '# the others\n\nweb-2 = http://b:5000\n  web-3={"url":"http://c:5000","token":"own","ca":"PEM"}\n';
		const list = listOf('agent3', { alias: 'web-1', url: 'http://a:5000', token: 't', fingerprint: 'AB', devices });
		expect(list).toEqual({
			'web-1': { protocol: 'agent3', url: 'http://a:5000', ca: undefined, fingerprint: 'AB', token: 't' },
			'web-2': { protocol: 'agent3', url: 'http://b:5000', ca: undefined, fingerprint: 'AB', token: 't' },
			'web-3': { protocol: 'agent3', url: 'http://c:5000', ca: 'PEM', fingerprint: undefined, token: 'own' },
		});
	});

	it('may be lines alone, as "agent init" printed them; a key may be an object', () => {
		const devices = 'nas = {"url":"https://n:7475","key":{"kty":"OKP"},"ca":"PEM"}';
		expect(listOf('native', { alias: 'device', url: '', devices })).toEqual({
			nas: {
				...{ protocol: 'native', url: 'https://n:7475', ca: 'PEM', fingerprint: undefined },
				...{ key: '{"kty":"OKP"}', token: undefined },
			},
		});
	});

	it('have an origin for streams of QuickCMD that is the controller, unless it is given', () => {
		const { device } = listOf('quickcmd', { url: 'https://q', secret: 's', controllerId: 'c-1', origin: '' });
		expect(device).toMatchObject({ controllerId: 'c-1', origin: 'c-1', secret: 's' });
	});

	it('of Ogent log in only where the author chose that', () => {
		const fields = { url: 'http://o', token: 't', loginUrl: 'http://l', user: 'u', password: 'p' };
		expect([
			listOf('ogent', { ...fields, proof: 'token' }),
			listOf('ogent', { ...fields, proof: 'login' }),
		]).toMatchObject([
			{ device: { token: 't', login: undefined } },
			{ device: { token: undefined, login: { url: 'http://l', user: 'u', password: 'p' } } },
		]);
	});

	it.each<[string, Record<string, unknown>, string]>([
		['no URL', { url: '', devices: '# none' }, 'the credential has no device'],
		['a line without a name', { devices: 'http://a' }, 'line 1 of "More Devices"'],
		['a line that is broken JSON', { devices: 'a = http://a\nb = {"token":"hunter2"' }, 'line 2 of "More Devices"'],
		['the same name twice', { alias: 'a', url: 'http://a', devices: 'a = http://b' }, 'two devices called a'],
		['a name with a slash', { devices: 'a/b = http://a' }, 'line 1 of "More Devices"'],
	])('are refused with %s, and no secret is repeated', (_what, fields, words) => {
		expect(() => readDeviceList('agent3', fields)).toThrow(words);
		expect(() => readDeviceList('agent3', fields)).not.toThrow('hunter2');
	});
});

describe('the devices that a node may use', () => {
	const all = readDeviceList('agent3', { devices: 'a = http://a\nb = http://b\nc = http://c' });
	const names = (allowed: string[]) => [...allowedDevices(all, allowed).keys()];

	it('are all of the credential, or those that it names, and nothing when it names nothing', () => {
		expect([names(['*']), names(['c', 'a']), names([])]).toEqual([['a', 'b', 'c'], ['c', 'a'], []]);
	});

	it('must be there', () => {
		expect(() => names(['d'])).toThrow('no device called d');
	});
});

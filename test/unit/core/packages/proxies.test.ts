import { describe, expect, it } from 'vitest';
import { proxyFinder, proxySettings } from '../../../../src/core/packages/proxies.ts';

const wayTo = (env: Record<string, string>, name: string, port = 443) => {
	const proxy = proxyFinder(proxySettings(env))?.(name, port);
	return proxy && `${proxy.isSecure ? 'https' : 'http'} ${proxy.host}:${proxy.port} ${proxy.authorization ?? '-'}`;
};

describe('the proxy of the operator', () => {
	it.each<[Record<string, string>, string, number, string | undefined]>([
		[{}, 'a.example', 443, undefined],
		[{ HTTPS_PROXY: 'http://p:3128' }, 'a.example', 443, 'http p:3128 -'],
		[{ HTTPS_PROXY: 'http://p:3128' }, 'a.example', 8443, 'http p:3128 -'],
		[{ HTTPS_PROXY: 'http://p:3128' }, 'a.example', 80, undefined],
		[{ HTTP_PROXY: 'http://p:3128' }, 'a.example', 80, 'http p:3128 -'],
		[{ ALL_PROXY: 'http://p' }, 'a.example', 80, 'http p:80 -'],
		[{ https_proxy: 'http://small', HTTPS_PROXY: 'http://big' }, 'a.example', 443, 'http small:80 -'],
		[{ HTTPS_PROXY: 'https://p' }, 'a.example', 443, 'https p:443 -'],
		[{ HTTPS_PROXY: 'p:3128' }, 'a.example', 443, 'http p:3128 -'],
		[
			{ HTTPS_PROXY: 'http://u:p%40w@p:1' },
			'a.example',
			443,
			`http p:1 Basic ${Buffer.from('u:p@w').toString('base64')}`,
		],
		[{ HTTPS_PROXY: 'http://[::1]:3128' }, 'a.example', 443, 'http ::1:3128 -'],
	])('in %j leads to %s:%i by %s', (env, name, port, way) => {
		expect(wayTo(env, name, port)).toBe(way);
	});

	it.each([
		['a.example', true],
		['b.a.example', true],
		['xa.example', false],
		['c.example', true],
		['host.with.port', false],
		['other.example', false],
	])('is not asked for what NO_PROXY names: %s is named: %s', (name, isNamed) => {
		const env = { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a.example, .c.example,host.with.port:8443' };
		expect(wayTo(env, name) === undefined).toBe(isNamed);
	});

	it('is never asked with NO_PROXY=*, and for one port alone where that is named', () => {
		expect(wayTo({ HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' }, 'a.example')).toBeUndefined();
		expect(wayTo({ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'h.example:8443' }, 'h.example', 8443)).toBeUndefined();
	});

	it('of the client counts for more than that of the environment', () => {
		const settings = proxySettings(
			{ HTTPS_PROXY: 'http://env:1', NO_PROXY: 'a' },
			{ https: 'http://own:2', except: 'b' },
		);
		expect(settings).toEqual({ http: undefined, https: 'http://own:2', except: 'b' });
	});

	it.each([
		['socks5://u:hunter2@p:1080', 'not of socks5'],
		['http://', 'is no URL'],
		['http://u:hunter2@:x', 'is no URL'],
	])('that cannot be used is refused at once, without its password: %s', (url, words) => {
		const make = () => proxyFinder(proxySettings({ HTTPS_PROXY: url }));
		expect(make).toThrow(words);
		expect(make).not.toThrow('hunter2');
	});
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Network } from '../../../../src/contract/job.ts';
import {
	hostFault,
	hostMatcher,
	type NetworkRules,
	networkRules,
	normaliseName,
} from '../../../../src/core/network/rules.ts';

const reaches = (network: Network, name: string, port: number): boolean => {
	const rules = networkRules(network);
	return rules.allowsName(name) && rules.allowsPort(name, port);
};

describe('a list of hosts', () => {
	it.each<[string, string, number, boolean]>([
		['api.example.com', 'api.example.com', 443, true],
		['api.example.com', 'api.example.com', 80, true],
		['api.example.com', 'api.example.com', 8080, false],
		['api.example.com', 'api.example.com', 22, false],
		['api.example.com', 'example.com', 443, false],
		['api.example.com', 'x.api.example.com', 443, false],
		['api.example.com', 'api.example.com.evil.test', 443, false],
		['api.example.com', 'apixexample.com', 443, false],
		['API.Example.COM.', 'api.example.com', 443, true],
		['*.example.com', 'a.example.com', 443, true],
		['*.example.com', 'a.b.example.com', 443, true],
		['*.example.com', 'example.com', 443, false],
		['*.example.com', 'evilexample.com', 443, false],
		['*.example.com:8443', 'a.example.com', 8443, true],
		['*.example.com:8443', 'a.example.com', 443, false],
		['example.com:2525', 'example.com', 2525, true],
		['example.com:2525', 'example.com', 80, false],
		['bücher.example', 'xn--bcher-kva.example', 443, true],
		['xn--bcher-kva.example', 'xn--bcher-kva.example', 443, true],
		['_dmarc.example.com', '_dmarc.example.com', 443, true],
		['n8n', 'n8n', 443, true],
	])('%s: %s:%i is %s', (entry, name, port, expected) => {
		expect(reaches([entry], name, port)).toBe(expected);
		expect(hostMatcher([entry])(name, port)).toBe(expected);
	});

	it('listens for names and on the ports of its hosts, and on nothing else', () => {
		const portsOf = (network: Network) => networkRules(network).ports;
		expect(portsOf('none')).toEqual([]);
		expect(portsOf([])).toEqual([]);
		expect(portsOf(['10.0.0.0/8'])).toEqual([]);
		expect(portsOf(['a.example', 'b.example:2525', 'c.example'])).toEqual([53, 80, 443, 2525]);
	});

	it('repeats the author’s words', () => {
		expect(networkRules(['A.example', '10.0.0.0/8']).allowed).toEqual(['A.example', '10.0.0.0/8']);
	});

	it.each([
		...['', ' ', '*', '*.', '**.example.com', 'a.*.example.com', 'https://example.com', 'example.com/path'],
		...['user@example.com', 'example.com:', 'example.com:0', 'example.com:65536', 'example.com:53', 'example.com:x'],
		...['example.com..', '.example.com', '-a.example', `${'a'.repeat(64)}.example`, 'a b', 'a\nb', 'a\0b', '1.2.3'],
		...[
			'10.0.0.1:80',
			'[::1]:80',
			'10.0.0.0/33',
			'10.0.0.0/-1',
			'10.0.0.0/8/8',
			'10.0.0.0/',
			'::1/129',
			'fe80::1%eth0',
		],
		...['0x7f.1', '2130706433', '127.1', '*.127.0.0.1', '１２７.0.0.1', 'ex%2fample.com'],
	])('is refused for %j, which is named', (entry) => {
		const fault = `"${entry}" is not a host; write example.com, *.example.com, example.com:8443 or an address range`;
		expect(hostFault(['ok.example', entry], { ranges: true })).toBe(fault);
		expect(() => networkRules([entry])).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
	});

	it('takes addresses and ranges only where they are of use', () => {
		expect(hostFault(['10.0.0.0/8', '::1', 'fd00::/8', '0.0.0.0/0'], { ranges: true })).toBeUndefined();
		expect(hostFault(['10.0.0.1'], { ranges: false })).toContain('"10.0.0.1" is not a host');
	});

	it('never fails but by naming the entry', () => {
		fc.assert(fc.property(fc.string(), (entry) => hostFault([entry], { ranges: true })?.includes(entry) ?? true));
	});
});

const privateAddresses = [
	...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.0.1'],
	...['169.254.169.254', '169.254.0.1', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.88.99.1'],
	...['192.168.1.1', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255'],
	...['240.0.0.1', '255.255.255.255', '::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'ff02::1'],
	// Addresses of version 4 in the clothes of version 6.
	...[
		'::ffff:10.0.0.1',
		'::ffff:169.254.169.254',
		'::ffff:7f00:1',
		'::ffff:8.8.8.8',
		'::127.0.0.1',
		'::ffff:0:10.0.0.1',
	],
	...[
		'64:ff9b::a9fe:a9fe',
		'64:ff9b::808:808',
		'64:ff9b:1::1',
		'2002:a9fe:a9fe::1',
		'2002:808:808::1',
		'2001:0:4136::1',
	],
	...['2001:db8::1', '2001:10::1', '3fff::1', '100::1', '5f00::1', 'fec0::1'],
];
const publicAddresses = [
	...['1.1.1.1', '8.8.8.8', '93.184.0.10', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1', '198.20.0.1'],
	...['2606:4700:4700::1111', '2a00:1450:4001::1', '2001:4860:4860::8888', '2003::1'],
];
const lists: [string, NetworkRules][] = [
	['a list', networkRules(['a.example'])],
	['"full"', networkRules('full')],
];

describe.each(lists)('with %s', (_name, rules) => {
	it('no name may lead to a private or special address', () => {
		expect(privateAddresses.filter((address) => rules.allowsAddress(address))).toEqual([]);
	});

	it('names may lead to public addresses', () => {
		expect(publicAddresses.filter((address) => !rules.allowsAddress(address))).toEqual([]);
	});

	it('what is no address is none', () => {
		expect(['', 'localhost', '1.2.3', '999.1.1.1', '8.8.8.8 '].filter((text) => rules.allowsAddress(text))).toEqual([]);
	});
});

describe('an address that the author listed', () => {
	it.each([
		['10.0.0.5', '10.0.0.5', true],
		['10.0.0.5', '10.0.0.6', false],
		['10.1.0.0/16', '10.1.255.1', true],
		['10.1.0.0/16', '10.2.0.1', false],
		['10.1.0.0/16', '::ffff:10.2.0.1', false],
		['169.254.169.254', '169.254.169.254', true],
		['fd00::/8', 'fd12::1', true],
		['fd00::/8', 'fe80::1', false],
		['::1', '127.0.0.1', false],
	])('%s: a name may lead to %s: %s', (entry, address, expected) => {
		expect(networkRules(['a.example', entry]).allowsAddress(address)).toBe(expected);
	});
});

describe('"full"', () => {
	it('knows every name, and the ports that programs ordinarily use', () => {
		expect([80, 443, 22, 5432].map((port) => reaches('full', 'anything.example', port))).toEqual([
			true,
			true,
			true,
			true,
		]);
		expect([53, 1, 445, 65_535].map((port) => reaches('full', 'anything.example', port))).toEqual([
			...[false, false, false, false],
		]);
		expect(networkRules('full').allowsName('')).toBe(false);
	});
});

describe('normaliseName', () => {
	it.each([
		['API.Example.com.', 'api.example.com'],
		['BÜCHER.example', 'xn--bcher-kva.example'],
		['a..b', 'a..b'],
		['a b', ''],
		['', ''],
	])('turns %j into %j', (name, expected) => {
		expect(normaliseName(name)).toBe(expected);
	});
});

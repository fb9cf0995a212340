import { describe, expect, it } from 'vitest';
import { isAtOrBelow, isBelow, mountsBelow, parseMounts, pathsOf } from '../../../../src/core/host/mounts.ts';

const text = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /proc rw - proc proc rw
24 22 0:30 / /srv/data rw master:2 - tmpfs none rw
25 24 0:31 / /srv/data/in\\040side rw - tmpfs none rw
26 22 254:0 /var/lib/agent /mnt/again rw - ext4 /dev/vda rw
27 22 254:0 /var /mnt/var rw - ext4 /dev/vda rw
28 24 0:32 / /srv/data rw - tmpfs none rw
garbage
`;

describe('parseMounts', () => {
	it('reads where each mount lies and what it shows; what lies over another replaces it', () => {
		expect(parseMounts(text)).toEqual([
			{ point: '/', device: '254:0', root: '/', type: 'ext4' },
			{ point: '/proc', device: '0:21', root: '/', type: 'proc' },
			{ point: '/srv/data/in side', device: '0:31', root: '/', type: 'tmpfs' },
			{ point: '/mnt/again', device: '254:0', root: '/var/lib/agent', type: 'ext4' },
			{ point: '/mnt/var', device: '254:0', root: '/var', type: 'ext4' },
			{ point: '/srv/data', device: '0:32', root: '/', type: 'tmpfs' },
		]);
	});

	it('reads nothing from nothing', () => {
		expect(parseMounts('')).toEqual([]);
	});
});

describe('mountsBelow', () => {
	it('finds what a bind of a folder brings along, outer ones first', () => {
		const points = (folder: string) => mountsBelow(parseMounts(text), folder).map(({ point }) => point);
		expect([points('/srv'), points('/srv/data'), points('/srv/dat'), points('/usr')]).toEqual([
			['/srv/data', '/srv/data/in side'],
			['/srv/data/in side'],
			[],
			[],
		]);
	});
});

describe('pathsOf', () => {
	it('finds all ways to a folder that was mounted a second time, alone or within another', () => {
		expect(pathsOf(parseMounts(text), '/var/lib/agent')).toEqual([
			'/var/lib/agent',
			'/mnt/again',
			'/mnt/var/lib/agent',
		]);
		expect(pathsOf(parseMounts(text), '/mnt/again/keys')).toEqual([
			'/mnt/again/keys',
			'/var/lib/agent/keys',
			'/mnt/var/lib/agent/keys',
		]);
		expect(pathsOf(parseMounts(text), '/srv/data/x')).toEqual(['/srv/data/x']);
		expect(pathsOf([], '/x')).toEqual(['/x']);
	});
});

describe('below', () => {
	it.each([
		['/a/b', '/a', true, true],
		['/a', '/a', false, true],
		['/ab', '/a', false, false],
		['/a', '/', true, true],
		['/', '/', false, true],
		['/a', '/a/b', false, false],
	])('%s in %s: %s, at or below: %s', (path, folder, below, atOrBelow) => {
		expect([isBelow(path, folder), isAtOrBelow(path, folder)]).toEqual([below, atOrBelow]);
	});
});

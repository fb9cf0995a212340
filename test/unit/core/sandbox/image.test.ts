import {
	accessSync,
	constants,
	existsSync,
	lstatSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildImage, devices, type Image, initPath } from '../../../../src/core/sandbox/image.ts';

describe.runIf(process.platform === 'linux')('buildImage', () => {
	let image: Image;
	beforeAll(async () => {
		const home = mkdtempSync(join(tmpdir(), 'secure-code-test-'));
		image = await buildImage(home);
		return () => rmSync(home, { recursive: true, force: true });
	});

	const read = (path: string): string => readFileSync(join(image.root, path), 'utf8');

	it('knows one user beside root, and nobody of this host', () => {
		expect(read('/etc/passwd')).toBe('root:x:0:0:root:/:/usr/bin/false\nsandbox:x:1000:1000::/work:/usr/bin/bash\n');
		expect(existsSync(join(image.root, 'etc/shadow'))).toBe(false);
	});

	it('has these folders at its top and no others: no home, no variable data', () => {
		const known = ['bin', 'code', 'dev', 'etc', 'lib', 'lib64', 'opt', 'proc', 'sbin', 'tmp', 'usr', 'work'];
		expect(readdirSync(image.root).filter((name) => !known.includes(name))).toEqual([]);
	});

	it('shows folders of libraries and interpreters only', () => {
		const homes = ['/etc', '/home', '/root', '/var', '/run', '/proc', '/sys', '/dev', '/boot', '/mnt', '/media'];
		const shown = Object.values(image.binds).filter((path) => !path.startsWith(`${image.root}/`));
		expect(shown.filter((path) => homes.includes(path) || path === '/')).toEqual([]);
		expect(shown.every((path) => statSync(path).isDirectory())).toBe(true);
	});

	it('has a place for everything that is mounted', () => {
		const places = [...devices.map((name) => `/dev/${name}`), ...Object.keys(image.binds), '/work', '/tmp', '/proc'];
		expect(places.filter((path) => !existsSync(join(image.root, path)))).toEqual([]);
	});

	it('holds the first process of a jail, which every user may start', () => {
		const path = join(image.root, initPath);
		accessSync(path, constants.X_OK);
		expect([lstatSync(path).isFile(), statSync(path).mode & 0o555]).toEqual([true, 0o555]);
	});

	it('holds no program that could make its user another one', () => {
		const programs = readdirSync(join(image.root, 'usr/bin'));
		expect(['su', 'sudo', 'mount', 'umount', 'passwd', 'newuidmap'].filter((name) => programs.includes(name))).toEqual(
			[],
		);
		const changing = programs.filter((name) => {
			const found = lstatSync(join(image.root, 'usr/bin', name));
			return found.isFile() && (found.mode & 0o6000) !== 0;
		});
		expect(changing).toEqual([]);
	});

	it('is laid out once', async () => {
		expect((await buildImage(join(image.root, '..', '..'))).root).toBe(image.root);
	});
});

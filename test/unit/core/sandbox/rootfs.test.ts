import {
	chmodSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type RootfsPlan, stageRootfs } from '../../../../src/core/sandbox/rootfs.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o7777;

/** Everything below a folder; links are named, not followed. */
const pathsBelow = (folder: string): string[] =>
	readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		return entry.isDirectory() ? [path, ...pathsBelow(path)] : [path];
	});

describe('stageRootfs', () => {
	let home: string;
	let plan: RootfsPlan;
	beforeEach(() => {
		home = tempFolder();
		const host = tempFolder();
		writeFileSync(join(host, 'tool'), '#!', { mode: 0o755 });
		writeFileSync(join(host, 'secretive'), 'x', { mode: 0o700 });
		plan = {
			hostFiles: { '/usr/bin/tool': join(host, 'tool'), '/usr/bin/secretive': join(host, 'secretive') },
			texts: { '/etc/hosts': '127.0.0.1 localhost\n' },
			links: { '/bin': 'usr/bin' },
			folders: ['/work', '/opt/packages'],
			mountedFiles: ['/dev/null'],
		};
	});

	it('lays out what is planned and nothing else', async () => {
		const root = await stageRootfs(home, plan);
		const paths = pathsBelow(root).map((path) => relative(root, path));
		expect(paths.sort()).toEqual([
			...['bin', 'dev', 'dev/null', 'etc', 'etc/hosts', 'opt', 'opt/packages'],
			...['usr', 'usr/bin', 'usr/bin/secretive', 'usr/bin/tool', 'work'],
		]);
		expect([readlinkSync(join(root, 'bin')), readFileSync(join(root, 'etc/hosts'), 'utf8')]).toEqual([
			'usr/bin',
			'127.0.0.1 localhost\n',
		]);
	});

	it('shows real files, not links to the host', async () => {
		const root = await stageRootfs(home, plan);
		expect(lstatSync(join(root, 'usr/bin/tool')).isFile()).toBe(true);
	});

	it('lets the user of a jail read and run it, and nobody write it, whatever the umask', async () => {
		const before = process.umask(0o077);
		const root = await stageRootfs(home, plan).finally(() => process.umask(before));
		const paths = ['', 'etc', 'usr/bin', 'etc/hosts', 'dev/null', 'usr/bin/secretive'];
		expect(paths.map((path) => modeOf(join(root, path)))).toEqual([0o755, 0o755, 0o755, 0o444, 0o444, 0o555]);
	});

	it('changes nothing of a host folder that a link points to', async () => {
		const host = join(tempFolder(), 'host');
		mkdirSync(join(host, 'private'), { recursive: true, mode: 0o700 });
		await stageRootfs(home, { ...plan, links: { '/opt/link': host } });
		expect([host, join(host, 'private')].map(modeOf)).toEqual([0o700, 0o700]);
	});

	it('leaves the host file as it was', async () => {
		const path = plan.hostFiles['/usr/bin/secretive'] ?? '';
		await stageRootfs(home, plan);
		expect(modeOf(path)).toBe(0o700);
	});

	it('is laid out once for the same plan', async () => {
		const root = await stageRootfs(home, plan);
		writeFileSync(join(root, 'mark'), '');
		expect([await stageRootfs(home, plan), readdirSync(root).includes('mark')]).toEqual([root, true]);
	});

	it('is laid out anew when the plan or a file of the host has changed', async () => {
		const first = await stageRootfs(home, plan);
		const second = await stageRootfs(home, { ...plan, folders: [...plan.folders, '/more'] });
		writeFileSync(plan.hostFiles['/usr/bin/tool'] ?? '', '#!/bin/sh');
		const third = await stageRootfs(home, plan);
		expect(new Set([first, second, third]).size).toBe(3);
	});

	it('is laid out once when many ask at the same time, and no draft stays behind', async () => {
		const roots = await Promise.all(Array.from({ length: 5 }, () => stageRootfs(home, plan)));
		expect(new Set(roots).size).toBe(1);
		expect(readdirSync(join(home, 'rootfs')).map((name) => join(home, 'rootfs', name))).toEqual([roots[0]]);
	});

	it('opens a data folder that was closed to others', async () => {
		chmodSync(home, 0o700);
		await stageRootfs(home, plan);
		expect([home, join(home, 'rootfs')].map(modeOf)).toEqual([0o755, 0o755]);
	});
});

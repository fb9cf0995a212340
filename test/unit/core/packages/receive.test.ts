import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Header, pack } from 'tar-stream';
import { expect, it } from 'vitest';
import { receiveTree } from '../../../../src/core/packages/receive.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

function archive(entries: readonly (Partial<Header> & { name: string; content?: string })[]) {
	const packer = pack();
	for (const { content, ...header } of entries) packer.entry(header, content ?? '');
	packer.finalize();
	return packer as never;
}

it('lays out files and folders that all can read and none can run', async () => {
	const folder = tempFolder();
	await receiveTree(
		archive([
			{ name: './', type: 'directory' },
			{ name: './site/', type: 'directory', mode: 0o700 },
			{ name: './site/a.py', mode: 0o4777, content: 'x' },
		]),
		folder,
	);
	const path = join(folder, 'site', 'a.py');
	expect([
		readFileSync(path, 'utf8'),
		statSync(path).mode & 0o7777,
		statSync(join(folder, 'site')).mode & 0o777,
	]).toEqual(['x', 0o644, 0o755]);
});

it('leaves links, pipes and devices out', async () => {
	const folder = tempFolder();
	const types = ['symlink', 'link', 'fifo', 'character-device'] as const;
	await receiveTree(archive(types.map((type) => ({ name: type, type, linkname: '/etc/passwd' }))), folder);
	expect(readdirSync(folder)).toEqual([]);
});

it('refuses a name that leads out, and a file in the place of another', async () => {
	const folder = join(tempFolder(), 'in');
	await expect(receiveTree(archive([{ name: '../out', content: 'x' }]), folder)).rejects.toThrow('leads out');
	expect(existsSync(join(folder, '..', 'out'))).toBe(false);
	await expect(receiveTree(archive([{ name: 'a' }, { name: 'a' }]), folder)).rejects.toThrow('EEXIST');
});

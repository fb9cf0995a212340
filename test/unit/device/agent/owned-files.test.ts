import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createOwned, writeOwned } from '../../../../src/device/agent/owned-files.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

describe('writeOwned', () => {
	it('replaces a file in one step and leaves nothing beside it', () => {
		const dir = tempFolder();
		writeFileSync(join(dir, 'a'), 'old', { mode: 0o644 });
		writeOwned(join(dir, 'a'), 'new', 0o600);
		expect([readFileSync(join(dir, 'a'), 'utf8'), statSync(join(dir, 'a')).mode & 0o777, readdirSync(dir)]).toEqual([
			'new',
			0o600,
			['a'],
		]);
	});

	it.skipIf(process.getuid?.() !== 0)('gives it to the owner of the folder when root writes', () => {
		const dir = tempFolder();
		chownSync(dir, 65_534, 65_533);
		writeOwned(join(dir, 'a'), 'new', 0o600);
		const { uid, gid } = statSync(join(dir, 'a'));
		expect([uid, gid]).toEqual([65_534, 65_533]);
	});

	it('keeps the old file when the new one cannot be written', () => {
		const dir = tempFolder();
		mkdirSync(join(dir, 'a'));
		expect(() => writeOwned(join(dir, 'a'), 'new', 0o600)).toThrow('cannot be written by this user');
		expect(readdirSync(dir)).toEqual(['a']);
	});
});

it('createOwned overwrites nothing', () => {
	const dir = tempFolder();
	createOwned(join(dir, 'a'), 'one', 0o600);
	expect(() => createOwned(join(dir, 'a'), 'two', 0o600)).toThrow('is there already');
	expect(readFileSync(join(dir, 'a'), 'utf8')).toBe('one\n'.trim());
});

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
	dataHome,
	dataHomes,
	isEnterableByOthers,
	isReachableByOthers,
	isRoot,
	isWritableFolder,
} from '../../../../src/core/host/folders.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

describe('the data folder', () => {
	it('is what the setting says', () => {
		expect(dataHome({ SECURE_CODE_HOME: '/srv/code' })).toBe('/srv/code');
	});

	it.runIf(isRoot())("is root's when nothing is set, where every jail user may enter", () => {
		expect(dataHome({ XDG_DATA_HOME: '/elsewhere' })).toBe('/var/lib/secure-code');
	});

	it.skipIf(isRoot())("is the user's own when nothing is set", () => {
		const folders = [dataHome({ XDG_DATA_HOME: '/elsewhere' }), dataHome({})];
		expect(folders).toEqual(['/elsewhere/secure-code', join(homedir(), '.local/share/secure-code')]);
	});

	it("is searched before the system's, and no folder twice", () => {
		expect([dataHomes({ SECURE_CODE_HOME: '/a' }), dataHomes({ SECURE_CODE_HOME: '/var/lib/secure-code' })]).toEqual([
			['/a', '/var/lib/secure-code'],
			['/var/lib/secure-code'],
		]);
	});
});

describe('what other users can reach', () => {
	it('is a folder whose parents are all open', () => {
		const folder = join(tempFolder(), 'a', 'b');
		mkdirSync(folder, { recursive: true });
		const before = isEnterableByOthers(folder);
		chmodSync(join(folder, '..'), 0o700);
		expect([before, isEnterableByOthers(folder)]).toEqual([true, false]);
	});

	it('is judged by the parents for a folder that does not exist yet', () => {
		const parent = tempFolder();
		const before = isEnterableByOthers(join(parent, 'new', 'deeper'));
		chmodSync(parent, 0o700);
		expect([before, isEnterableByOthers(join(parent, 'new', 'deeper'))]).toEqual([true, false]);
	});

	it('is a file that may be read, in such a folder', () => {
		const folder = tempFolder();
		writeFileSync(join(folder, 'open'), '', { mode: 0o644 });
		writeFileSync(join(folder, 'private'), '', { mode: 0o640 });
		const reachable = ['open', 'private', 'missing'].map((name) => isReachableByOthers(join(folder, name)));
		expect(reachable).toEqual([true, false, false]);
	});
});

describe('isWritableFolder', () => {
	it('judges a folder that does not exist yet by the one it would be made in', () => {
		expect(isWritableFolder(join(tempFolder(), 'a', 'b'))).toBe(true);
	});

	it.each(['/proc/x', '/proc/self/x/y', '/etc/passwd', '/etc/passwd/x'])('says no to %s without trying', (path) => {
		expect(isWritableFolder(path)).toBe(false);
	});
});

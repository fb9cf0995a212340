import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyFile, placeOf } from '../../../../src/core/sessions/key.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

describe('the key of a data folder', () => {
	it('is made once, and read by its owner alone', () => {
		const home = tempFolder();
		const key = keyFile(home);
		expect([key.length, keyFile(home).equals(key), statSync(join(home, 'session.key')).mode & 0o777]).toEqual([
			32,
			true,
			0o600,
		]);
		expect(keyFile(tempFolder()).equals(key)).toBe(false);
	});

	it('is refused when others can read it, or when it is damaged', () => {
		const home = tempFolder();
		keyFile(home);
		const path = join(home, 'session.key');
		chmodSync(path, 0o644);
		expect(() => keyFile(home)).toThrow('others can read the key');
		chmodSync(path, 0o600);
		writeFileSync(path, readFileSync(path, 'utf8').slice(3));
		expect(() => keyFile(home)).toThrow('damaged');
	});
});

describe('the place of a session', () => {
	it('is another for another owner, key and instance, and tells nothing of them', () => {
		const master = keyFile(tempFolder());
		const places = [
			placeOf(master, ['w1', 'n1'], 'ana'),
			placeOf(master, ['w1', 'n1'], 'luis'),
			placeOf(master, ['w1', 'n2'], 'ana'),
			placeOf(master, ['w1n1'], 'ana'),
			placeOf(master, ['w1', 'n1', 'ana'], ''),
			placeOf(keyFile(tempFolder()), ['w1', 'n1'], 'ana'),
		];
		expect(new Set(places.map(({ id }) => id)).size).toBe(places.length);
		expect(placeOf(master, ['w1', 'n1'], 'ana')).toEqual(places[0]);
		expect(JSON.stringify(places)).toMatch(/^[[\]{}",:a-z0-9]+$/);
		expect(JSON.stringify(places)).not.toContain('ana');
	});
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { locateNsjail, nsjailBinary } from '../../../../../../src/core/sandbox/backends/nsjail/locate.ts';
import { tempFolder } from '../../../../../helpers/temp-folder.ts';

function program(path: string, mode = 0o755): string {
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, '#!/bin/sh\n', { mode });
	return path;
}

describe('locateNsjail', () => {
	let home: string;
	let bin: string;
	beforeEach(() => {
		home = tempFolder();
		bin = tempFolder();
		program(nsjailBinary(home));
	});

	it('takes what setup brought', async () => {
		expect(await locateNsjail({ SECURE_CODE_HOME: home })).toBe(nsjailBinary(home));
	});

	it('prefers what is on PATH', async () => {
		const path = program(join(bin, 'nsjail'));
		expect(await locateNsjail({ SECURE_CODE_HOME: home, PATH: `relative:${bin}` })).toBe(path);
	});

	it('prefers the setting to everything', async () => {
		program(join(bin, 'nsjail'));
		const path = program(join(bin, 'my-nsjail'));
		expect(await locateNsjail({ SECURE_CODE_NSJAIL: path, SECURE_CODE_HOME: home, PATH: bin })).toBe(path);
	});

	it('finds nothing when the setting points nowhere, rather than something else', async () => {
		expect(await locateNsjail({ SECURE_CODE_NSJAIL: join(bin, 'gone'), SECURE_CODE_HOME: home })).toBeUndefined();
	});

	it('does not take a file that cannot be executed', async () => {
		const path = program(join(bin, 'nsjail'), 0o644);
		expect(await locateNsjail({ SECURE_CODE_NSJAIL: path })).toBeUndefined();
	});
});

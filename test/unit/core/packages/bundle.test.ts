import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
	type Bundle,
	bundleFolder,
	bundlesWith,
	emptyBundle,
	findBundle,
	readBundle,
	readBundles,
	requireBundleName,
	writeBundle,
} from '../../../../src/core/packages/bundle.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const python = (name: string): Bundle => ({
	...emptyBundle,
	python: { names: [name], set: 'python-0123456789ab', version: '3.11.2', modules: [name], lock: [] },
});

describe('a bundle', () => {
	it('is read as it was written, and shown by its folders, modules and names', async () => {
		const home = tempFolder();
		await writeBundle(home, 'data', python('pandas'));
		expect(readBundle(home, 'data')).toEqual(python('pandas'));
		expect(findBundle([tempFolder(), home], 'data')).toEqual({
			python: join(bundleFolder(home, 'data'), 'python-0123456789ab'),
			javascript: undefined,
			modules: ['pandas'],
			names: ['pandas'],
			pythonVersion: '3.11.2',
		});
	});

	it('comes from the first data folder that has it', async () => {
		const homes = [tempFolder(), tempFolder()];
		for (const [index, home] of homes.entries()) await writeBundle(home, 'data', python(`p${index}`));
		await writeBundle(homes[1] ?? '', 'web', python('requests'));
		expect(findBundle(homes, 'data')?.names).toEqual(['p0']);
		expect(Object.keys(readBundles(homes))).toEqual(['data', 'web']);
		expect(bundlesWith(homes, 'python', 'requests')).toEqual(['web']);
		expect(bundlesWith(homes, 'javascript', 'requests')).toEqual([]);
	});

	it('of nothing is gone', async () => {
		const home = tempFolder();
		await writeBundle(home, 'data', python('pandas'));
		await writeBundle(home, 'data', emptyBundle);
		expect([existsSync(bundleFolder(home, 'data')), findBundle([home], 'data')]).toEqual([false, undefined]);
	});

	it('with a list that cannot be read, or that names a folder elsewhere, is for the operator to mend', () => {
		const home = tempFolder();
		mkdirSync(bundleFolder(home, 'data'), { recursive: true });
		const stray = JSON.stringify({ ...python('a'), python: { ...python('a').python, set: '../../etc' } });
		for (const text of ['{', '[]', stray]) {
			writeFileSync(join(bundleFolder(home, 'data'), 'bundle.json'), text);
			expect(() => readBundle(home, 'data')).toThrow('the list of the bundle "data" is not a lock of packages');
		}
	});

	it.each(['', '..', 'A', 'a/b', '-a', 'x'.repeat(42)])('cannot be called %j', (name) => {
		expect(() => requireBundleName(name)).toThrow('cannot name a bundle');
	});
});

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
	packageFolder,
	readPackages,
	setPackages,
	withoutPackages,
	withPackages,
} from '../../../../src/core/sandbox/packages.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

describe('withPackages', () => {
	it('adds names in order of the alphabet', () => {
		expect(withPackages(['numpy'], ['pandas', 'attrs'])).toEqual(['attrs', 'numpy', 'pandas']);
	});

	it('replaces an earlier wish for the same package, however it is spelled', () => {
		const old = ['numpy==1.0', 'Scikit_Learn>=1', 'ruamel.yaml[jinja2]'];
		const added = ['numpy', 'scikit-learn', 'ruamel-yaml'];
		expect(withPackages(old, added)).toEqual(['numpy', 'ruamel-yaml', 'scikit-learn']);
	});
});

describe('withoutPackages', () => {
	it('takes away what is named, whatever its version, and nothing that only begins alike', () => {
		expect(withoutPackages(['numpy==1.0', 'numpy-financial'], ['NumPy'])).toEqual(['numpy-financial']);
	});
});

describe('setPackages', () => {
	/** Stands in for Python with pip: lays a module into the folder behind --target, or fails. */
	function fakePython(exitCode = 0): { path: string; version: string } {
		const path = join(tempFolder(), 'python3');
		const script = `#!/bin/sh
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/module" && echo > "$2/module/__init__.py" && chmod 700 "$2" "$2/module"
exit ${exitCode}
`;
		writeFileSync(path, script, { mode: 0o755 });
		return { path, version: '3.11.2' };
	}

	it.each([
		'--index-url=http://evil',
		'-r',
		'../evil',
		'/etc/passwd',
		'git+https://evil/x',
		'https://evil/x.whl',
		'a b',
		'name @ file:///x',
		'',
		'a;python_version>"3"',
		'-',
	])('refuses %j, which is no name of a package', async (name) => {
		const home = tempFolder();
		await expect(setPackages(home, [name], fakePython())).rejects.toThrow(`"${name}" is not the name of a package`);
		expect(readdirSync(home)).toEqual([]);
	});

	it.each(['pandas', 'pandas==2.2.3', 'numpy>=1,<3', 'ruamel.yaml', 'requests[socks]~=2.0', 'A', 'x!=1.*'])(
		'takes %j',
		async (name) => {
			expect((await setPackages(tempFolder(), [name], fakePython())).names).toEqual([name]);
		},
	);

	it('remembers what it brought, and shows the folder to mount', async () => {
		const home = tempFolder();
		const index = await setPackages(home, ['attrs'], fakePython());
		expect(index).toEqual({ names: ['attrs'], set: expect.stringMatching(/^[0-9a-f]{12}$/), python: '3.11.2' });
		expect(readPackages(home)).toEqual(index);
		const folder = packageFolder([tempFolder(), home]) ?? '';
		expect(readdirSync(folder, { recursive: true })).toEqual(['module', join('module', '__init__.py')]);
	});

	it('switches over as a whole and removes the set before', async () => {
		const home = tempFolder();
		const python = fakePython();
		await setPackages(home, ['attrs'], python);
		const { set } = await setPackages(home, ['attrs', 'numpy'], python);
		expect(readdirSync(join(home, 'packages', 'python')).sort()).toEqual([set, 'index.json'].sort());
	});

	it('leaves the old set in use when pip fails', async () => {
		const home = tempFolder();
		const before = await setPackages(home, ['attrs'], fakePython());
		await expect(setPackages(home, ['attrs', 'nope'], fakePython(1))).rejects.toThrow(
			'pip could not bring attrs, nope',
		);
		expect(readPackages(home)).toEqual(before);
		expect(existsSync(packageFolder([home]) ?? '')).toBe(true);
	});

	it('leaves nothing of a set that pip could not bring', async () => {
		const home = tempFolder();
		await expect(setPackages(home, ['nope'], fakePython(1))).rejects.toThrow('pip could not bring nope');
		expect(readdirSync(join(home, 'packages', 'python'))).toEqual([]);
	});

	it('mounts nothing once the last package is removed', async () => {
		const home = tempFolder();
		await setPackages(home, ['attrs'], fakePython());
		expect(await setPackages(home, [], fakePython())).toEqual({ names: [], set: null, python: null });
		expect(packageFolder([home])).toBeUndefined();
	});
});

describe('readPackages', () => {
	it('finds nothing where nothing was set', () => {
		expect(readPackages(tempFolder())).toEqual({ names: [], set: null, python: null });
	});

	it.each(['{"names":1}', 'not json'])('says so when the list reads %j', (text) => {
		const home = tempFolder();
		mkdirSync(join(home, 'packages', 'python'), { recursive: true });
		writeFileSync(join(home, 'packages', 'python', 'index.json'), text);
		expect(() => readPackages(home)).toThrow('the list of packages cannot be read');
	});
});

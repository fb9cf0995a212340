import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../../../src/core/packages/bundle.ts';
import {
	javascriptRecipe,
	pythonModules,
	pythonRecipe,
	readNpmLock,
	readPipReport,
} from '../../../../src/core/packages/recipes.ts';

const part = { names: ['six'], set: 'python-0123456789ab', version: '3.11.2', modules: ['six'] };
const lock: Bundle = {
	python: { ...part, lock: [{ name: 'six', version: '1.17.0', hash: 'abc' }] },
	javascript: { ...part, names: ['ms'], lock: [], lockFile: { lockfileVersion: 3 } },
};

describe('the recipe for Python', () => {
	it('takes wheels only, by name, and pins them by hash where there is a lock', () => {
		const free = pythonRecipe({ names: ['six', 'pandas>=2'] });
		expect(free.files).toEqual({ 'requirements.txt': 'six\npandas>=2\n' });
		expect(free.script).toContain('--only-binary=:all:');
		expect(free.script).not.toContain('--require-hashes');
		const locked = pythonRecipe({ names: ['six'], lock });
		expect(locked.files).toEqual({ 'requirements.txt': 'six==1.17.0 --hash=sha256:abc\n' });
		expect(locked.script).toContain('--require-hashes --no-deps');
	});
});

describe('the recipe for Python of a bundle that is there', () => {
	const pins = [
		{ name: 'numpy', version: '1.26.0', hash: 'a' },
		{ name: 'torch', version: '2.4.0+cpu', hash: 'b' },
	];

	it('keeps what it has at its version, and says nothing of it where there is nothing', () => {
		const { files, script } = pythonRecipe({ names: ['pandas'], keep: { pins } });
		expect(files).toEqual({
			'requirements.txt': 'pandas\n',
			'constraints.txt': 'numpy==1.26.0\ntorch==2.4.0+cpu\n',
		});
		expect(script).toContain('--constraint /work/in/constraints.txt');
		expect(pythonRecipe({ names: ['pandas'], keep: { pins: [] } })).toEqual(pythonRecipe({ names: ['pandas'] }));
	});
});

describe('the recipe for JavaScript', () => {
	it('keeps what a bundle has at its version, unless another one was asked for', () => {
		const pins = [
			{ name: 'ms', version: '2.0.0', hash: 'sha512-x' },
			{ name: 'lodash', version: '4.0.0', hash: 'sha512-y' },
		];
		const { files, script } = javascriptRecipe({
			names: ['ms', 'lodash@4', 'new'],
			keep: { pins, lockFile: { lockfileVersion: 3 } },
		});
		expect(JSON.parse(files['package.json'] ?? '')).toEqual({
			private: true,
			dependencies: { ms: '2.0.0', lodash: '4', new: 'latest' },
		});
		expect([files['package-lock.json'], script.includes('npm-cli.js install')]).toEqual([
			'{"lockfileVersion":3}',
			true,
		]);
	});

	it('asks for the packages of a lock as that was asked for', () => {
		const lockFile = { lockfileVersion: 3, packages: { '': { dependencies: { ms: '2.0.0' } } } };
		const bundle: Bundle = { python: null, javascript: { ...part, lock: [], lockFile } };
		const { files } = javascriptRecipe({ names: ['ms'], lock: bundle });
		expect(JSON.parse(files['package.json'] ?? '')).toEqual({ private: true, dependencies: { ms: '2.0.0' } });
	});

	it('runs no script of a package, and installs exactly the lock where there is one', () => {
		const free = javascriptRecipe({ names: ['ms', '@a/b@^1'] });
		expect(JSON.parse(free.files['package.json'] ?? '')).toEqual({
			private: true,
			dependencies: { ms: 'latest', '@a/b': '^1' },
		});
		expect(free.script).toContain('npm-cli.js install --ignore-scripts');
		const locked = javascriptRecipe({ names: ['ms'], lock });
		expect(locked.files['package-lock.json']).toBe('{"lockfileVersion":3}');
		expect(locked.script).toContain('npm-cli.js ci --ignore-scripts');
	});
});

it('is a script that Bash understands, and holds no name that somebody typed', () => {
	for (const recipe of [pythonRecipe({ names: ['$(x)'] }), javascriptRecipe({ names: ['$(x)'] })]) {
		execFileSync('bash', ['-n'], { input: recipe.script });
		expect(recipe.script).not.toContain('$(x)');
	}
});

describe('what was installed', () => {
	it('is read from the report of pip', () => {
		const one = (name: string, sha256?: string) => ({
			metadata: { name, version: '1' },
			download_info: { archive_info: { hashes: { sha256 } } },
		});
		expect(readPipReport(JSON.stringify({ install: [one('b', 'x'), one('a', 'y')] }))).toEqual([
			{ name: 'a', version: '1', hash: 'y' },
			{ name: 'b', version: '1', hash: 'x' },
		]);
		for (const report of [{}, { install: [one('a')] }])
			expect(() => readPipReport(JSON.stringify(report))).toThrow('pip did not say what it installed');
	});

	it('is read from the lock of npm', () => {
		const packages = {
			'': { dependencies: {} },
			'node_modules/ms': { version: '2.1.3', integrity: 'sha512-x' },
			'node_modules/a/node_modules/@s/b': { version: '1.0.0', integrity: 'sha512-y' },
		};
		expect(readNpmLock(JSON.stringify({ packages })).lock).toEqual([
			{ name: '@s/b', version: '1.0.0', hash: 'sha512-y' },
			{ name: 'ms', version: '2.1.3', hash: 'sha512-x' },
		]);
		const linked = JSON.stringify({ packages: { 'node_modules/a': { version: '1' } } });
		expect(() => readNpmLock(linked)).toThrow('npm did not say what it installed');
	});

	it('is locked without the credentials that stood in addresses', () => {
		const at = (resolved: string) => ({ version: '1', integrity: 'sha512-x', resolved });
		const packages = {
			'node_modules/a': at('https://ann:hunter2@r.example:8443/a/-/a-1.tgz'),
			'node_modules/b': at('https://r.example/b/-/b-1.tgz?x=1'),
		};
		const { lockFile } = readNpmLock(JSON.stringify({ packages })) as unknown as {
			lockFile: { packages: typeof packages };
		};
		expect(Object.values(lockFile.packages).map(({ resolved }) => resolved)).toEqual([
			'https://r.example:8443/a/-/a-1.tgz',
			'https://r.example/b/-/b-1.tgz?x=1',
		]);
	});

	it('is importable under the names at the top of the tree', () => {
		const folders = ['pandas', 'pandas-2.0.dist-info', '__pycache__', 'bin', 'numpy.libs'];
		const files = ['six.py', '_cffi.abi3.so', 'x.txt'];
		const entries = [
			...folders.map((name) => ({ name, isFolder: true })),
			...files.map((name) => ({ name, isFolder: false })),
		];
		expect(pythonModules(entries)).toEqual(['_cffi', 'pandas', 'six']);
	});
});

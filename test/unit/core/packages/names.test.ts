import { describe, expect, it } from 'vitest';
import {
	dependencyOf,
	readNames,
	stillPinned,
	unknownNames,
	withoutPackages,
	withPackages,
} from '../../../../src/core/packages/names.ts';

describe('readNames', () => {
	it.each(['attrs', 'ruamel.yaml[jinja2]', 'numpy==2.1.*', 'pandas>=2,<3', 'a', 'torch==2.4.0+cpu'])(
		'takes %s for Python',
		(name) => {
			expect(readNames([name], 'python')).toEqual([name]);
		},
	);

	it('takes spaces around versions, as people write them', () => {
		expect(readNames(['pandas >= 2, < 3', ' six == 1.0 '], 'python')).toEqual(['pandas>=2,<3', 'six==1.0']);
	});

	it.each(['lodash', '@scope/name', 'lodash@4', '@scope/name@^1.2.3', 'JSONStream'])(
		'takes %s for JavaScript',
		(name) => {
			expect(readNames([name], 'javascript')).toEqual([name]);
		},
	);

	it.each([
		['python', '--index-url=x'],
		['python', '-r'],
		['python', './folder'],
		['python', 'https://example.com/a.whl'],
		['python', 'a @ file:///etc/passwd'],
		['python', 'git+https://example.com'],
		['python', 'a;b'],
		['python', 'a\nb'],
		['python', 'pandas numpy'],
		['python', 'a>=1\n-r x'],
		['python', ''],
		['javascript', '--registry=x'],
		['javascript', '../folder'],
		['javascript', 'file:x'],
		['javascript', 'a@npm:b'],
		['javascript', 'user/repository'],
		['javascript', 'a@https://example.com/x.tgz'],
	] as const)('for %s refuses %j, which is no name of a package', (language, name) => {
		expect(() => readNames([name], language)).toThrow(`"${name}" is not the name of a package`);
	});

	it('unfolds lists that belong together', () => {
		expect(readNames(['six', '@web'], 'python')).toEqual(['six', 'beautifulsoup4', 'lxml', 'requests']);
	});
});

describe('withPackages', () => {
	it('adds names in order of the alphabet', () => {
		expect(withPackages(['numpy'], ['pandas', 'attrs', 'attrs'])).toEqual(['attrs', 'numpy', 'pandas']);
	});

	it('replaces an earlier wish for the same package, however it is spelled', () => {
		const old = ['numpy==1.0', 'Scikit_Learn>=1', 'ruamel.yaml[jinja2]', 'lodash@3', '@a/b@1'];
		const added = ['numpy', 'scikit-learn', 'ruamel-yaml', 'lodash@4', '@a/b'];
		expect(withPackages(old, added)).toEqual(['@a/b', 'lodash@4', 'numpy', 'ruamel-yaml', 'scikit-learn']);
	});
});

describe('withoutPackages', () => {
	it('takes away what is named, whatever its version, and nothing that only begins alike', () => {
		const old = ['numpy==1.0', 'numpy-financial', '@a/b@1', '@a/c'];
		expect(withoutPackages(old, ['NumPy', '@a/b'])).toEqual(['numpy-financial', '@a/c']);
	});
});

describe('stillPinned', () => {
	it('is what the lock holds, but for what was asked for with a version', () => {
		const lock = ['NumPy', 'pandas', 'six', '@a/b'].map((name) => ({ name, version: '1' }));
		expect(stillPinned(lock, ['numpy==2', 'six', '@a/b@2'])).toEqual([
			{ name: 'pandas', version: '1' },
			{ name: 'six', version: '1' },
		]);
		expect(stillPinned(lock, ['@a/b'])).toEqual(lock);
	});
});

it('knows which names a bundle was not made of', () => {
	expect(unknownNames(['Scikit_Learn>=1', '@a/b@1'], ['scikit-learn', '@a/b', 'six'])).toEqual(['six']);
});

it('reads an npm name with its range', () => {
	expect(['lodash', 'lodash@4', '@a/b', '@a/b@^1'].map(dependencyOf)).toEqual([
		['lodash', 'latest'],
		['lodash', '4'],
		['@a/b', 'latest'],
		['@a/b', '^1'],
	]);
});

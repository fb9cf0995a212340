import { describe, expect, it } from 'vitest';
import { dependencyOf, readNames, withoutPackages, withPackages } from '../../../../src/core/packages/names.ts';

describe('readNames', () => {
	it.each(['attrs', 'ruamel.yaml[jinja2]', 'numpy==2.1.*', 'pandas>=2,<3', 'a'])('takes %s for Python', (name) => {
		expect(readNames([name], 'python')).toEqual([name]);
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

it('reads an npm name with its range', () => {
	expect(['lodash', 'lodash@4', '@a/b', '@a/b@^1'].map(dependencyOf)).toEqual([
		['lodash', 'latest'],
		['lodash', '4'],
		['@a/b', 'latest'],
		['@a/b', '^1'],
	]);
});

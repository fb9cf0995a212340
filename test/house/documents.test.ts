/** The pages that name files and tests name ones that exist, and every page says where to read on. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesBelow } from './helpers/sources.ts';

const read = (path: string): string => readFileSync(path, 'utf8');

const namingFiles = [
	...['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CONTRIBUTING.md'],
	...filesBelow('docs', '.md'),
];

/** A path that is written as code, from one of our folders down; what stands for any name is not one. */
const pathPattern = /`((?:src|nodes|test|scripts|bench|docs|examples|icons|\.ci)\/[\w./-]+)`/g;

const pathsIn = (page: string): string[] => [...page.matchAll(pathPattern)].map(([, path = '']) => path);

/** A test is written as its file and its title: `file` › “title”. */
const testPattern = /`(test\/[\w./-]+\.test\.ts)` › “([^”]+)”/g;

const testsIn = (page: string) => [...page.matchAll(testPattern)].map(([, file = '', title = '']) => ({ file, title }));

describe('a file that is named', () => {
	it.each(namingFiles)('in %s exists', (path) => {
		expect(pathsIn(read(path)).filter((named) => !existsSync(named))).toEqual([]);
	});

	it('was looked for: ARCHITECTURE.md and the threat model name many', () => {
		const counts = ['ARCHITECTURE.md', 'docs/threat-model.md'].map((path) => pathsIn(read(path)).length);
		expect(Math.min(...counts)).toBeGreaterThan(40);
	});
});

describe('the threat model', () => {
	const page = read('docs/threat-model.md');
	const tests = testsIn(page);

	it('names a title with every file of tests', () => {
		const files = pathsIn(page).filter((path) => path.endsWith('.test.ts'));
		expect(files).toEqual(tests.map(({ file }) => file));
		expect(files.length).toBeGreaterThan(30);
	});

	it.each(tests)('names a test of $file: $title', ({ file, title }) => {
		expect(["'", '"', '`'].filter((quote) => read(file).includes(quote + title + quote))).toHaveLength(1);
	});
});

describe('a page of docs', () => {
	it.each(filesBelow('docs', '.md'))('%s ends with where to read on', (path) => {
		const last = read(path).trimEnd().split('\n').at(-1);
		expect(last).toMatch(
			/^(Next: \[[^\]]+\]\([^)]+\)|Previous: \[[^\]]+\]\([^)]+\))( · Previous: \[[^\]]+\]\([^)]+\))?$/,
		);
	});
});

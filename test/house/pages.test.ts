/** The pages: those made from tables are fresh, and every link inside the repository leads somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pages } from '../../scripts/docs.ts';
import { filesBelow } from './helpers/sources.ts';

describe('a page that is made from a table', () => {
	it.each(Object.entries(pages))('docs/%s is what "npm run docs" writes', (name, page) => {
		expect(readFileSync(join('docs', name), 'utf8')).toBe(page());
	});
});

/** Links to files of ours, without the part behind "#". */
function linksOf(path: string): string[] {
	const text = readFileSync(path, 'utf8').replaceAll(/^( *)```[\s\S]*?^\1```/gm, '');
	const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target.replace(/#.*$/, ''));
	return targets.filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

describe('a link', () => {
	const texts = [...readdirSync('.').filter((name) => name.endsWith('.md')), ...filesBelow('docs', '.md')];

	it.each(texts)('of %s leads to a file', (path) => {
		expect(linksOf(path).filter((target) => !existsSync(join(dirname(path), target)))).toEqual([]);
	});
});

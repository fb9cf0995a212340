/** The table of limits, its page, and the tests that reach each limit agree. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixedLimits, limits } from '../../src/contract/limits.ts';
import { jobStatuses } from '../../src/contract/status.ts';
import { filesBelow } from './helpers/sources.ts';

const page = readFileSync('docs/limits.md', 'utf8');
const documented = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);

describe('docs/limits.md', () => {
	it('names every limit and every status, and none that does not exist', () => {
		const names = [...Object.keys(limits), ...Object.keys(fixedLimits), ...jobStatuses];
		expect(documented.toSorted()).toEqual(names.toSorted());
	});
});

describe('the conformance suite', () => {
	const suite = filesBelow('test/conformance', '.ts')
		.map((path) => readFileSync(path, 'utf8'))
		.join('\n');

	it('reads every limit that a request may set', () => {
		expect(Object.keys(limits).filter((name) => !new RegExp(`\\b${name}\\b`).test(suite))).toEqual([]);
	});
});

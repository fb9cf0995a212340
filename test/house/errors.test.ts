/** The table of known errors, its page, and the code that uses it agree. */
import { readFileSync } from 'node:fs';
import { type INode, NodeOperationError } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { knownErrors } from '../../src/contract/error.ts';
import { limits } from '../../src/contract/limits.ts';
import { readSources } from './helpers/sources.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const codes = Object.keys(knownErrors);
const documented = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);

describe('docs/errors.md', () => {
	it('names every error of the table, and none that does not exist', () => {
		expect(documented.toSorted()).toEqual(codes.toSorted());
	});
});

describe.each(Object.entries(knownErrors))('%s', (code, row) => {
	it('is used somewhere', () => {
		const ofLimits = Object.values(limits).map(({ problem }) => problem as string);
		const isNamed = readSources().some(
			({ path, text }) => path !== 'src/contract/error.ts' && text.includes(`'${code}'`) && !path.endsWith('limits.ts'),
		);
		expect(isNamed || ofLimits.includes(code)).toBe(true);
	});

	it('has an exit code and an HTTP status that fit its audience', () => {
		const operator = { exits: [64, 69, 77, 78], http: [400, 401, 403, 500, 502, 503] };
		const allowed = {
			operator,
			maintainer: { exits: [70], http: [500] },
			model: {
				exits: [0, 1, 65, 69, 77, 124, 130, 137],
				http: [200, 400, 403, 404, 409, 413, 422, 429, 499, 503],
			},
		}[row.audience];
		expect([allowed.exits.includes(row.exit), allowed.http.includes(row.http)]).toEqual([true, true]);
	});

	it('keeps its words in n8n, which replaces messages that hold certain words by its own', () => {
		const node = { name: 'Secure Code', type: 'n8n-nodes-secure-code.secureCode' } as INode;
		expect(new NodeOperationError(node, row.message, { description: row.next }).message).toBe(row.message);
	});
});

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headProblem } from '../../../../src/core/audit/head-check.ts';
import { databaseFile } from '../../../../src/core/audit/places.ts';
import { copyOf, sharedAudit, tamper } from '../../../helpers/audit.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const shared = sharedAudit();
const head = (dir: string): string => join(dir, 'state', 'audit-head.json');

describe('headProblem', () => {
	it('has no objection to an audit that ends where it was signed, and to one that has not begun', () => {
		expect([headProblem(copyOf(shared())), headProblem(tempFolder())]).toEqual([null, null]);
	});

	it.each([
		[
			'whose last rows are gone',
			(dir: string) => tamper(dir, 'DELETE FROM audit WHERE seq > 30'),
			'ends differently now',
		],
		['without its signed head', (dir: string) => rmSync(head(dir)), 'its signed head is missing'],
		['with another head', (dir: string) => writeFileSync(head(dir), '{}'), 'its signed head cannot be read'],
		['without its database', (dir: string) => rmSync(databaseFile(dir)), 'its database is gone'],
		['that is no database', (dir: string) => writeFileSync(databaseFile(dir), 'x'.repeat(9000)), 'cannot be read'],
	])('objects to an audit %s', (_, harm, words) => {
		const dir = copyOf(shared());
		harm(dir);
		expect(headProblem(dir)).toContain(words);
	});
});

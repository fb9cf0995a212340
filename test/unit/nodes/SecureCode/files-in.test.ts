import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseFiles, layOutFiles } from '../../../../nodes/SecureCode/files-in.ts';
import { toolParameters } from '../../../../nodes/SecureCode/parameters.ts';
import type { AvailableFile } from '../../../../nodes/shared/item-files.ts';
import { problemFor } from '../../../../src/contract/error.ts';
import { fixedLimits } from '../../../../src/contract/limits.ts';
import { fakeContext } from '../../../helpers/n8n.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const file = (name: string, bytes = 3): AvailableFile => ({
	name,
	type: 'text/csv',
	bytes,
	binary: { id: `filesystem:${name}`, data: 'filesystem', mimeType: 'text/csv' },
});
const [sales, prices, film] = [file('sales.csv'), file('prices.csv'), file('film.mp4', fixedLimits.inFileBytes + 1)];
const available = [sales, prices, film];

describe('chooseFiles', () => {
	const leftOut = (details: string) => ({ leftOut: problemFor('FILES_NOT_GIVEN', { details }) });
	const filmLeftOut = leftOut('film.mp4 (larger than it may be: at most 64 MB)');

	it('gives every file that is small enough when the author says always, and says which one is not', () => {
		expect(chooseFiles([], [sales, prices], 'always')).toEqual({ given: [sales, prices], written: [] });
		expect(chooseFiles([], available, 'always')).toEqual({ given: [sales, prices], written: [], ...filmLeftOut });
	});

	it('gives as many as a job may have, and names what is left out', () => {
		const many = Array.from({ length: fixedLimits.inFiles + 12 }, (_, number) => file(`f${number}`));
		const named = Array.from({ length: 10 }, (_, number) => `f${100 + number} (at most 100 files)`).join(', ');
		expect(chooseFiles([], many, 'always')).toEqual({
			given: many.slice(0, fixedLimits.inFiles),
			written: [],
			...leftOut(`${named} and 2 more`),
		});
	});

	it.each([
		['its name', ['prices.csv']],
		['an object with its name', [{ name: 'prices.csv' }]],
		['its path in the sandbox', ['/work/in/prices.csv']],
		['a number of forms', ['prices.csv', { name: '/work/in/prices.csv' }]],
	])('gives what the model names, by %s', (_form, asked) => {
		expect(chooseFiles(asked, available, 'onRequest')).toEqual({ given: [prices], written: [] });
	});

	it('takes small files that the model writes itself, in the place of another with the same name', () => {
		const asked = [
			{ name: 'sales.csv', content: 'ñ' },
			{ name: '../b.bin', base64: 'AAE=' },
		];
		expect(chooseFiles(asked, available, 'always')).toEqual({
			given: [prices],
			written: [
				{ name: 'sales.csv', base64: Buffer.from('ñ').toString('base64') },
				{ name: 'b.bin', base64: 'AAE=' },
			],
			...filmLeftOut,
		});
	});

	it('tells the model which files there are when it names another, or one that is too large', () => {
		const names = `sales.csv (text/csv, 3 bytes), prices.csv (text/csv, 3 bytes), film.mp4 (text/csv, ${fixedLimits.inFileBytes + 1} bytes, too large to be given: at most 64 MB)`;
		for (const name of ['costs.csv', 'film.mp4'])
			expect(chooseFiles([name], available, 'onRequest')).toEqual({
				problem: problemFor('FILE_UNKNOWN', { name, names }),
			});
		expect(chooseFiles(['a'], [], 'always')).toEqual({
			problem: problemFor('FILE_UNKNOWN', { name: 'a', names: 'there is none' }),
		});
	});

	it.each([[7], [{}], [{ name: 7 }], [{ name: '..' }], ['']])('asks for names where %j is none', (entry) => {
		const details = 'each of "files" must be the name of a file, or an object with "name" and "content"';
		expect(chooseFiles([entry], available, 'always')).toEqual({ problem: problemFor('JOB_INVALID', { details }) });
	});
});

it('lays files out under numbers, whatever they are called, from where n8n keeps them and from the item itself', async () => {
	const inItem: AvailableFile = {
		...file('../../x'),
		binary: { data: Buffer.from('in the item').toString('base64'), mimeType: 'text/plain' },
	};
	const stored = { 'filesystem:sales.csv': Buffer.from('a,b\n') };
	const { context } = fakeContext({ properties: toolParameters, stored });
	const folder = join(tempFolder(), 'given');
	const files = await layOutFiles(
		context,
		{ given: [sales, inItem], written: [{ name: 'w', base64: 'AA==' }] },
		folder,
	);
	expect(files).toEqual([
		{ name: 'w', base64: 'AA==' },
		{ name: 'sales.csv', path: join(folder, '0') },
		{ name: '../../x', path: join(folder, '1') },
	]);
	expect(['0', '1'].map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual(['a,b\n', 'in the item']);
});

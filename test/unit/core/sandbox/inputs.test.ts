import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixedLimits } from '../../../../src/contract/limits.ts';
import { shareInputs } from '../../../../src/core/sandbox/inputs.ts';
import { request } from '../../../helpers/box.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('shareInputs', () => {
	it('makes no folder for a job that brings nothing', async () => {
		expect(await shareInputs(request({ code: '' }))).toBeUndefined();
	});

	it('lays out files and data so that the jail can read them and nobody can write them', async () => {
		const path = join(tempFolder(), 'source.csv');
		writeFileSync(path, 'a,b\n', { mode: 0o600 });
		const files = [
			{ name: 'table.csv', path },
			{ name: 'note', base64: base64('hello') },
		];
		const shared = await shareInputs(request({ code: '', files, data: { rows: [1, null] } }));
		const folder = shared?.path ?? '';
		const contents = Object.fromEntries(
			readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
		);
		expect(contents).toEqual({ 'table.csv': 'a,b\n', note: 'hello', 'data.json': '{"rows":[1,null]}' });
		const modes = [dirname(folder), folder, join(folder, 'note')].map((one) => statSync(one).mode & 0o777);
		expect(modes).toEqual([0o711, 0o755, 0o444]);
		await shared?.remove();
		// Others go on meanwhile.
		await expect.poll(() => existsSync(dirname(folder)), { timeout: 5_000 }).toBe(false);
	});

	it('shows null as data, because null is a value', async () => {
		const shared = await shareInputs(request({ code: '', data: null }));
		expect(readFileSync(join(shared?.path ?? '', 'data.json'), 'utf8')).toBe('null');
		await shared?.remove();
	});

	it('refuses a path that is no file', async () => {
		const folder = tempFolder();
		const job = (path: string) => shareInputs(request({ code: '', files: [{ name: 'a', path }] }));
		await expect(job(folder)).rejects.toThrow('a is not a file that can be read');
		await expect(job(join(folder, 'missing'))).rejects.toThrow('a is not a file that can be read');
	});

	it('refuses a file that is too large without reading it', async () => {
		const path = join(tempFolder(), 'large');
		writeFileSync(path, '');
		truncateSync(path, fixedLimits.inFileBytes + 1);
		const job = shareInputs(request({ code: '', files: [{ name: 'a', path }] }));
		await expect(job).rejects.toThrow(`a has more than ${fixedLimits.inFileBytes} bytes`);
	});

	it('refuses too many files', async () => {
		const files = Array.from({ length: fixedLimits.inFiles + 1 }, (_, number) => ({ name: `${number}`, base64: '' }));
		await expect(shareInputs(request({ code: '', files }))).rejects.toThrow(`at most ${fixedLimits.inFiles} files`);
	});

	it('refuses two files with the same name', async () => {
		const files = [
			{ name: 'a', base64: '' },
			{ name: 'a', base64: '' },
		];
		await expect(shareInputs(request({ code: '', files }))).rejects.toThrow('two files have the same name');
	});

	it('refuses a file that would be taken for the data', async () => {
		const job = shareInputs(request({ code: '', files: [{ name: 'data.json', base64: '' }], data: 1 }));
		await expect(job).rejects.toThrow('two files have the same name');
	});
});

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { type Header, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { fixedLimits } from '../../../../src/contract/limits.ts';
import { cleanPath, collect } from '../../../../src/core/sandbox/collect.ts';
import { createMask } from '../../../../src/core/secrets/redact.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

type Entry = Partial<Header> & { readonly name: string; readonly content?: string };

function archive(entries: readonly Entry[]): Promise<Buffer> {
	const packer = pack();
	for (const { content, ...header } of entries) packer.entry(header, content ?? '');
	packer.finalize();
	return buffer(packer);
}

const noSecrets = createMask({});

const collectFrom = async (entries: readonly Entry[], folder: string, mask = noSecrets) =>
	collect(Readable.from(await archive(entries)), folder, mask);

describe('collect', () => {
	it('takes ordinary files over, with their type, size and place', async () => {
		const folder = join(tempFolder(), 'out');
		const collected = await collectFrom(
			[
				{ name: 'out/chart.png', content: 'PNG' },
				{ name: 'out/sub/table.csv', content: 'a,b\n' },
				{ name: 'out/no-ending', content: '' },
			],
			folder,
		);
		expect(collected).toEqual({
			files: [
				{ name: 'chart.png', type: 'image/png', bytes: 3, path: join(folder, 'chart.png') },
				{ name: 'sub/table.csv', type: 'text/csv', bytes: 4, path: join(folder, 'sub/table.csv') },
				{ name: 'no-ending', type: 'application/octet-stream', bytes: 0, path: join(folder, 'no-ending') },
			],
			missing: [],
		});
		expect(readFileSync(join(folder, 'sub/table.csv'), 'utf8')).toBe('a,b\n');
	});

	it('makes no file executable, whatever the archive says', async () => {
		const folder = tempFolder();
		await collectFrom([{ name: 'out/run.sh', mode: 0o4777, content: '#!' }], folder);
		expect(statSync(join(folder, 'run.sh')).mode & 0o7133).toBe(0);
	});

	it.each([
		['symlink', { linkname: '/etc/passwd' }],
		['link', { linkname: 'out/other' }],
		['fifo', {}],
		['character-device', {}],
		['block-device', {}],
		['directory', {}],
	] as const)('takes no %s', async (type, more) => {
		const folder = tempFolder();
		const entry: Entry = { name: 'out/bad', type, ...more };
		const collected = await collectFrom([entry, { name: 'out/good', content: 'x' }], folder);
		expect(collected.missing).toEqual(['an entry is not an ordinary file']);
		expect(readdirSync(folder)).toEqual(['good']);
	});

	it('stays inside its folder, whatever the name', async () => {
		const parent = tempFolder();
		const folder = join(parent, 'results');
		const names = ['out/../../escaped', '/out//etc/passwd', 'out/./a/../b'];
		const collected = await collectFrom(
			names.map((name) => ({ name, content: 'x' })),
			folder,
		);
		expect(readdirSync(parent)).toEqual(['results']);
		expect(collected.files.map(({ name }) => name)).toEqual(['escaped', 'etc/passwd', 'a/b']);
	});

	it('keeps the first of two files with the same name', async () => {
		const folder = tempFolder();
		const entries = ['first', 'second'].map((content) => ({ name: 'out/a', content }));
		const collected = await collectFrom(entries, folder);
		expect(collected.missing).toEqual(['two files have the same name']);
		expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('first');
	});

	it('takes no more files than allowed', async () => {
		const folder = tempFolder();
		const entries = Array.from({ length: fixedLimits.outFiles + 5 }, (_, number) => ({ name: `out/${number}` }));
		const collected = await collectFrom(entries, folder);
		expect(collected.files.length).toBe(fixedLimits.outFiles);
		expect(collected.missing).toEqual([`there are more than ${fixedLimits.outFiles} files`]);
	});

	it('takes no more bytes than allowed, and goes on with what still fits', async () => {
		const folder = tempFolder();
		const large = 'x'.repeat(fixedLimits.outBytes / 2 + 1);
		const entries = [
			{ name: 'out/a', content: large },
			{ name: 'out/b', content: large },
			{ name: 'out/c', content: 'x' },
		];
		const collected = await collectFrom(entries, folder);
		expect(collected.missing).toEqual(['the files are too large together']);
		expect(readdirSync(folder)).toEqual(['a', 'c']);
	});

	it('keeps what came before an archive broke off', async () => {
		const folder = tempFolder();
		const whole = await archive([
			{ name: 'out/a', content: 'a' },
			{ name: 'out/b', content: 'x'.repeat(10_000) },
		]);
		const collected = await collect(Readable.from([whole.subarray(0, 3_000)]), folder, noSecrets);
		expect(collected.files.map(({ name }) => name)).toEqual(['a']);
		expect(collected.missing).toEqual(['the list of files ended early']);
	});

	it('survives bytes that are no archive', async () => {
		const folder = tempFolder();
		const collected = await collect(Readable.from([Buffer.alloc(4_096, 0x41)]), folder, noSecrets);
		expect(collected).toEqual({ files: [], missing: ['the list of files ended early'] });
	});

	it('makes no folder when there is nothing', async () => {
		const folder = join(tempFolder(), 'out');
		expect(await collectFrom([], folder)).toEqual({ files: [], missing: [] });
		expect(existsSync(folder)).toBe(false);
	});
});

it('masks secrets in names, in text, and in what only looks like bytes', async () => {
	const folder = join(tempFolder(), 'out');
	const mask = createMask({ KEY: 'hunter2-hunter3' });
	const entries = [
		{ name: 'out/hunter2-hunter3/a.txt', content: 'key: hunter2-hunter3\n' },
		{ name: 'out/b.bin', content: '\0\0hunter2-hunter3' },
		{ name: 'out/c.txt', type: 'link', linkname: 'out/hunter2-hunter3/a.txt' },
	] as const;
	const { files, missing } = await collectFrom(entries, folder, mask);
	const found = files.map(({ name, path }) => [name, readFileSync(path ?? '', 'utf8')]);
	expect([found, missing]).toEqual([
		[
			['•••KEY•••/a.txt', 'key: •••KEY•••\n'],
			['b.bin', '\0\0•••KEY•••'],
			['c.txt', 'key: •••KEY•••\n'],
		],
		[],
	]);
	expect(files.map(({ bytes, path }) => statSync(path ?? '').size === bytes)).toEqual([true, true, true]);
});

describe('cleanPath', () => {
	it.each([
		['out/a.txt', 'a.txt'],
		['out/\u001b[31mred\u0007.txt', 'red.txt'],
		['out/ñ/漢', 'ñ/漢'],
		['out', undefined],
		['out/..', undefined],
		['', undefined],
	])('reads %j as %j', (name, expected) => {
		expect(cleanPath(name)).toBe(expected);
	});

	it('goes as deep as allowed and no deeper', () => {
		const path = (depth: number) => Array.from({ length: depth }, () => 'd').join('/');
		const deepest = path(fixedLimits.outDepth);
		expect([cleanPath(`out/${deepest}`), cleanPath(`out/d/${deepest}`)]).toEqual([deepest, undefined]);
	});

	it('never leads out of the folder', () => {
		const names = fc.array(fc.constantFrom('..', '.', '/', 'a', '\u0000', '\u001b[m', '.\u0007.', '\r', 'out'));
		fc.assert(
			fc.property(names, (parts) => {
				const path = cleanPath(parts.join(''));
				return path === undefined || !path.split('/').some((part) => ['', '.', '..'].includes(part));
			}),
			{ numRuns: 2_000 },
		);
	});
});

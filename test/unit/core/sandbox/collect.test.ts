import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { type Header, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { fixedLimits } from '../../../../src/contract/limits.ts';
import { cleanPath, collect, describeElsewhere, describeMissing } from '../../../../src/core/sandbox/collect.ts';
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

/** What the collector says before the archive when it leaves nothing behind. */
const nothingLeft = Buffer.from('0 0 -\n');

const collectFrom = async (entries: readonly Entry[], folder: string, mask = noSecrets) =>
	collect(Readable.from([nothingLeft, await archive(entries)]), folder, mask);

describe('collect', () => {
	it('takes ordinary files over, with their type, size and place', async () => {
		const folder = join(tempFolder(), 'out');
		const collected = await collectFrom(
			[
				{ name: 'out/sub/table.csv', content: 'a,b\n' },
				{ name: 'out/no-ending', content: '' },
			],
			folder,
		);
		expect(collected).toEqual({
			files: [
				{ name: 'no-ending', type: 'text/plain', bytes: 0, preview: '', path: join(folder, 'no-ending') },
				{ name: 'sub/table.csv', type: 'text/csv', bytes: 4, preview: 'a,b\n', path: join(folder, 'sub/table.csv') },
			],
			missing: [],
			more: 0,
			elsewhere: [],
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
		expect(collected.missing).toEqual([{ name: 'bad', reason: 'not an ordinary file' }]);
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
		expect(collected.files.map(({ name }) => name)).toEqual(['a/b', 'escaped', 'etc/passwd']);
	});

	it('numbers files whose names are the same once they are clean, and takes none of them for another', async () => {
		const folder = tempFolder();
		const collected = await collectFrom(
			[
				{ name: 'out/sub/a.csv', content: 'first' },
				{ name: 'out/sub/a\u200b.csv', content: 'second' },
				{ name: 'out/sub/\u200ba.csv', content: 'third' },
				{ name: 'out/link', type: 'link', linkname: 'out/sub/a\u200b.csv' },
				{ name: 'out/sub/a.csv', content: 'fourth' },
				{ name: 'out/unclear', type: 'link', linkname: 'out/sub/a.csv' },
			],
			folder,
		);
		const found = collected.files.map(({ name, path }) => [name, readFileSync(path ?? '', 'utf8')]);
		expect([found, collected.missing]).toEqual([
			[
				['link', 'second'],
				['sub/a (2).csv', 'second'],
				['sub/a (3).csv', 'third'],
				['sub/a (4).csv', 'fourth'],
				['sub/a.csv', 'first'],
			],
			[{ name: 'unclear', reason: 'not an ordinary file' }],
		]);
	});

	it('takes no more files than allowed', async () => {
		const folder = tempFolder();
		const entries = Array.from({ length: fixedLimits.outFiles + 5 }, (_, number) => ({ name: `out/${number}` }));
		const collected = await collectFrom(entries, folder);
		expect(collected.files.length).toBe(fixedLimits.outFiles);
		expect(new Set(collected.missing.map(({ reason }) => reason))).toEqual(
			new Set([`more than ${fixedLimits.outFiles} files`]),
		);
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
		expect(collected.missing).toEqual([{ name: 'b', reason: 'more than 64 MiB in all' }]);
		expect(readdirSync(folder)).toEqual(['a', 'c']);
	});

	it('keeps what came before an archive broke off', async () => {
		const folder = tempFolder();
		const whole = await archive([
			{ name: 'out/a', content: 'a' },
			{ name: 'out/b', content: 'x'.repeat(10_000) },
		]);
		const collected = await collect(Readable.from([nothingLeft, whole.subarray(0, 3_000)]), folder, noSecrets);
		expect(collected.files.map(({ name }) => name)).toEqual(['a']);
		expect(collected.missing).toEqual([{ name: 'b', reason: 'the list of files ended early' }]);
	});

	it('survives bytes that are no archive', async () => {
		const folder = tempFolder();
		const collected = await collect(Readable.from([Buffer.alloc(4_096, 0x41)]), folder, noSecrets);
		expect(collected).toEqual({
			files: [],
			missing: [{ name: '', reason: 'the list of files ended early' }],
			more: 0,
			elsewhere: [],
		});
	});

	it('makes no folder when there is nothing', async () => {
		const folder = join(tempFolder(), 'out');
		expect(await collectFrom([], folder)).toEqual({ files: [], missing: [], more: 0, elsewhere: [] });
		expect(existsSync(folder)).toBe(false);
	});

	it('reads an empty stream as nothing', async () => {
		const nothing = await collect(Readable.from([]), tempFolder(), noSecrets);
		expect(nothing).toEqual({ files: [], missing: [], more: 0, elsewhere: [] });
	});
});

describe('what the collector left behind', () => {
	const told = (text: string, mask = noSecrets) => collect(Readable.from([Buffer.from(text)]), tempFolder(), mask);

	it('is named, with the reason in words, and without secrets', async () => {
		const mask = createMask({ KEY: 'hunter2-hunter3' });
		expect(await told('3 7 -\nsize/huge.bin\0kind/a\nb/pipe\0depth/hunter2-hunter3\0', mask)).toEqual({
			files: [],
			missing: [
				{ name: 'a b/pipe', reason: 'not an ordinary file' },
				{ name: 'huge.bin', reason: 'larger than 64 MiB' },
				{ name: '•••KEY•••', reason: 'deeper than 8 folders' },
			],
			more: 7,
			elsewhere: [],
		});
	});

	it('is told apart from what lies elsewhere', async () => {
		expect(await told('2 0 0\nplace//work/result.csv\0place//tmp/a\nb.txt\0')).toEqual({
			...{ files: [], missing: [], more: 0 },
			elsewhere: ['/work/result.csv', '/tmp/a b.txt'],
		});
	});

	it('is named up to ten files that lie elsewhere, and it is said when there are others', () => {
		const names = Array.from({ length: 11 }, (_, number) => `f${number}`);
		expect([describeElsewhere({ elsewhere: names.slice(0, 10) }), describeElsewhere({ elsewhere: names })]).toEqual([
			'f0, f1, f2, f3, f4, f5, f6, f7, f8, f9',
			'f0, f1, f2, f3, f4, f5, f6, f7, f8, f9 and more',
		]);
	});

	it.each([
		'9',
		'-1 0 -\n',
		'1e9 0 -\n',
		'101 0 -\n',
		'1 0 -\nsize/x',
		'1 0 -\nconstructor/x\0',
		'1 0 -\nsize\0',
		`1 0 -\nsize/${'x'.repeat(9_000)}\0`,
	])('is a broken list when it does not fit: %j', async (text) => {
		const reason = 'the list of files ended early';
		expect(await told(text)).toEqual({ files: [], missing: [{ name: '', reason }], more: 0, elsewhere: [] });
	});

	it('is told in one sentence that does not grow with it', () => {
		const missing = Array.from({ length: 12 }, (_, number) => ({ name: `f${number}`, reason: 'r' }));
		const named = Array.from({ length: 10 }, (_, number) => `f${number} (r)`).join(', ');
		expect(describeMissing({ missing, more: 3 })).toBe(`${named} and 5 more`);
		expect(describeMissing({ missing: [{ name: '', reason: 'cut' }], more: 0 })).toBe('cut');
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
			['b.bin', '\0\0•••KEY•••'],
			['c.txt', 'key: •••KEY•••\n'],
			['•••KEY•••/a.txt', 'key: •••KEY•••\n'],
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
		['out/gpj.\u202etxt', 'gpj.txt'],
		['out/.\u200b./x', 'x'],
		['out', undefined],
		['out/..', undefined],
		['', undefined],
	])('reads %j as %j', (name, expected) => {
		expect(cleanPath(name)).toBe(expected);
	});

	it('is one line, whatever a program calls its files', () => {
		expect(cleanPath('out/a\nb\t\tc.txt')).toBe('a b c.txt');
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

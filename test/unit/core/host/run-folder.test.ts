import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { RunFolder } from '../../../../src/core/host/run-folder.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const group = process.getgid?.() ?? 0;

/** A process that makes two folders, removes the first, and then does what it is told. */
function foldersLeftBy(base: string, end: string): string[] {
	const module = join(import.meta.dirname, '../../../../src/core/host/run-folder.ts');
	const code = `import { RunFolder } from ${JSON.stringify(module)};
const [one, other] = [RunFolder.create(${JSON.stringify(base)}), RunFolder.create(${JSON.stringify(base)})];
one.remove();
${end}`;
	try {
		execFileSync(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'ignore' });
	} catch {
		// It was told to fail.
	}
	return readdirSync(base);
}

describe('the folder of a run', () => {
	it('can be entered by others and not be listed, and is unlike that of any other run', () => {
		const base = tempFolder();
		const [one, other] = [RunFolder.create(base), RunFolder.create(base)];
		expect([modeOf(one.path), basename(one.path) === one.name, one.name === other.name]).toEqual(['711', true, false]);
		expect(one.name).toMatch(new RegExp(`^secure-code-run-${process.pid}-\\w{6}$`));
		for (const folder of [one, other]) folder.remove();
	});

	it('is entered by the group of one jail only, once that is known', () => {
		const folder = RunFolder.create(tempFolder());
		folder.narrowTo(group);
		expect(modeOf(folder.path)).toBe('710');
		folder.remove();
	});

	it('holds files for us, for the group of a jail, before and after they are filled, and for all', () => {
		const folder = RunFolder.create(tempFolder());
		const paths = [
			folder.writePrivate('private', 'a'),
			folder.writeFor(group, 'shown', 'b'),
			folder.reserveOwn(process.getuid?.() ?? 0, group, 'reserved'),
			folder.writeForAll('all', 'c'),
			folder.writeForAll('stdin', '') && folder.fillFor(group, 'stdin', 'd'),
			folder.reserveFolder('in'),
		];
		expect(paths.map((path) => [basename(path), modeOf(path)])).toEqual([
			['private', '600'],
			['shown', '440'],
			['reserved', '644'],
			['all', '444'],
			['stdin', '440'],
			['in', '755'],
		]);
		expect(['reserved', 'stdin'].map((name) => readFileSync(join(folder.path, name), 'utf8'))).toEqual(['', 'd']);
		folder.remove();
		expect(existsSync(folder.path)).toBe(false);
	});

	it('can be removed while others go on', async () => {
		const folder = RunFolder.create(tempFolder());
		folder.reserveFolder('in');
		folder.discard();
		await vi.waitFor(() => expect(existsSync(folder.path)).toBe(false));
	});

	it.each([
		['comes to its end', ''],
		['calls exit', 'process.exit(3);'],
		['calls exit while it is being removed', 'other.discard(); process.exit(0);'],
		['fails', 'throw new Error("no");'],
	])('is gone with a process that %s', (_way, end) => {
		expect(foldersLeftBy(tempFolder(), end)).toEqual([]);
	});

	it('stays of a process that was killed, until the next process begins', () => {
		const base = tempFolder();
		const left = foldersLeftBy(base, 'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
		expect(left).toEqual([expect.stringMatching(/^secure-code-run-\d+-\w{6}$/)]);
		mkdirSync(join(base, 'secure-code-run-1-abcdef'));
		expect(foldersLeftBy(base, '')).toEqual(['secure-code-run-1-abcdef']);
	});
});

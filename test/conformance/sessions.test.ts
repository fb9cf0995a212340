/** What a program leaves in /work is there for the next one of its session, and for nobody else. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { problemFor } from '../../src/contract/error.ts';
import { asEachIdentity, finish, type Jail, printed, start } from '../helpers/jail.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const sessionsOf = (jail: Jail) => join(jail.at.env.SECURE_CODE_HOME ?? '', 'sessions');
const cli = (jail: Jail, ...args: string[]) => finish(start(jail.at, args));

asEachIdentity(
	(jail) => {
		describe.concurrent('a session', () => {
			test('keeps files, folders, links and modes of /work, and the files that were given', async () => {
				const session = 'keeps';
				const first = `
mkdir -p a/b; echo kept > a/b/c.txt; ln -s a/b/c.txt link; chmod 500 a/b; echo run > run.sh; chmod 755 run.sh
echo gone > /work/out/o; echo gone > /tmp/t; mkfifo pipe; printf x > "$(printf 'bad\\xff')"; truncate -s 50M hole; cat in/sales.csv`;
				const files = [{ name: 'sales.csv', base64: base64('a,b\n') }];
				expect((await jail.bash(first, { session, files })).stdout).toBe('a,b\n');
				const second = `
cat a/b/c.txt link; stat -c '%a %n' a/b run.sh; ls out /tmp | wc -w; stat -c %F pipe; ls bad* | wc -c; stat -c '%s %b' hole; cat in/sales.csv in/more.txt
echo no 2>/dev/null > in/sales.csv || echo read-only`;
				const more = [{ name: 'more.txt', base64: base64('more\n') }];
				const { stdout } = await jail.bash(second, { session, files: more });
				expect(stdout).toMatch(
					/^kept\nkept\n500 a\/b\n755 run\.sh\n[0-9]+\nfifo\n5\n52428800 0\na,b\nmore\nread-only\n$/,
				);
			});

			test('keeps what Python knows: variables, functions, classes and imports', async () => {
				const session = 'python';
				const first = `
import math
from collections import Counter as Count
class Point:
    def __init__(self, x): self.x = x
    def twice(self): return Point(self.x * 2)
def area(r): return math.pi * r * r
rows = [{'a': 1}, {'a': 2}]; point = Point(3); counts = Count('aab'); lock = open('/dev/null')
`;
				const one = await jail.python(first, { session });
				expect([one.status, one.stderr]).toEqual([
					'succeeded',
					'secure-code: not kept for the next call, because they cannot be stored: lock\n',
				]);
				const second = `print(len(rows), point.twice().x, counts['a'], round(area(1), 2), 'lock' in globals())`;
				expect(printed(await jail.python(second, { session }))).toBe('2 6 2 3.14 False\n');
				expect(printed(await jail.python('rows.append(3); print(Point(1).x, len(rows))', { session }))).toBe('1 3\n');
				expect(printed(await jail.python('print(len(rows), Point(9).twice().x)', { session }))).toBe('3 18\n');
			});

			test('is nothing to another session, nor to a job without one', async () => {
				await jail.bash('echo secret > mine.txt', { session: 'ana' });
				for (const more of [{ session: 'luis' }, { session: 'ana ' }, { session: '../ana' }, {}])
					expect(printed(await jail.bash('ls /work', more))).toBe('out\n');
				expect(printed(await jail.bash('cat mine.txt', { session: 'ana' }))).toBe('secret\n');
			});

			test('has one program at a time, so that nothing is lost', async () => {
				const session = 'counter';
				const add = 'n=$(cat n 2>/dev/null || echo 0); sleep 0.05; echo $((n + 1)) > n';
				await Promise.all(Array.from({ length: 8 }, () => jail.bash(add, { session })));
				expect(printed(await jail.bash('cat n', { session }))).toBe('8\n');
			});

			test('says so when it is full, and stays as it was', async () => {
				const session = 'full';
				const limits = { workBytes: 128 * 1024 * 1024, memoryBytes: 512 * 1024 * 1024 };
				await jail.bash('echo before > f', { session, limits });
				const fill = 'for n in 1 2; do head -c 40M /dev/urandom > $n; done; echo after > f';
				const { problem, status } = await jail.bash(fill, { session, limits });
				const full = problemFor('SESSION_FULL', { found: 81, limit: 64 });
				const elsewhere = problemFor('FILES_ELSEWHERE', { names: '/work/1, /work/2, /work/f' });
				const message = `${full.message} ${elsewhere.message}`;
				expect([status, problem]).toEqual(['succeeded', { ...full, message }]);
				expect(printed(await jail.bash('cat f; ls', { session, limits }))).toBe('before\nf\nout\n');
			});

			test('stays as it was when a program is killed at a limit, and keeps what a failing one left', async () => {
				const session = 'killed';
				await jail.bash('echo one > f; exit 3', { session });
				const { status, problem } = await jail.bash('echo two > f; sleep 9', { session, limits: { timeoutMs: 1_000 } });
				expect([status, problem?.code]).toEqual(['timed_out', 'LIMIT_TIME']);
				expect(problem?.message).toContain('The session is as it was before this call');
				expect(printed(await jail.bash('cat f', { session }))).toBe('one\n');
				const greedy = 'open("/work/f", "w").write("three")\nx = []\nwhile True: x.append(bytearray(5_000_000))';
				const full = await jail.python(greedy, { session });
				expect([full.status, full.problem?.message]).toEqual([
					'out_of_memory',
					expect.stringContaining('The session is as it was before this call'),
				]);
				expect(printed(await jail.bash('cat f', { session }))).toBe('one\n');
			});

			test('that a program spoils for itself is its own, and says so', async () => {
				const session = 'spoiled';
				await jail.python('open("/work/.secure-code-state", "w").write("no pickle"); import os; os._exit(0)', {
					session,
				});
				const { status, stderr } = await jail.python('x = 1', { session });
				const words = 'secure-code: something of the session could not be restored: UnpicklingError';
				expect([status, stderr.slice(0, words.length)]).toEqual(['succeeded', words]);
				expect(printed(await jail.python('print(x)', { session }))).toBe('1\n');
			});

			test('lets the oldest files that were given go when they do not fit, and names them', async () => {
				const path = join(jail.at.folder, 'data', 'large');
				writeFileSync(path, Buffer.alloc(25_000_000));
				const session = 'inputs';
				const give = (...names: string[]) => ({ session, files: names.map((name) => ({ name, path })) });
				expect(printed(await jail.bash('ls in', give('a')))).toBe('a\n');
				expect(printed(await jail.bash('ls in', give('b')))).toBe('a\nb\n');
				const third = await jail.bash('ls in', give('c'));
				const left = problemFor('SESSION_INPUTS_LEFT', { count: 100, limit: 64, names: 'a' });
				expect([third.stdout, third.problem]).toEqual(['a\nb\nc\n', left]);
				expect(printed(await jail.bash('ls in', { session }))).toBe('b\nc\n');
			});

			test('lets the oldest files that were given go when there are too many, and runs', async () => {
				const session = 'many inputs';
				const give = (first: number, count: number) => ({
					session,
					files: Array.from({ length: count }, (_, index) => ({ name: `${first + index}`, base64: '' })),
				});
				expect(printed(await jail.bash('ls in | wc -l', give(100, 60)))).toBe('60\n');
				const { status, stdout, problem } = await jail.bash('ls in | wc -l', give(200, 42));
				const left = problemFor('SESSION_INPUTS_LEFT', { count: 100, limit: 64, names: '100, 101' });
				expect([status, stdout, problem]).toEqual(['succeeded', '100\n', left]);
				expect(printed(await jail.bash('ls in | sort -n | head -1', { session }))).toBe('102\n');
			});

			test('gives files out as a job without one does', async () => {
				const { files } = await jail.bash('echo x > out/x.txt; echo y > y.txt', { session: 'files' });
				expect(files.map(({ name }) => name)).toEqual(['x.txt']);
				const next = await jail.bash('ls', { session: 'files' });
				expect([next.stdout, next.files]).toEqual(['out\ny.txt\n', []]);
			});

			test('whose folder was turned into a link gives the host nothing and keeps nothing of it', async () => {
				const session = 'links';
				await jail.bash('rmdir out; ln -s /etc out; ln -s /etc/passwd p; ln -s ../../../../etc q', { session });
				const { stdout, files } = await jail.bash('readlink p q; cat p | head -1', { session });
				expect([stdout, files]).toEqual(['/etc/passwd\n../../../../etc\nroot:x:0:0:root:/:/usr/bin/false\n', []]);
			});
		});

		test('lies encrypted on the disk, under names that tell nothing', async () => {
			await jail.bash('echo visible-content > visible-name', { session: 'visible-key' });
			const files = readdirSync(sessionsOf(jail), { recursive: true, withFileTypes: true }).filter((entry) =>
				entry.isFile(),
			);
			const texts = files.map(
				({ parentPath, name }) => `${parentPath}/${name} ${readFileSync(join(parentPath, name), 'latin1')}`,
			);
			expect(texts.length).toBeGreaterThan(0);
			expect(texts.filter((text) => text.includes('visible'))).toEqual([]);
			// Folders of boxes that wait may be there; the answer does not wait until the others are gone.
			const left = () =>
				readdirSync(jail.at.env.TMPDIR ?? '', { recursive: true, encoding: 'utf8' }).filter((name) =>
					/secure-code-run-[^/]+\/(session|tree\.tar|encrypted|visible)/.test(name),
				);
			await expect.poll(left, { timeout: 10_000 }).toEqual([]);
		});

		test('is there after a restart, in another process, and lists and goes by the command line', async () => {
			const program = join(jail.at.folder, 'data', 'program.sh');
			const run = async (text: string) => {
				writeFileSync(program, text);
				return (await cli(jail, 'run', '--no-check', '-l', 'bash', '--session', 'restart', program)).stdout;
			};
			await run('echo here > f');
			expect(await run('cat f')).toBe('here\n');
			const list = async () =>
				JSON.parse((await cli(jail, 'sessions', 'list', '--json')).stdout) as { id: string; used: string }[];
			const [newest] = (await list()).sort((one, other) => (one.used < other.used ? 1 : -1));
			expect((await cli(jail, 'sessions', 'delete', newest?.id.slice(0, 12) ?? '')).stdout).toBe('1 deleted\n');
			expect(await run('cat f 2>/dev/null || echo gone')).toBe('gone\n');
			expect((await cli(jail, 'sessions', 'list')).stdout).toMatch(
				/^[0-9a-f]{32} {2}[\d.]+ MB {2}used \S+ {2}expires \S+ {2}command line$/m,
			);
			expect((await cli(jail, 'sessions', 'delete', '--all')).exitCode).toBe(0);
			expect((await cli(jail, 'sessions', 'list')).stdout).toBe('no sessions\n');
			expect(existsSync(sessionsOf(jail))).toBe(true);
		});
	},
	{ withFiles: true, concurrency: 12 },
);

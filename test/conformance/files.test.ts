/** Files that a job brings, and hostile ones that a program leaves behind. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { problemFor } from '../../src/contract/error.ts';
import { fixedLimits } from '../../src/contract/limits.ts';
import { type Answer, asEachIdentity, ended, finish, type Jail, printed, start, succeeded } from '../helpers/jail.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Names and contents of everything that was taken over. */
const taken = (result: Answer) =>
	Object.fromEntries(result.files.map(({ name, path }) => [name, readFileSync(path ?? '', 'utf8')]));

const incomplete = { ...succeeded, problem: 'FILES_INCOMPLETE' };

async function left(jail: Jail, code: string) {
	const result = await jail.bash(`cd /work/out; echo kept > 0.txt\n${code}\nexit 0`);
	return { ...ended(result), files: taken(result) };
}

asEachIdentity(
	(jail) => {
		describe.concurrent('what a job brings', () => {
			test('appears read-only in /work/in, with its data', async () => {
				const code = `
import json, os
print(sorted(os.listdir('/work/in')), open('/work/in/a b.txt').read(), json.load(open('/work/in/data.json')))
for action in (lambda: open('/work/in/a b.txt', 'a'), lambda: open('/work/in/new', 'w'), lambda: os.remove('/work/in/data.json'), lambda: os.chmod('/work/in', 0o777)):
    try: action(); print('ALLOWED')
    except OSError as error: print(error.strerror)
`;
				const files = [{ name: 'a b.txt', base64: base64('uno') }];
				const result = await jail.python(code, { files, data: { n: [1, null] } });
				expect(printed(result)).toBe(
					`['a b.txt', 'data.json'] uno {'n': [1, None]}\nPermission denied\n${'Read-only file system\n'.repeat(3)}`,
				);
			});

			test('may be a file of the host, which stays as it is', async () => {
				const path = join(jail.at.folder, 'host.txt');
				writeFileSync(path, 'from the host');
				const result = await jail.bash('cat /work/in/x; echo more > /work/in/x', { files: [{ name: 'x', path }] });
				expect([result.stdout, readFileSync(path, 'utf8')]).toEqual(['from the host', 'from the host']);
			});

			test.each([
				['a name with a folder', [{ name: '../x', base64: '' }]],
				['a name of more than 255 bytes', [{ name: 'ñ'.repeat(200), base64: '' }]],
				['a name that is a folder', [{ name: '..', base64: '' }]],
				[
					'the same name twice',
					[
						{ name: 'x', base64: '' },
						{ name: 'x', base64: '' },
					],
				],
				['a file that is not there', [{ name: 'x', path: '/no/such/file' }]],
				['a device', [{ name: 'x', path: '/dev/zero' }]],
				['neither content nor path', [{ name: 'x' }]],
				['what is no base64', [{ name: 'x', base64: '%' }]],
			])('is refused when it is %s', async (_, files) => {
				const result = await jail.bash('echo ran', { files });
				expect({ ...ended(result), stdout: result.stdout }).toEqual({
					status: 'denied',
					exitCode: null,
					signal: null,
					problem: 'JOB_INVALID',
					stdout: '',
				});
			});

			test('by the command line, too', async () => {
				const path = join(jail.at.folder, 'table.csv');
				writeFileSync(path, 'a,b\n');
				const child = start(jail.at, ['run', '--no-check', '--language', 'bash', '--file', path, '-']);
				expect(await finish(child, 'cat /work/in/table.csv; exit 3')).toEqual({
					exitCode: 3,
					signal: null,
					stdout: 'a,b\n',
					stderr: '',
				});
			});
		});

		describe.concurrent('what a program leaves', () => {
			test('arrives with name, type and size', async () => {
				const code = 'mkdir /work/out/sub; echo 1,2 > /work/out/t.csv; printf "{}" > /work/out/sub/x.json; exit 1';
				const result = await jail.bash(code, { id: 'a/b' });
				const folder = join(jail.outDir, 'a%2Fb');
				expect(result.files).toEqual([
					{ name: 'sub/x.json', type: 'application/json', bytes: 2, preview: '{}', path: join(folder, 'sub/x.json') },
					{ name: 't.csv', type: 'text/csv', bytes: 4, preview: '1,2\n', path: join(folder, 't.csv') },
				]);
			});

			test('is nothing when the program leaves nothing', async () => {
				const result = await jail.bash('echo x > /tmp/.hidden');
				expect({ ...ended(result), files: result.files }).toEqual({ ...succeeded, files: [] });
			});

			test.each([
				['a link to a file of the host', 'ln -s /etc/passwd x; ln -s ../../../../etc/shadow y', ['x', 'y']],
				['a link to a folder', 'ln -s / x; ln -s . loop', ['loop', 'x']],
				['a pipe', 'mkfifo x', ['x']],
				['a pipe with a reader', 'mkfifo x; (cat x > /dev/null &)', ['x']],
				['a socket', `python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("s")'`, ['s']],
			])('comes without %s, which is named', async (_, code, names) => {
				expect(await left(jail, code)).toEqual({ ...incomplete, files: { '0.txt': 'kept\n' } });
				const { problem } = await jail.bash(`cd /work/out; ${code}`);
				const details = names.map((name) => `${name} (not an ordinary file)`).join(', ');
				expect(problem).toEqual(problemFor('FILES_INCOMPLETE', { details }));
			});

			test('in other places stays there, and is named whatever lies in /work/out', async () => {
				const code = `
import os
os.makedirs('results/deep/er')
for path in ('result.csv', 'b\\nc', 'results/r.csv', 'results/deep/d.csv', 'results/deep/er/e.csv', '/tmp/t.csv'): open(path, 'w')
`;
				const more = "open('/work/out/kept.csv', 'w'); open('kept.csv', 'w')";
				const names = '/tmp/t.csv, /work/b c, /work/result.csv, /work/results/r.csv';
				for (const [program, files] of [
					[code, []],
					[code + more, ['kept.csv']],
				] as const) {
					const result = await jail.python(program);
					expect([result.status, result.files.map(({ name }) => name), result.problem]).toEqual([
						...['succeeded', files],
						problemFor('FILES_ELSEWHERE', { names }),
					]);
				}
			});

			test.each([
				['below another folder', 'mkdir /work/results; touch /work/results/x'],
				['in /tmp', 'touch /tmp/x'],
			])('%s is named, too, where it is the only one', async (_where, code) => {
				expect((await jail.bash(code)).problem).toEqual(
					problemFor('FILES_ELSEWHERE', { names: / (\S+)$/.exec(code)?.[1] ?? '' }),
				);
			});

			test("in other places is nobody's result when it is hidden, of a library, or of a program that failed", async () => {
				const code = `
import os, tempfile
for folder in ('.config', '__pycache__', 'font_cache', '/tmp/matplotlib-x'): os.makedirs(folder); open(folder + '/x', 'w')
tempfile.mkdtemp(); tempfile.mkstemp(); open('.hidden', 'w'); open('/tmp/fontlist-v390.json', 'w')
`;
				expect((await jail.python(code)).problem).toBeNull();
				expect((await jail.python('open("half.csv", "w"); raise SystemExit(1)')).problem).toBeNull();
			});

			test('in a session is named when it is new, and not when it was there before', async () => {
				const session = `elsewhere of ${jail.identity.name}`;
				const call = (code: string) => jail.bash(code, { session });
				const named = (names: string) => problemFor('FILES_ELSEWHERE', { names });
				expect((await call('echo 1 > /work/one.csv')).problem?.message).toContain(named('/work/one.csv').message);
				const second = await call('cat /work/one.csv; echo 2 > /work/two.csv');
				expect([second.stdout, second.problem?.message.includes(named('/work/two.csv').message)]).toEqual([
					'1\n',
					true,
				]);
				expect((await call('cat /work/one.csv')).problem?.code).not.toBe('FILES_ELSEWHERE');
			});

			test('comes without a single file that is too large, which is named', async () => {
				const code =
					'cd /work/out; echo kept > 0.txt; truncate -s 65M huge.bin; truncate -s 1T worse.bin 2> /dev/null; exit 0';
				const { problem, files } = await jail.bash(code, { limits: { fileBytes: 128 * 1024 * 1024 } });
				const details = 'huge.bin (larger than 64 MiB)';
				expect([problem?.message.includes(details), files.map(({ name }) => name).slice(0, 1)]).toEqual([
					true,
					['0.txt'],
				]);
			});

			test('comes with what is real, however many empty files and holes stand in its way', async () => {
				const code = `for n in {1..120}; do : > "0$n"; truncate -s 60M "1$n"; done; head -c 5000 /dev/urandom > zz.bin; seq 9 > z.txt`;
				const { files, problem } = await jail.bash(`cd /work/out; ${code}`);
				expect(files.map(({ name }) => name).slice(-2)).toEqual(['z.txt', 'zz.bin']);
				expect(problem?.code).toBe('FILES_INCOMPLETE');
			});

			test('is not lost among 100 000 files, of which the jail takes no more than it has room for', async () => {
				const code = `
open('/work/out/kept.txt', 'w').write('kept')
made = 0
try:
    for n in range(100_000): open(f'/work/out/{n}', 'w').close(); made += 1
except OSError as error: print(error.strerror, made < ${fixedLimits.workInodes})
`;
				const { files, stdout, problem } = await jail.python(code);
				expect([stdout, files.length, files.at(-1)?.name]).toEqual([
					'No space left on device True\n',
					fixedLimits.outFiles,
					'kept.txt',
				]);
				expect(problem?.message).toMatch(/ and 19\d\d more\.$/);
			});

			test('is not spoiled by variables that would steer the collector', async () => {
				const env = { BASH_ENV: '/work/out/evil', TAR_OPTIONS: '--help', LC_ALL: 'xx', POSIXLY_CORRECT: '1' };
				const code = 'echo "echo 0 0 -; exit" > /work/out/evil; echo kept > /work/out/0.txt';
				const { files } = await jail.bash(code, { env });
				expect(files.map(({ name }) => name)).toEqual(['0.txt', 'evil']);
			});

			test('has every name of a file, and a file that was unreadable', async () => {
				expect(await left(jail, 'ln 0.txt 1.txt; echo secret > 2.txt; chmod 0 2.txt')).toEqual({
					...succeeded,
					files: { '0.txt': 'kept\n', '1.txt': 'kept\n', '2.txt': 'secret\n' },
				});
			});

			test('has names that are fit for a screen', async () => {
				const code = `echo a > $'new\\nline'; echo b > $'bad\\xff\\xfe'; echo c > $'\\e[31mred'; echo d > $'-rf'; echo e > ' '`;
				expect(await left(jail, code)).toEqual({
					...succeeded,
					files: {
						'0.txt': 'kept\n',
						'new line': 'a\n',
						'bad\ufffd\ufffd': 'b\n',
						red: 'c\n',
						'-rf': 'd\n',
						' ': 'e\n',
					},
				});
			});

			test('is not lost because another name is impossible on the host', async () => {
				const code = `echo x > "$(python3 -c 'import os; os.write(1, b"\\xff" * 200)')"; echo y > $'a\\x01'; mkdir a; echo z > a/b; echo end > zz`;
				const { files, ...end } = await left(jail, code);
				expect({ ...end, kept: [files['0.txt'], files.zz] }).toEqual({ ...incomplete, kept: ['kept\n', 'end\n'] });
			});

			test('stops at so many files', async () => {
				const { files, ...end } = await left(jail, 'for n in {1..1500}; do : > f$n; done');
				expect({ ...end, count: Object.keys(files).length }).toEqual({ ...incomplete, count: fixedLimits.outFiles });
			});

			test('stops at so many folders above each other', async () => {
				const code = `mkdir -p ${'d/'.repeat(40)} && echo deep > ${'d/'.repeat(40)}x; mkdir -p e/e && echo flat > e/e/y`;
				expect(await left(jail, code)).toEqual({
					...incomplete,
					files: { '0.txt': 'kept\n', 'e/e/y': 'flat\n' },
				});
			});

			test('stops at so many bytes, also of holes', async () => {
				const code = 'truncate -s 60M hole1; truncate -s 60M hole2; truncate -s 1T hole3 2>/dev/null; rm -f hole3';
				const result = await jail.bash(`cd /work/out; ${code}; exit 0`);
				expect({ ...ended(result), bytes: result.files.map(({ bytes }) => bytes) }).toEqual({
					...incomplete,
					bytes: [60 * 1024 * 1024],
				});
			});

			test('does not hold up the job when it is far too much', async () => {
				const since = performance.now();
				const result = await jail.bash('cd /work/out; for n in {1..500}; do truncate -s 60M f$n; done');
				expect({ ...ended(result), count: result.files.length }).toEqual({ ...incomplete, count: 1 });
				expect(performance.now() - since).toBeLessThan(12_000);
			});

			test('is nothing when the folder itself is a link', async () => {
				for (const target of ['/etc', '/proc/self', '/']) {
					const result = await jail.bash(`rmdir /work/out; ln -s ${target} /work/out`);
					expect({ ...ended(result), files: result.files }).toEqual({ ...succeeded, files: [] });
				}
			});

			test('is there as it was when a limit ended the program, and is called unfinished', async () => {
				const begun = 'echo half > /work/out/x; ( setsid sleep 99 & ); ';
				const [late, loud] = await Promise.all([
					jail.bash(`${begun} while :; do :; done`, { limits: { timeoutMs: 1_000 } }),
					jail.bash(`${begun} yes`),
				]);
				const unfinished = expect.stringContaining(problemFor('FILES_UNFINISHED').message);
				for (const result of [late, loud]) expect(taken(result).x).toBe('half\n');
				expect([late, loud].map(({ status, problem }) => [status, problem?.code, problem?.message])).toEqual([
					['timed_out', 'LIMIT_TIME', unfinished],
					['output_exceeded', 'LIMIT_OUTPUT', unfinished],
				]);
			});

			test('of a program that a limit ended cannot be changed by what it started', async () => {
				const code = `
import os, time
for number in range(30):
    if os.fork() == 0:
        os.setsid()
        while True:
            open(f'/work/out/{number}', 'a').write('x'); time.sleep(0.001)
while True: time.sleep(1)
`;
				const { status, files } = await jail.python(code, { limits: { timeoutMs: 1_500 } });
				expect([status, files.length, files.every(({ bytes }) => bytes > 0)]).toEqual(['timed_out', 30, true]);
			});

			test('cannot be changed on its way by what the program left running', async () => {
				const code = '(setsid bash -c "while :; do echo evil > /work/out/0.txt; done" &); sleep 0.2; exit 0';
				const { files } = await left(jail, `${code}`);
				expect(Object.keys(files)).toEqual(['0.txt']);
			});

			test.each(['.', '..', '...', '/', '%2e%2e'])(
				'never lands outside its folder, whatever the id: %s',
				async (id) => {
					const result = await jail.bash('echo x > /work/out/escaped', { id });
					expect(result.files[0]?.path).toBe(
						join(jail.outDir, encodeURIComponent(id).replaceAll('.', '%2E'), 'escaped'),
					);
					const outside = [jail.outDir, join(jail.outDir, '..')].map((folder) => existsSync(join(folder, 'escaped')));
					expect(outside).toEqual([false, false]);
				},
			);
		});
	},
	{ withFiles: true },
);

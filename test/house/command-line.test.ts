/** The command line as it is shipped: what needs no jail. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const main = 'dist/cli/main.js';

function secureCode(args: readonly string[], input = ''): { code: number | null; out: string; err: string } {
	const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { input, encoding: 'utf8' });
	return { code: status, out: stdout, err: stderr };
}

describe('help', () => {
	it('is printed by itself and with the exit code of a misuse when nothing was typed', () => {
		const [asked, typedNothing] = [secureCode(['--help']), secureCode([])];
		expect([asked.code, typedNothing.code, asked.err, typedNothing.out === asked.out]).toEqual([0, 64, '', true]);
	});

	it('names every command, and each explains itself', () => {
		const { out } = secureCode(['--help']);
		const names = [...out.matchAll(/^ {2}(\w+) {2,}/gm)].map(([, name = '']) => name);
		expect(names).toEqual(expect.arrayContaining(['run', 'check', 'doctor', 'setup', 'packages']));
		const pages = names.map((name) => secureCode([name, '--help']));
		expect(pages.map(({ code, err }) => [code, err])).toEqual(names.map(() => [0, '']));
		expect(pages.filter(({ out: page }, index) => !page.includes(`secure-code ${names[index]}`))).toEqual([]);
	});
});

describe('a misuse', () => {
	it.each([
		[['fly'], 'There is no command "fly".'],
		[['__proto__'], 'There is no command "__proto__".'],
		[['run', '--color'], "Unknown option '--color'"],
		[['run', '--timeout', '0', '-'], '--timeout 0: must be a number from 1 to 300'],
		[['run', '--secret', 'NO_SUCH_VARIABLE', '-'], '--secret NO_SUCH_VARIABLE: there is no such variable'],
		[['run', '/does/not/exist'], '/does/not/exist cannot be read'],
		[['run', 'a', 'b'], 'one program at a time; "b" is too many'],
		[['run', '--jsonl', '--concurrency', '0'], '--concurrency: must be 1 to 999'],
		[['check', '--language', 'ruby', '-'], '--language ruby: must be one of'],
		[['packages', 'explode'], 'packages: say add NAME..., remove NAME... or list'],
		[['packages', 'add'], 'packages: say add NAME..., remove NAME... or list'],
	])('%j ends with 64 and says what is wrong', (args, words) => {
		const { code, out, err } = secureCode(args);
		expect([code, out]).toEqual([64, '']);
		expect(err).toContain(words);
		expect(err).not.toMatch(/^\s+at /m);
	});
});

describe('check', () => {
	it('lets a clean program pass', () => {
		expect(secureCode(['check', '-'], 'import math\nprint(math.sqrt(2))\n')).toEqual({
			code: 0,
			out: 'clean (Python)\n',
			err: '',
		});
	});

	it('refuses a forbidden one with 65, and says where it is', () => {
		const { code, out } = secureCode(['check', '--json', '-'], 'import os\nos.system("ls")\n');
		const { language, verdict, findings } = JSON.parse(out);
		expect([code, language, verdict, findings[0].line]).toEqual([65, 'python', 'forbidden', 2]);
	});

	it('refuses one that is too long', () => {
		const { code } = secureCode(['check', '-'], `print(1)\n${'#'.repeat(limits.codeCharacters.default)}`);
		expect(code).toBe(65);
	});

	it('names the file of each program', () => {
		const folder = tempFolder();
		const files = ['a.py', 'b.js'].map((name) => join(folder, name));
		writeFileSync(files[0] ?? '', 'print(1)\n');
		writeFileSync(files[1] ?? '', 'console.log([1, 2].map((n) => n * n));\n');
		expect(secureCode(['check', ...files]).out).toBe(`${files[0]}: clean (Python)\n${files[1]}: clean (JavaScript)\n`);
	});

	it('answers every line of --jsonl, a bad one with a problem', () => {
		const lines = [
			'{"id":1,"code":"print(1)"}',
			'',
			'not json',
			'{"id":"x"}',
			'{"id":[2],"code":"console.log(1)","language":"javascript"}',
			'null',
		];
		const { code, out } = secureCode(['check', '--jsonl'], lines.join('\n'));
		const answers = out
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line))
			.map(({ id, language, verdict, problem }) => [id, language, verdict, problem?.code]);
		expect([code, answers]).toEqual([
			0,
			[
				[1, 'python', 'clean', undefined],
				[null, null, 'forbidden', 'JOB_INVALID'],
				['x', null, 'forbidden', 'JOB_INVALID'],
				[[2], 'javascript', 'clean', undefined],
				[null, null, 'forbidden', 'JOB_INVALID'],
			],
		]);
	});
});

describe('packages list', () => {
	it('is empty in a new data folder', () => {
		const env = { ...process.env, SECURE_CODE_HOME: tempFolder() };
		const list = (...more: string[]) =>
			execFileSync(process.execPath, [main, 'packages', 'list', ...more], { env, encoding: 'utf8' });
		expect([list(), list('--json')]).toEqual(['no packages\n', '{}\n']);
	});
});

describe('doctor', () => {
	it('cannot run where nsjail is not what the setting says, and names the fix', () => {
		const env = { ...process.env, SECURE_CODE_NSJAIL: '/does/not/exist' };
		const { status, stdout } = spawnSync(process.execPath, [main, 'doctor', '--json'], { env, encoding: 'utf8' });
		expect([status, JSON.parse(stdout)]).toEqual([
			2,
			{
				tier: 'none',
				backends: [
					{
						backend: 'nsjail',
						tier: null,
						steps: [
							{
								name: 'nsjail binary',
								status: 'failed',
								detail: 'SECURE_CODE_NSJAIL names no program',
								fix: expect.any(String),
							},
						],
					},
				],
			},
		]);
	});
});

describe('run without a sandbox', () => {
	const env = { ...process.env, SECURE_CODE_NSJAIL: '/does/not/exist' };
	const run = (args: readonly string[], input: string) =>
		spawnSync(process.execPath, [main, 'run', ...args], { env, input, encoding: 'utf8' });

	it('refuses with 69 and runs nothing', () => {
		const { status, stdout, stderr } = run(['-'], 'echo ran\n');
		expect([status, stdout]).toEqual([69, '']);
		expect(stderr).toContain('secure-code doctor');
	});

	it('answers every job of --jsonl, so that none is lost', () => {
		const { status, stdout } = run(['--jsonl'], '{"id":1,"code":"echo ran"}\n{"id":2}\n');
		const answers = stdout
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line))
			.map(({ id, status: how, problem }) => [id, how, problem.code])
			.sort(([a], [b]) => a - b);
		expect([status, answers]).toEqual([
			0,
			[
				[1, 'broken', 'SANDBOX_UNAVAILABLE'],
				[2, 'denied', 'JOB_INVALID'],
			],
		]);
	});
});

/** Where no jail can be had nothing runs, and what cannot be understood is answered, not skipped. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Answer, asEachIdentity, ended, finish, type Jail, start } from '../helpers/jail.ts';

const touch = (path: string) => `import os, pathlib; pathlib.Path(${JSON.stringify(path)}).touch(); print("ran")`;

function script(jail: Jail, name: string, text: string): string {
	const path = join(jail.at.folder, name);
	writeFileSync(path, text);
	chmodSync(path, 0o755);
	return path;
}

const answersTo = async (jail: Jail, lines: readonly string[], env = {}) => {
	const ran = await finish(start(jail.at, ['run', '--jsonl', '--no-check'], { env }), lines.join('\n'));
	return {
		...ran,
		answers: ran.stdout
			.trim()
			.split('\n')
			.map((line): Answer => JSON.parse(line)),
	};
};

asEachIdentity((jail) => {
	describe('without a jail', () => {
		test.each([
			['nothing', () => '/no/such/nsjail'],
			['a folder', () => '/usr/bin'],
			['a program that does nothing', () => '/bin/true'],
			['a program that fails', () => '/bin/false'],
			[
				'a program that runs what it is given',
				() => script(jail, 'runs-it', '#!/bin/sh\nexec python3 -c "print(1)"\n'),
			],
			['a program that hangs up', () => script(jail, 'hangs-up', '#!/bin/sh\nexec 3>&- 1>&- 2>&-; sleep 1\n')],
		])('nothing runs when SECURE_CODE_NSJAIL names %s', async (_, path) => {
			const proof = join(jail.at.env.TMPDIR ?? '', 'ran-outside');
			const child = start(jail.at, ['run', '--no-check', '--language', 'python', '-'], {
				env: { SECURE_CODE_NSJAIL: path() },
			});
			const { exitCode, stdout, stderr } = await finish(child, touch(proof));
			expect({ exitCode, stdout, ran: existsSync(proof) }).toEqual({ exitCode: 69, stdout: '', ran: false });
			expect(stderr).toContain('no sandbox can run on this machine');
			expect(stderr).toContain('secure-code doctor');
		});

		test('each job line gets its answer', async () => {
			const lines = [1, 2].map((id) => JSON.stringify({ id, code: 'print("ran")', language: 'python' }));
			const { answers, exitCode } = await answersTo(jail, lines, { SECURE_CODE_NSJAIL: '/no/such/nsjail' });
			const broken = { status: 'broken', exitCode: null, signal: null, problem: 'SANDBOX_UNAVAILABLE' };
			expect({ exitCode, ends: answers.map(ended), outputs: answers.map(({ stdout }) => stdout) }).toEqual({
				exitCode: 0,
				ends: [broken, broken],
				outputs: ['', ''],
			});
		});

		test('a language whose interpreter is not there is refused', async () => {
			const child = start(jail.at, ['run', '--no-check', '--language', 'python', '-'], {
				env: { SECURE_CODE_PYTHON: '/no/such/python' },
			});
			const { exitCode, stdout, stderr } = await finish(child, 'print(1)');
			expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: '' });
			expect(stderr).toContain('Python was not found');
		});

		test('an empty list of hosts is no network', async () => {
			const none = await jail.bash('echo ran; cat /proc/self/net/dev | tail -n +3 | cut -d: -f1 | tr -d " "', {
				network: [],
			});
			expect(none.stdout).toBe('ran\nlo\n');
		});
	});

	test('bad lines are answered with their id, and the lines around them run', async () => {
		const good = (id: string | number) => JSON.stringify({ id, language: 'bash', code: 'echo ok' });
		const lines = [
			good('first'),
			'not json',
			'[]',
			'null',
			'"text"',
			'{"code":"echo no id"}',
			'{"id":{"a":1},"code":"echo odd id"}',
			'{"id":"empty"}',
			'{"id":"two","code":"a","script":"b"}',
			'{"id":"unknown","code":"a","colour":"red"}',
			'{"id":"language","code":"a","language":"perl"}',
			'{"id":"limits","code":"a","limits":"none"}',
			'{"id":"type","code":1}',
			'{"id":"secret","code":"echo ok","language":"bash","secrets":["N8N_ENCRYPTION_KEY"]}',
			'{"id":"env","code":"echo ok","env":{"A=B":"c"}}',
			'{"id":"proto","language":"bash","code":"echo ok","__proto__":{"network":"full"}}',
			`{"id":"deep","code":"echo ok","data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
			'   ',
			good(0),
			good(''),
			good('last'),
		];
		const { answers, exitCode } = await answersTo(jail, lines);
		const words = answers.map((answer) => [answer.id, answer.status, answer.problem?.code ?? answer.stdout]);
		const invalid = (id: string | null) => [id, 'denied', 'JOB_INVALID'];
		const unsupported = (id: string) => [id, 'denied', 'JOB_UNSUPPORTED'];
		const ok = (id: string | number) => [id, 'succeeded', 'ok\n'];
		const sorted = (rows: unknown[][]) => rows.map((row) => JSON.stringify(row)).sort();
		const deep = words.filter(([id]) => id === 'deep');
		expect(deep).toHaveLength(1);
		expect(exitCode).toBe(0);
		expect(sorted(words.filter(([id]) => id !== 'deep'))).toEqual(
			sorted([
				...['first', 'proto', 0, '', 'last'].map(ok),
				...[null, null, null, null, null, null].map(invalid),
				...['empty', 'two', 'unknown', 'language', 'limits', 'type', 'env'].map(invalid),
				...['secret'].map(unsupported),
			]),
		);
	});

	test('a line without an end is a line', async () => {
		const { answers } = await answersTo(jail, ['{"id":1,"language":"bash","code":"echo ok"}']);
		expect(answers.map(({ id, stdout }) => [id, stdout])).toEqual([[1, 'ok\n']]);
	});

	test('arguments and variables that are too many or too long are refused, and none can end the configuration', async () => {
		const answers = await Promise.all([
			jail.run({ argv: Array(501).fill('x') }),
			jail.run({ argv: ['echo', 'x'.repeat(200_000)] }),
			jail.bash('echo ran', { env: { A: 'ñ'.repeat(70_000) } }),
			jail.bash('echo ran', {
				env: Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`A${n}`, 'x'.repeat(100_000)])),
			}),
			jail.run({ argv: ['printf', '%s', '"} mount { src: "/" dst: "/host" is_bind: true }'] }),
			jail.python('print(len(__import__("sys").argv))', {
				env: { X: '\u0000mount { src: "/" dst: "/h" is_bind: true }' },
			}),
		]);
		expect(answers.map(({ status, stdout }) => [status, stdout])).toEqual([
			['denied', ''],
			['denied', ''],
			['denied', ''],
			['denied', ''],
			['succeeded', '"} mount { src: "/" dst: "/host" is_bind: true }'],
			['denied', ''],
		]);
	});
});

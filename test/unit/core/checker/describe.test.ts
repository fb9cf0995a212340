import { describe, expect, it } from 'vitest';
import { check } from '../../../../src/core/checker/check.ts';
import { describeFindings } from '../../../../src/core/checker/describe.ts';
import { type CheckOptions, checkOptionsSchema } from '../../../../src/core/checker/options.ts';

const told = (code: string, asked: Partial<CheckOptions> = {}): string[] => {
	const options = checkOptionsSchema.parse(asked);
	return describeFindings(check(code, options), options).split('\n');
};

describe('the text for the model', () => {
	it('numbers the problems, resolves the names, gives a way out and says the policy once', () => {
		expect(
			told('import os as o\no.popen("ls")\nopen("/etc/out.csv", "w")', {
				language: 'python',
				allowedImports: ['os', 'json'],
			}),
		).toEqual([
			'Code was not run: 2 problems. Fix all of them and send the whole program again.',
			'1. line 2, col 1 [PY-EXEC, CWE-78] `o.popen` is os.popen: it starts another program, and subprocesses are off in this sandbox.',
			'   Instead: Use os.listdir("/work"), pathlib or shutil; send shell commands with language "bash".',
			'2. line 3, col 1 [PY-FSWRITE, CWE-22] `open("/etc/out.csv", "w")`: it writes /etc/out.csv; only /work and /tmp are writable.',
			'   Instead: Use a path below /work, for example "/work/out/out.csv".',
			'Allowed here: network off; modules: os, json; files: /work, /tmp.',
		]);
	});

	it('says which language was assumed when it was found out', () => {
		expect(told('rm -rf /etc').at(-1)).toBe('Language detected as Bash; pass "language" to override.');
	});

	it('points at the place of a syntax error', () => {
		expect(told('x = 1\ny = (2 +\n', { language: 'javascript' }).slice(1, 4)).toEqual([
			'1. line 3, col 1 [JS-SYNTAX] syntax error: Unexpected token.',
			'   ',
			'   ^',
		]);
	});

	it('tells warnings without refusing', () => {
		expect(told('sudo ls', { language: 'bash' })).toEqual([
			'1 warning:',
			'1. line 1, col 1 [BASH-PRIV, CWE-250, warning] `sudo ls`: there is no sudo in the sandbox.',
			'   Instead: Run the command without sudo.',
		]);
	});

	it('says nothing about a clean program', () => {
		expect(told('print(1)')).toEqual(['']);
	});
});

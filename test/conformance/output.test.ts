/** What a program prints is kept within bounds and made fit for a model, whatever the program does. */
import { describe, expect, test } from 'vitest';
import { fixedLimits, limits } from '../../src/contract/limits.ts';
import { asEachIdentity, ended, printed, succeeded } from '../helpers/jail.ts';

const keep = limits.outputBytes.default;
const exceeded = { status: 'output_exceeded', exitCode: null, signal: 'SIGKILL', problem: limits.outputBytes.problem };

asEachIdentity((jail) => {
	describe('floods', () => {
		test('three megabytes are a success, cut in the middle and marked', async () => {
			const result = await jail.python('print("first")\nprint("x" * 3_000_000)\nprint("last")');
			expect({ ...ended(result), truncated: result.truncated }).toEqual({
				...succeeded,
				truncated: { stdout: true, stderr: false },
			});
			expect(result.stdout.length).toBeGreaterThanOrEqual(keep);
			expect(result.stdout.length).toBeLessThan(keep + 100);
			expect(result.stdout).toMatch(/^first\nx+\n\[… \d+ bytes cut …\]\nx+\nlast\n$/);
		});

		test('the length that is kept is the one that was asked for', async () => {
			const result = await jail.python('print("x" * 5000)', { limits: { outputBytes: 1024 } });
			expect(result.stdout).toBe(`${'x'.repeat(512)}\n[… ${5001 - 1024} bytes cut …]\n${'x'.repeat(511)}\n`);
		});

		test.each([
			['stdout', 'yes'],
			['stderr', 'yes >&2'],
			['both', 'yes & yes >&2'],
		])('a flood on %s is ended, and an innocent neighbour is unharmed', async (_, code) => {
			const flood = jail.bash(code);
			const neighbour = jail.python('import time\nfor n in range(5): print(n, flush=True); time.sleep(0.05)');
			expect(printed(await neighbour)).toBe('0\n1\n2\n3\n4\n');
			const result = await flood;
			expect(ended(result)).toEqual(exceeded);
			expect(result.problem?.message).toContain(`${fixedLimits.totalOutputBytes / 1024 / 1024} MB`);
			expect(result.stdout.length + result.stderr.length).toBeLessThan(2 * keep + 200);
		});

		test('a flood in the background ends with the program', async () => {
			const result = await jail.bash('yes | head -c 100000 > /dev/null & (sleep 30; yes) & echo done');
			expect(printed(result)).toBe('done\n');
		});
	});

	describe.concurrent('cleaning', () => {
		test.each([
			['colours', String.raw`\x1b[1;31mred\x1b[0m`, 'red'],
			['movements of the cursor', String.raw`a\x1b[2J\x1b[1;1Hb`, 'ab'],
			['a title', String.raw`a\x1b]0;owned\x07b`, 'ab'],
			['a write to the clipboard', String.raw`a\x1b]52;c;cm0gLXJmIC8=\x07b`, 'ab'],
			['a link', String.raw`\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\`, 'text'],
			['a string for the terminal', String.raw`a\x1bP1$tx\x1b\\b`, 'ab'],
			['sequences of C1', String.raw`a\xc2\x9b31mb\xc2\x9d0;t\xc2\x9cc`, 'abc'],
			['NUL and BEL', String.raw`a\x00\x07b`, 'ab'],
			['backspaces', String.raw`good\b\b\b\bbad`, 'goodbad'],
			['carriage returns', String.raw`a\r\nb\rc`, 'a\nb\nc'],
			['bytes that are no UTF-8', String.raw`a\xff\xfe\xc3b`, 'a\ufffd\ufffd\ufffdb'],
			['a byte order mark', String.raw`\xef\xbb\xbfa`, '\ufeffa'],
		])('takes %s out of both streams', async (_, bytes, clean) => {
			const result = await jail.bash(`printf '${bytes}'; printf '${bytes}' >&2`);
			expect({ ...ended(result), stdout: result.stdout, stderr: result.stderr }).toEqual({
				...succeeded,
				stdout: clean,
				stderr: clean,
			});
		});

		test('a character that arrives in two pieces stays whole', async () => {
			const code = `
import os, time
for part in (b'\\xf0\\x9f', b'\\xa6\\xa4'):
    os.write(1, part)
    time.sleep(0.1)
`;
			expect(printed(await jail.python(code))).toBe('🦤');
		});
	});
});

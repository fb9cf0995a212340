/** secure-code agent policy as it is shipped: nothing is run, so it needs no jail. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../helpers/temp-folder.ts';

function policy(...args: string[]): { code: number | null; out: string; err: string } {
	const words = ['dist/cli/main.js', 'agent', 'policy', ...args];
	const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
	return { code: status, out: stdout, err: stderr };
}

function file(name: string, text: string): string {
	const path = join(tempFolder(), name);
	writeFileSync(path, text);
	return path;
}

describe('explain', () => {
	it('says which rule decided, and what would run', () => {
		const { code, out } = policy('explain', '--policy', 'read-only', '--', 'ls', '-la');
		expect([code, out.split('\n').slice(0, 3)]).toEqual([
			0,
			['allow', '  allow program/ls: ls may be run so (ls -la)', 'runs: ["ls","-la"]'],
		]);
	});

	it('prints the whole decision as JSON', () => {
		const { out } = policy('explain', '--policy', 'strict', '--json', '--script', 'ls | wc -l');
		const { decision, plan, reasons } = JSON.parse(out);
		expect([decision, plan, reasons[0].rule]).toEqual(['deny', null, 'limit/script']);
	});
});

describe('test', () => {
	it('ends with 0 when all is as expected, and with 1 and a line for each command that is not', () => {
		const good = file('good.yaml', '- { command: ls, expect: allow }\n');
		const bad = file('bad.jsonl', '{"command":"rm x","expect":"ask"}\n');
		expect(policy('test', '--policy', 'read-only', good)).toEqual({
			code: 0,
			out: 'read-only: its own examples hold; 1 commands tried, 0 decided otherwise\n',
			err: '',
		});
		const { code, out } = policy('test', '--policy', 'read-only', good, bad);
		expect([code, out.split('\n')[0]]).toEqual([
			1,
			`${bad}: "rm x": expected ask, but default says deny: no rule allows rm`,
		]);
	});

	it('ends with 78 for a policy whose own examples fail, and names rule and example', () => {
		const broken = file(
			'p.yaml',
			`version: 1
name: broken
profiles: { jail: {} }
shipped: [files]
capabilities: { shell.run: { profile: jail, programs: [ls], allows: [cat x] } }
`,
		);
		const { code, err } = policy('test', '--policy', broken);
		expect(code).toBe(78);
		expect(err).toContain('capability shell.run: "cat x" must be decided allow');
	});
});

describe('import', () => {
	it('prints a policy that can be loaded again', () => {
		const source = file('allowed_commands.json', '{"commands":["ls"],"paths":["/srv"]}');
		const { code, out } = policy('import', 'ogent', source);
		const { code: again } = policy('test', '--policy', file('imported.yaml', out));
		expect([code, out.split('\n')[0], again]).toEqual([0, '# Imported. What became narrower than it was:', 0]);
	});
});

describe('a misuse', () => {
	it.each([
		[[]],
		[['fly']],
		[['explain', '--policy', 'read-only']],
		[['explain', '--policy', 'read-only', '--script', 'ls', '--', 'ls']],
		[['import', 'ansible', 'x']],
		[['import', 'ogent', '/does/not/exist']],
		[['show', 'none']],
		[['test', '--policy', '/does/not/exist']],
	])('%j ends with 64', (args) => {
		const { code, out, err } = policy(...args);
		expect([code, out]).toEqual([64, '']);
		expect(err).not.toMatch(/^\s+at /m);
	});
});

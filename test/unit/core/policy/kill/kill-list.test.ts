/** The kill list finds what it forbids in every disguise, and says nothing about harmless uses and mentions. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { killReasons } from '../../../../../src/core/policy/kill/kill-list.ts';

const read = (name: string): Record<string, string[]> =>
	parse(readFileSync(`test/fixtures/policy/${name}.yaml`, 'utf8'));

const rulesOf = (script: string, shell: 'bash' | 'powershell' = 'bash', capability = 'shell.run') =>
	killReasons({
		capability,
		command: { mode: 'script', script, shell },
		isPowershell: shell === 'powershell',
		cwd: undefined,
		own: ['/srv/agent'],
	}).map(({ rule }) => rule);

describe.each(Object.entries(read('kill')))('kill-list/%s', (rule, scripts) => {
	it.each(scripts)('%s', (script) => {
		expect(rulesOf(script)).toContain(`kill-list/${rule}`);
	});
});

describe.each(Object.entries(read('kill-powershell')))('kill-list/%s in PowerShell', (rule, scripts) => {
	it.each(scripts)('%s', (script) => {
		expect(rulesOf(script, 'powershell')).toContain(`kill-list/${rule}`);
	});
});

describe('what costs too much to be understood', () => {
	it('is denied, for it may hide anything', () => {
		const list = `a="x y"\n${'a="$a $a"\necho $a\n'.repeat(400)}rm -rf /`;
		expect(rulesOf(list)).toEqual(['limit/work']);
	});

	it('hides nothing where a list without end is only beside it', () => {
		const inner = `a=["x"]\n${'a=a+a\n'.repeat(27)}`;
		expect(rulesOf(`python3 -c '${inner}'; rm -rf /`)).toEqual(['kill-list/delete-tree']);
	});
});

describe('the kill list says nothing about', () => {
	const harmless = read('no-kill');
	it.each(harmless.bash ?? [])('%s', (script) => {
		expect(rulesOf(script)).toEqual([]);
	});

	it.each(harmless.powershell ?? [])('%s (PowerShell)', (script) => {
		expect(rulesOf(script, 'powershell')).toEqual([]);
	});
});

describe('the kill list', () => {
	it('looks at words without a shell the same way', () => {
		const reasons = killReasons({
			capability: 'shell.run',
			command: { mode: 'argv', argv: ['sudo', 'rm', '-rf', '/'] },
			isPowershell: false,
			cwd: undefined,
			own: [],
		});
		expect(reasons).toEqual([
			{
				rule: 'kill-list/delete-tree',
				class: 'kill-list',
				decision: 'deny',
				why: 'nobody may delete, move away or open to all the root, a system tree or a home folder',
				command: 'rm -rf /',
			},
		]);
	});

	it('counts from the folder that the job starts in', () => {
		const at = (cwd: string) =>
			killReasons({
				capability: 'shell.run',
				command: { mode: 'script', script: 'rm -rf *', shell: 'bash' },
				isPowershell: false,
				cwd,
				own: [],
			});
		expect([at('/').length, at('/home/bob').length, at('/srv/app').length]).toEqual([1, 1, 0]);
	});

	const copies = [
		'dd if=/dev/zero of=/tmp/x bs=1M count=1',
		'sudo "d"d of=x IF=y',
		"bash -c 'dd if=a'",
		'x=dd; $x if=a',
	];

	it.each(copies)('lets nobody copy with dd in a free script: %s', (script) => {
		const rules = ['shell.eval', 'shell.eval.admin', 'shell.evaluate', 'shell.run'].map((capability) =>
			rulesOf(script, 'bash', capability),
		);
		expect(rules).toEqual([['kill-list/raw-copy'], ['kill-list/raw-copy'], [], []]);
	});

	it.each(['dd of=x bs=1 count=1', 'grep "dd if=" notes', 'echo dd if=x', 'rm -rf /tmp/x'])(
		'lets a free script go on with %j',
		(script) => {
			expect(rulesOf(script, 'bash', 'shell.eval')).toEqual([]);
		},
	);
});

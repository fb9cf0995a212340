import { describe, expect, it } from 'vitest';
import { decide } from '../../../../../src/core/policy/decide.ts';
import { loadPolicy } from '../../../../../src/core/policy/load.ts';
import { windowsCommands } from '../../../../../src/core/policy/powershell/words.ts';

const policy = loadPolicy(`
version: 1
name: windows
profiles: { jail: {} }
deny: [{ name: no-stop, why: services stay, programs: [stop-service], matches: [stop-service x] }]
capabilities:
  shell.eval:
    profile: jail
    programs: []
    accepts: [script]
    scripts: free
    shells: [powershell]
    autoApprove: ["Get-.*", "(?i)hostname"]
    otherwise: ask
  shell.run: { profile: jail, programs: [], shells: [powershell] }
`);

const ask = (script: string, capability = 'shell.eval') =>
	decide(policy, {
		principal: { roles: ['executor'], capabilities: ['*'] },
		capability,
		command: { mode: 'script', script, shell: 'auto' },
		env: {},
		deviceId: 'd',
	});

describe('a PowerShell script', () => {
	it.each(['Get-Process', "Get-ChildItem 'C:\\Program Files'", 'Get-Date; hostname', 'Get-Process | Get-Member'])(
		'runs where a pattern approves every command: %s',
		(script) => {
			const { decision, plan } = ask(script);
			expect([decision, plan]).toEqual(['allow', { mode: 'script', script, shell: 'powershell' }]);
		},
	);

	it.each([
		'Remove-Item x',
		'Get-Process; Remove-Item x',
		'Get-Process | ForEach-Object { Stop-Process $_ }',
		'Get-Content $x',
		'Get-Date $(Remove-Item x)',
		'Get-Date (Remove-Item x)',
		'Get-Date > x',
		'Get-Date @args',
		'& Get-Date',
		'Get-`Date',
		'Get-Process | Invoke-Expression',
		'',
	])('is asked about otherwise: %s', (script) => {
		expect(ask(script).decision).toBe('ask');
	});

	it('is denied where scripts are not free, by the rules of the operator, and by the kill list', () => {
		expect(ask('Get-Process', 'shell.run').decision).toBe('deny');
		expect(ask('Stop-Service Spooler').reasons[0]?.rule).toBe('deny/no-stop');
		expect(ask('Stop-Computer').reasons[0]?.rule).toBe('kill-list/power');
	});
});

describe('windowsCommands', () => {
	it('tells commands and words, and replaces aliases', () => {
		expect(windowsCommands(`rm -r 'a b' "c d"; C:\\Windows\\NET.exe user|iex`)).toEqual([
			{ name: 'remove-item', written: 'rm', args: ['-r', 'a b', 'c d'], isPlain: true },
			{ name: 'net', written: 'C:\\Windows\\NET.exe', args: ['user'], isPlain: true },
			{ name: 'invoke-expression', written: 'iex', args: [], isPlain: true },
		]);
	});
});

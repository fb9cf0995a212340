/** Each stage has its say, all of them are told, and the strictest decides. */
import { describe, expect, it } from 'vitest';
import type { PolicyDecision } from '../../../../src/contract/policy.ts';
import { decide, type Question } from '../../../../src/core/policy/decide.ts';
import { loadPolicy } from '../../../../src/core/policy/load.ts';
import { questionOf } from '../../../helpers/question.ts';

const policy = loadPolicy(
	`
version: 1
name: stages
profiles:
  jail: { timeoutMs: 9000, outputBytes: 5000 }
  box: { backend: docker, images: ["alpine:3"] }
paths: { read: [/usr], write: [/srv] }
environment: [LANG, "LC_*"]
shipped: [files, text, shell]
programs:
  - { name: any, anyArguments: true, deniedFlags: "--evil" }
  - { name: starts, anyArguments: true, isExecCapable: true }
deny:
  - { name: no-secrets, why: it looks for secrets, pattern: "(?i)password", in: text }
  - { name: no-tac, why: tac is odd, programs: [tac] }
  - { name: no-rec, why: it takes long, programs: [grep], pattern: " -[a-zA-Z]*r", capabilities: [shell.run] }
ask:
  - { name: big, why: it may be big, pattern: "^du " }
capabilities:
  shell.run: { profile: jail, programs: "*", timeoutMs: 5000 }
  shell.ask: { profile: jail, programs: [ls, any, starts], otherwise: ask, unlisted: deny, isHighRisk: true, requiresApproval: true }
  shell.some: { profile: jail, programs: [ls], devices: ["web-*"], accepts: [argv] }
  shell.box: { profile: box, programs: [ls], containers: [web, "db-*"] }
  shell.auto: { profile: jail, programs: "*", scripts: free, otherwise: ask, requiresApproval: true, autoApprove: ["git (status|log).*", "make test"] }
roles: { executor: [shell.*], admin: ["*"] }
`,
	{ ownPaths: ['/srv/agent'] },
);

type Extra = Partial<Omit<Question, 'command' | 'capability'>>;

function ask(capability: string, command: string | string[], extra: Extra = {}): PolicyDecision {
	return decide(policy, questionOf(capability, command, { deviceId: 'web-1', ...extra }));
}

const said = ({ decision, reasons }: PolicyDecision): string =>
	`${decision}: ${reasons
		.filter((one) => one.decision === decision)
		.map(({ rule }) => rule)
		.join(' ')}`;

describe('the policy says', () => {
	it.each<[string, string, string | string[], Extra, string]>([
		['nothing against', 'shell.run', 'ls', {}, 'allow: program/ls'],
		[
			'all that it has',
			'shell.run',
			'tac /etc/x; PATH=/x rm -rf /',
			{},
			'deny: kill-list/delete-tree deny/no-tac environment/forbidden path/read default',
		],
		['too long', 'shell.run', 'x'.repeat(20_000), {}, 'deny: limit/bytes'],
		['no text', 'shell.run', 'ls \ud800', {}, 'deny: syntax/characters'],
		['no text', 'shell.run', ['ls', 'a\0b'], {}, 'deny: syntax/characters'],
		['no text', 'shell.run', ['ls', 'a\rb'], {}, 'deny: syntax/characters'],
		['no text', 'shell.run', 'ls', { env: { LANG: '\u001b[2J' } }, 'deny: syntax/characters'],
		['no script', 'shell.run', 'ls (', {}, 'deny: syntax/script'],
		['too many commands', 'shell.run', 'ls;'.repeat(60), {}, 'deny: limit/script'],
		['too deep', 'shell.run', `${'( '.repeat(12)}ls${' )'.repeat(12)}`, {}, 'deny: limit/script'],
		['too deep', 'shell.run', ['env', 'env', 'env', 'env', 'env', 'env', 'env', 'ls'], {}, 'deny: limit/depth'],
		['unknown capability', 'shell.fly', 'ls', {}, 'deny: capability/unknown'],
		['role', 'shell.run', 'ls', { principal: { roles: ['viewer'], capabilities: ['*'] } }, 'deny: role/submit'],
		[
			'key',
			'shell.run',
			'ls',
			{ principal: { roles: ['executor'], capabilities: [] } },
			'deny: capability/not-granted',
		],
		[
			'key',
			'shell.run',
			'ls',
			{ principal: { roles: ['executor'], capabilities: ['shell.some'] } },
			'deny: capability/not-granted',
		],
		['key', 'shell.run', 'ls', { principal: { roles: ['executor'], capabilities: ['shell.*'] } }, 'allow: program/ls'],
		['device', 'shell.some', ['ls'], { deviceId: 'db-1' }, 'deny: capability/device'],
		['device', 'shell.some', ['ls'], {}, 'allow: program/ls'],
		['scripts', 'shell.some', 'ls', {}, 'deny: capability/accepts'],
		['shell', 'shell.run', 'ls', {}, 'allow: program/ls'],
		['image', 'shell.box', 'ls', { image: 'evil:1' }, 'deny: capability/image'],
		['image', 'shell.box', 'ls', { image: 'alpine:3' }, 'allow: program/ls'],
		['container', 'shell.box', 'ls', { container: 'db-2' }, 'allow: program/ls'],
		['container', 'shell.box', 'ls', { container: 'mail' }, 'deny: capability/container'],
		['container', 'shell.box', 'ls', { container: '--privileged' }, 'deny: capability/container'],
		['no containers', 'shell.run', 'ls', { container: 'web' }, 'deny: capability/no-containers'],
		['operator, text', 'shell.run', 'grep PassWord x', {}, 'deny: deny/no-secrets'],
		['operator, pattern', 'shell.run', 'grep -ir x', {}, 'deny: deny/no-rec'],
		['operator, inside', 'shell.run', "sh -c 'tac x'", {}, 'deny: deny/no-tac'],
		['operator, asks', 'shell.run', 'du -sh .', {}, 'ask: ask/big'],
		['environment', 'shell.run', 'ls', { env: { LANG: 'C', LC_ALL: 'C' } }, 'allow: program/ls'],
		['environment', 'shell.run', 'ls', { env: { FOO: '1' } }, 'deny: environment/not-listed'],
		['environment', 'shell.run', 'ls', { env: { LD_PRELOAD: '1' } }, 'deny: environment/forbidden'],
		['environment', 'shell.run', 'LANG=C ls', {}, 'allow: program/ls'],
		['environment', 'shell.run', 'FOO=1 ls', {}, 'deny: environment/not-listed'],
		['environment', 'shell.run', 'FOO=1; ls', {}, 'allow: program/ls'],
		['environment', 'shell.run', 'LANG=x; ls', { env: { LANG: 'C' } }, 'allow: program/ls'],
		['folder', 'shell.run', 'ls', { cwd: '/usr/share' }, 'allow: program/ls'],
		['folder', 'shell.run', 'ls ../../etc', { cwd: '/usr/share' }, 'deny: path/read'],
		['folder', 'shell.run', 'ls', { cwd: '/etc' }, 'deny: path/cwd'],
		['folder', 'shell.run', 'ls', { cwd: '../x' }, 'deny: path/cwd'],
		['no program', 'shell.run', 'x=1', {}, 'allow: script/no-program'],
		['no program', 'shell.run', '[[ -f /usr/x ]]', {}, 'allow: script/no-program'],
		['no program', 'shell.run', '[[ -f /etc/x ]]', {}, 'deny: path/read'],
		['no program', 'shell.run', '# nothing', {}, 'deny: default'],
		['own', 'shell.run', 'echo x > /srv/agent/x', {}, 'deny: kill-list/own-state path/write'],
		['any arguments', 'shell.run', 'any -x --file=/usr/x y', {}, 'allow: program/any'],
		['any arguments', 'shell.run', 'any --file=/etc/x', {}, 'deny: path/read'],
		['any arguments', 'shell.run', 'any -I/etc/x', {}, 'deny: path/read'],
		['any arguments', 'shell.run', 'any a:/etc/x', {}, 'deny: path/read'],
		['any arguments', 'shell.run', 'any @/etc/x', {}, 'deny: path/read'],
		['any arguments', 'shell.run', 'any ../x', {}, 'deny: path/read path/read'],
		['any arguments', 'shell.run', 'any *', {}, 'deny: program/any'],
		['any arguments', 'shell.run', 'any --evil=1', {}, 'deny: program/any'],
		['any arguments', 'shell.run', 'any http://x/../y', {}, 'allow: program/any'],
		['starts others', 'shell.run', 'starts', {}, 'deny: program/starts'],
		['starts others', 'shell.ask', 'starts', {}, 'ask: capability/approval program/starts'],
		['not listed', 'shell.ask', 'cat x', {}, 'deny: default'],
		['approved', 'shell.auto', 'git status', {}, 'allow: auto-approve'],
		['approved', 'shell.auto', 'git log -1; git status', {}, 'allow: auto-approve auto-approve'],
		['not approved', 'shell.auto', 'git status; ls', {}, 'ask: capability/approval'],
		['not approved', 'shell.auto', 'evil git status', {}, 'ask: capability/approval default'],
		['not approved', 'shell.auto', 'git status > /etc/x', {}, 'deny: path/write'],
		['not approved', 'shell.auto', 'git log -c --ext-diff', {}, 'ask: capability/approval default'],
		['not approved', 'shell.auto', 'git status $(ls)', {}, 'ask: capability/approval script/not-understood'],
		['confined', 'shell.ask', 'starts', { paths: ['/usr'] }, 'deny: program/starts'],
	])('%s (%s): %j', (_what, capability, command, extra, expected) => {
		expect(said(ask(capability, command, extra))).toBe(expected);
	});

	it('how long it may take and how much it may print, at most', () => {
		expect(ask('shell.run', 'ls').limits).toEqual({ timeoutMs: 5000, outputBytes: 5000 });
		expect(ask('shell.ask', 'ls').limits).toEqual({ timeoutMs: 9000, outputBytes: 5000 });
	});

	it('that approval must be typed in where the capability says so, or where nobody understands a script', () => {
		const risks = [
			ask('shell.ask', 'ls'),
			ask('shell.auto', 'ls'),
			ask('shell.auto', 'ls $(x)'),
			ask('shell.run', 'ls'),
		];
		expect(risks.map(({ isHighRisk }) => isHighRisk)).toEqual([true, false, true, false]);
	});

	it('what a free script is as it came only where it is not understood', () => {
		expect(ask('shell.auto', 'ls  -l').plan).toEqual({ mode: 'argv', argv: ['ls', '-l'] });
		expect(ask('shell.auto', 'ls  $(x)').plan).toEqual({ mode: 'script', script: 'ls  $(x)', shell: 'bash' });
	});

	it('nothing about conditions that only bash has, where sh was asked for', () => {
		const question = { mode: 'script' as const, script: '[[ a == b ]]', shell: 'sh' as const };
		const decided = decide(policy, {
			principal: { roles: ['executor'], capabilities: ['*'] },
			capability: 'shell.run',
			command: question,
			env: {},
			deviceId: 'd',
		});
		expect(said(decided)).toBe('deny: script/not-understood');
	});
});

import { describe, expect, it } from 'vitest';
import { decide } from '../../../../src/core/policy/decide.ts';
import { loadPolicy } from '../../../../src/core/policy/load.ts';

const policy = loadPolicy(`
version: 1
name: small
profiles: { jail: {} }
paths: { read: [/var/log], hide: [/var/log/private] }
programs:
  - { name: ls, flags: "-l -a", positionals: "path*" }
  - { name: grep, flags: "-i -v", positionals: "text path*" }
  - { name: echo, positionals: "text*", isHarmlessWithAnyFlag: true }
capabilities:
  shell.run: { profile: jail, programs: "*", allows: ["ls -la | grep '.'"], denies: ["ls /etc"] }
`);

const ask = (script: string, paths?: string[]) =>
	decide(policy, {
		paths,
		principal: { roles: ['executor'], capabilities: ['*'] },
		capability: 'shell.run',
		command: { mode: 'script', script, shell: 'auto' },
		env: {},
		deviceId: 'd',
	});

describe('decide', () => {
	it('lets one command run as words, without a shell', () => {
		expect(ask('ls -la "/var/log"')).toEqual({
			decision: 'allow',
			reasons: [
				{
					rule: 'program/ls',
					class: 'program',
					decision: 'allow',
					why: 'ls may be run so',
					command: 'ls -la /var/log',
				},
			],
			plan: { mode: 'argv', argv: ['ls', '-la', '/var/log'] },
			profile: 'jail',
			limits: {},
			isHighRisk: false,
			policyHash: policy.hash,
		});
	});

	it('prints a pipeline from its tree', () => {
		expect(ask('ls -la|grep .   2>&1').plan).toEqual({
			mode: 'script',
			script: "'ls' '-la' | 'grep' '.' 2>&1\n",
			shell: 'bash',
		});
	});

	it.each([
		['ls; id', 'default'],
		['ls $(id)', 'script/not-understood'],
		['ls /var/log/../../etc', 'path/read'],
		['ls /var/log/private/x', 'path/read'],
		['ls /var/log/p*', 'path/read'],
		['ls --help', 'program/ls'],
		['for x in a /etc; do ls $x; done', 'path/read'],
		['ls "unterminated', 'syntax/script'],
		['ls\r\nid', 'syntax/characters'],
	])('denies %s', (script, rule) => {
		const decided = ask(script);
		expect([decided.decision, decided.reasons[0]?.rule, decided.plan]).toEqual(['deny', rule, null]);
	});

	it.each([
		['ls /var/log/app', ['/var/log/app'], 'allow'],
		['ls /var/log/app/a /tmp ./b', ['/var/log/app', '/etc'], 'allow'],
		['ls /var/log', ['/var/log/app'], 'deny'],
		['ls /var/log/apple', ['/var/log/app'], 'deny'],
		['ls /var/log/app/../x', ['/var/log/app'], 'deny'],
		['ls /var/log', [], 'deny'],
		['ls ./b', [], 'allow'],
		['ls /etc', ['/etc'], 'deny'],
		['ls /var/log/private', ['/var/log/private'], 'deny'],
	])('with %s, confined to %j, says %s', (script, paths, word) => {
		expect(ask(script, paths).decision).toBe(word);
	});

	it.each(['for x in a b; do echo $x; done', 'x=1; echo "$x"', 'ls ./*.txt && echo yes || echo $?'])(
		'allows %s',
		(script) => {
			expect(ask(script).decision).toBe('allow');
		},
	);
});

describe('a capability that lets free scripts run', () => {
	const free = loadPolicy(`
version: 1
name: free
profiles: { jail: {} }
paths: { read: [/etc, /usr] }
programs:
  - { name: cat, positionals: "path*" }
capabilities:
  shell.run: { profile: jail, programs: "*", scripts: free, otherwise: allow }
`);
	const word = (script: string, paths?: string[]) =>
		decide(free, {
			...{
				principal: { roles: ['executor'], capabilities: ['*'] },
				capability: 'shell.run',
				env: {},
				deviceId: 'd',
				paths,
			},
			command: { mode: 'script', script, shell: 'auto' },
		}).decision;

	it('runs in a confined job only what is proved to keep to it', () => {
		const scripts = ['cat /etc/x', 'cat /usr/x', 'unknown /etc/x', 'cat $(unknown)'];
		expect(scripts.map((script) => [word(script), word(script, ['/etc'])])).toEqual([
			['allow', 'allow'],
			['allow', 'deny'],
			['allow', 'deny'],
			['allow', 'deny'],
		]);
	});
});

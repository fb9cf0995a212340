/** Files of the three other systems become policies that hold, and notes say what became narrower. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { decide } from '../../../../../src/core/policy/decide.ts';
import { importDeviceManifest } from '../../../../../src/core/policy/importers/device-manifest.ts';
import type { Imported } from '../../../../../src/core/policy/importers/imported.ts';
import { importOgent } from '../../../../../src/core/policy/importers/ogent.ts';
import { importQuickCmd } from '../../../../../src/core/policy/importers/quickcmd.ts';
import { loadPolicy } from '../../../../../src/core/policy/load.ts';
import { questionOf } from '../../../../helpers/question.ts';

const base = readFileSync('policies/read-only.yaml', 'utf8');

type Importer = (text: string, base: string) => Imported;

function deciding(importer: Importer, text: string) {
	const policy = loadPolicy(importer(text, base).text);
	return (capability: string, command: string | string[]) => {
		const { decision, reasons } = decide(policy, questionOf(capability, command));
		return `${decision} ${reasons[0]?.rule}`;
	};
}

const problemOf = (act: () => unknown): string => {
	try {
		act();
		return 'none';
	} catch (error) {
		return (error as { code: string }).code;
	}
};

describe('allowed_commands.json of Ogent', () => {
	const file = JSON.stringify({ commands: ['ls', 'grep', 'htop', 'find', 'curl'], paths: ['/srv/data', '/tmp'] });
	const says = deciding(importOgent, file);

	it.each([
		["ls -la /srv/data | grep '.'", 'allow program/ls'],
		['htop -d 5', 'allow program/htop'],
		['ls /srv/database', 'deny path/read'],
		['ls /tmp/../etc', 'deny path/read'],
		['htop --file=/etc/passwd', 'deny path/read'],
		['htop -C/etc/passwd', 'deny path/read'],
		['cat x', 'deny default'],
		['ls ;id', 'deny default'],
		['echo $(id)', 'deny script/not-understood'],
		['find . -exec id {} +', 'ask program/find'],
		['curl http://x', 'ask program/curl'],
		['rm -rf /', 'deny kill-list/delete-tree'],
	])('%s: %s', (command, decided) => {
		expect(says('shell.run.ogent', command)).toBe(decided);
	});

	it('says which commands became narrower', () => {
		expect(importOgent(file, base).notes).toEqual([
			'ls: flags that do more than look need approval',
			'grep: flags that do more than look need approval',
			'find: flags that do more than look need approval',
			'curl: it can start other programs, so every use needs approval',
			'paths: they may be read; to be written, "write" and a writable mount of the profile must name them',
		]);
	});

	it('allows nothing when its lists are empty', () => {
		const nothing = deciding(importOgent, '{"commands":[],"paths":[]}');
		expect([nothing('shell.run', 'ls'), nothing('shell.run.ogent', ['true'])]).toEqual([
			'deny default',
			'deny default',
		]);
	});

	it.each([
		'',
		'{',
		'[]',
		'{"commands":["ls"]}',
		'{"commands":["ls"],"paths":["x"]}',
		'{"commands":[],"paths":[],"x":1}',
	])('is refused when it is not whole: %s', (text) => {
		expect(problemOf(() => importOgent(text, base))).toBe('POLICY_INVALID');
	});
});

describe('the policy of QuickCMD', () => {
	const denylist = `
denylist:
  - { pattern: 'rm\\s+-rf\\s+/', description: "Prevent deletion of root directory" }
  - { pattern: 'curl.*\\|\\s*bash' }
  - { pattern: shutdown }
`;

	it('keeps the denylist on the whole text, and asks about what it does not know', () => {
		const says = deciding(importQuickCmd, denylist);
		const all = ['ls -la', 'echo shutdown', 'rm -rf /tmp/x', 'make'].map((command) =>
			says('shell.run.quickcmd', command),
		);
		expect(all).toEqual(['allow program/ls', 'deny deny/imported-3', 'deny deny/imported-1', 'ask default']);
	});

	it('runs what nobody forbids where no approval was wanted, but only in a jail', () => {
		const says = deciding(importQuickCmd, `${denylist}approval: { high_risk: false, require_confirmation: false }\n`);
		const all = ['make', 'eval "$x"', 'reboot', 'cat /etc/shadow'].map((command) =>
			says('shell.run.quickcmd', command),
		);
		expect(all).toEqual(['allow default', 'allow default', 'deny kill-list/power', 'deny path/read']);
	});

	it('holds the allowlist against each simple command', () => {
		const says = deciding(importQuickCmd, `allowlist: [{ pattern: "^npm (test|ls)" }, { pattern: "^ls " }]\n`);
		const all = ['npm ls --all', 'ls -la; rm x', 'npm ls; npm publish', 'ls -la | sh'].map((command) =>
			says('shell.run.quickcmd', command),
		);
		expect(all).toEqual(['allow auto-approve', 'deny default', 'deny default', 'deny program/sh']);
	});

	it('takes images and limits from the configuration of the agent', () => {
		const { text } = importQuickCmd(
			`
port: 8443
hmac_secret: CHANGE_ME
allowed_controllers: [controller-1]
allowed_images: ["alpine:latest", "ubuntu:latest"]
default_image: "ubuntu:latest"
default_cpu_limit: 0.5
default_memory_limit: 268435456
default_timeout_seconds: 300
`,
			base,
		);
		const profile = Object.values(loadPolicy(text).profiles)[0];
		expect(text).not.toContain('CHANGE_ME');
		expect(profile).toMatchObject({
			backend: 'docker',
			images: ['ubuntu:latest', 'alpine:latest'],
			cpus: 0.5,
			memoryBytes: 268435456,
			timeoutMs: 300_000,
			network: 'none',
			mounts: [],
		});
	});

	it('is refused with a word that is not known, or a pattern that is none', () => {
		const problems = ['allow: []', 'denylist: [{ pattern: "(" }]'].map((text) =>
			problemOf(() => loadPolicy(importQuickCmd(text, base).text)),
		);
		expect(problems).toEqual(['POLICY_INVALID', 'POLICY_INVALID']);
	});
});

describe('the manifest of device_agent', () => {
	const manifest = `
device_id: home-wsl
operator: egutierrez
capabilities:
  - name: shell.exec
    binaries_allowed: [ls, cat, ps, df, git, echo, htop, /opt/tool]
    requires_approval: false
  - name: shell.exec.admin
    binaries_allowed: [systemctl, apt-get]
    requires_approval: true
  - name: shell.eval
    shell_mode: auto
    blocklist: ["docker\\\\s+rm"]
    auto_approve: ["^git\\\\s", "^docker ps"]
    max_output_bytes: 1048576
    timeout_seconds: 60
    requires_approval: true
  - { name: docker.container.list, requires_approval: false }
  - { name: docker.container.exec, binaries_allowed: [ls, ps, cat], requires_approval: true }
`;
	const says = deciding(importDeviceManifest, manifest);

	it.each<[string, string | string[], string]>([
		['shell.exec', ['ls', '-la'], 'allow program/ls'],
		['shell.exec', ['git', 'status'], 'allow program/git'],
		['shell.exec', ['git', 'push'], 'ask program/git'],
		['shell.exec', ['git', '-c', 'core.pager=id', 'log'], 'ask program/git'],
		['shell.exec', ['/bin/ls'], 'deny default'],
		['shell.exec', ['/opt/tool', '--x'], 'allow program/tool'],
		['shell.exec', ['rm', 'x'], 'deny default'],
		['shell.exec', 'ls', 'deny capability/accepts'],
		['shell.exec.admin', ['systemctl', 'restart', 'x'], 'ask capability/approval'],
		['shell.exec.admin', ['systemctl', 'reboot'], 'deny kill-list/power'],
		['shell.exec.admin', ['ls'], 'deny default'],
		['shell.exec.other', ['ls'], 'deny capability/unknown'],
		['shell.eval', 'git status', 'allow auto-approve'],
		['shell.eval', 'git status && git log', 'allow auto-approve'],
		['shell.eval', 'git status; rm x', 'ask capability/approval'],
		['shell.eval', 'git status $(rm x)', 'ask capability/approval'],
		['shell.eval', "git -c alias.x='!id' x", 'ask capability/approval'],
		['shell.eval', 'ls', 'ask capability/approval'],
		['shell.eval', 'DOCKER RM x', 'deny deny/imported-1'],
		['shell.eval', 'dd if=/dev/zero of=/dev/sda', 'deny kill-list/block-device'],
		['docker.container.exec', ['ls', '-la'], 'ask capability/approval'],
		['docker.container.exec', ['sh'], 'deny default'],
	])('%s %j: %s', (capability, command, decided) => {
		expect(says(capability, command)).toBe(decided);
	});

	it('runs any script in the jail where no approval is required, but for the kill list', () => {
		const free = deciding(importDeviceManifest, 'device_id: x\ncapabilities: [{ name: shell.eval }]\n');
		const scripts = ['make && ./x', 'for i in $(ls); do rm $i; done', 'rm -rf /', 'curl x | sh'];
		expect(scripts.map((one) => free('shell.eval', one))).toEqual([
			'allow default',
			'allow script/not-understood',
			'deny kill-list/delete-tree',
			'deny kill-list/download-and-run',
		]);
	});

	it('gives a command 60 s and 1 MiB where it does not say', () => {
		const limits = (capability: string) => {
			const { text } = importDeviceManifest(`device_id: x\ncapabilities: [${capability}]\n`, base);
			const [imported] = Object.values(parse(text).capabilities as Record<string, Record<string, unknown>>);
			return [imported?.timeoutMs, imported?.maxOutputBytes];
		};
		expect([
			limits('{ name: shell.eval }'),
			limits('{ name: shell.exec.admin, binaries_allowed: [ls] }'),
			limits('{ name: shell.eval, timeout_seconds: 5 }'),
			limits('{ name: shell.eval, max_output_bytes: 2048 }'),
			limits('{ name: fs.read }'),
		]).toEqual([
			[60_000, 1_048_576],
			[60_000, 1_048_576],
			[5000, 1_048_576],
			[60_000, 2048],
			[undefined, undefined],
		]);
	});

	it('allows nothing without a list of programs', () => {
		const none = deciding(importDeviceManifest, 'device_id: x\ncapabilities: [{ name: shell.exec }]\n');
		expect(none('shell.exec', ['ls'])).toBe('deny default');
	});

	it.each([
		'capabilities: []',
		'device_id: x\ncapabilities: [{ name: shell.fly }]',
		'device_id: x\ncapabilities: [{ name: shell.exec, binaries: [ls] }]',
	])('is refused when it is not understood: %s', (text) => {
		expect(problemOf(() => importDeviceManifest(text, base))).toBe('POLICY_INVALID');
	});
});

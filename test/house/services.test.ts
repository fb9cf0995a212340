/** The services of the agent: units that are hardened and hold together, and scripts that say what they would do. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { execUser, systemUser, unitsFor } from '../../src/device/agent/units.ts';
import { whyMissing } from '../helpers/debian.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

if (!existsSync('dist/packaging')) throw new Error('There is no dist: run "npm run build" first');

const scripts = ['install', 'upgrade', 'uninstall'] as const;
const env = { ...process.env, LC_ALL: 'C', DESTDIR: '' };

const run = (command: string, args: readonly string[]) => {
	const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env });
	return { status, stdout, stderr };
};

/** The units as they are installed, in a folder. */
function unitFolder(): string {
	const folder = tempFolder();
	const dir = '/var/lib/secure-code-agent';
	const units = unitsFor({ dir, program: [process.execPath, '/bin/true'], user: systemUser, group: systemUser });
	for (const [name, text] of Object.entries(units)) writeFileSync(join(folder, name), text);
	return folder;
}

describe('the units', () => {
	it.for([
		['secure-code-agent.service', 1.5],
		['secure-code-agent-exec.service', 3.0],
	] as const)('%s is exposed to %d of 10 at most', ([unit, most], { skip }) => {
		const missing = whyMissing('systemd-analyze', 'systemd');
		if (missing !== undefined) return skip(missing);
		const path = join(unitFolder(), unit);
		const { stdout } = run('systemd-analyze', ['security', '--offline=true', '--no-pager', path]);
		const [, score = 'no score'] = /exposure level for \S+: ([\d.]+)/.exec(stdout) ?? [];
		expect(Number(score)).toBeLessThanOrEqual(most);
	});

	it('have no word that systemd does not know', ({ skip }) => {
		const missing = whyMissing('systemd-analyze', 'systemd');
		if (missing !== undefined) return skip(missing);
		const folder = unitFolder();
		const paths = readdirSync(folder).map((name) => join(folder, name));
		const { stdout, stderr } = run('systemd-analyze', ['verify', '--man=no', ...paths]);
		expect((stdout + stderr).split('\n').filter((line) => line.includes(folder))).toEqual([]);
	});
});

describe('the scripts', () => {
	it('are what ShellCheck asks for', ({ skip }) => {
		const missing = whyMissing('shellcheck', 'shellcheck');
		if (missing !== undefined) return skip(missing);
		const files = ['common', ...scripts].map((name) => `packaging/agent/${name}.sh`);
		expect(run('shellcheck', ['-x', ...files])).toEqual({ status: 0, stdout: '', stderr: '' });
	});

	it.each(scripts)('%s.sh explains itself', (name) => {
		const { status, stdout } = run(`dist/packaging/${name}.sh`, ['--help']);
		expect({ status, usage: stdout.includes(`Usage: ${name}.sh`) }).toEqual({ status: 0, usage: true });
	});

	it.each(scripts)('%s.sh refuses a word it does not know, and a root that is no plain path', (name) => {
		const words = [['--strange'], ['--root'], ['--root', 'here'], ['--root', '/tmp/a|b'], ['--root', '/tmp/../etc']];
		const codes = words.map((args) => run(`dist/packaging/${name}.sh`, args).status);
		expect(codes).toEqual(words.map(() => 64));
	});

	it('install.sh says every step and does none in a dry run', () => {
		const root = tempFolder();
		const args = ['--dry-run', '--root', root, '--node', process.execPath];
		const { status, stdout } = run('dist/packaging/install.sh', args);
		expect({ status, steps: stdout.split('\n').filter((line) => line.startsWith('- ')) }).toEqual({
			status: 0,
			steps: [
				...[systemUser, execUser].map((user) => `- Make the user ${user}, with a group of its own and without a login`),
				'- Make an agent in /var/lib/secure-code-agent; its keys are shown this one time',
				'- Make /var/lib/secure-code-exec for the exec side',
				'- Write the units secure-code-agent-exec.service secure-code-agent.service into /etc/systemd/system',
			],
		});
		expect(readdirSync(root)).toEqual([]);
	});

	it('upgrade.sh works on an agent that is installed, and on nothing else', () => {
		const args = ['--dry-run', '--root', tempFolder(), '--node', process.execPath];
		const { status, stderr } = run('dist/packaging/upgrade.sh', args);
		expect({ status, stderr }).toEqual({ status: 78, stderr: expect.stringContaining('use install.sh') });
	});

	it('name the same users, groups and socket as the units', () => {
		const common = readFileSync('packaging/agent/common.sh', 'utf8');
		const unit = unitsFor({ dir: '/d', program: ['/n', '/m'], user: systemUser, group: systemUser });
		expect(common).toContain(`front_user=${systemUser} exec_user=${execUser}`);
		expect(common).toContain('exec_socket=/run/secure-code-agent/exec.sock');
		expect(unit['secure-code-agent-exec.service']).toContain('--socket %t/secure-code-agent/exec.sock');
	});
});

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const script = join(import.meta.dirname, '..', '..', '..', 'deploy-to-n8n.sh');
let folder: string;
let tarball: string;

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'deploy-to-n8n-'));
	tarball = join(folder, 'packed.tgz');
	mkdirSync(join(folder, 'package'));
	mkdirSync(join(folder, 'bin'));
	writeFileSync(join(folder, 'package', 'package.json'), '{"name":"n8n-nodes-ours","version":"1.0.0"}');
	execFileSync('tar', ['-czf', tarball, '-C', folder, 'package']);
});
afterEach(() => rmSync(folder, { recursive: true }));

function deploy(...args: string[]) {
	const env = {
		...process.env,
		HOME: join(folder, 'home'),
		N8N_USER_FOLDER: '',
		PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
	};
	const { status, stdout, stderr } = spawnSync(script, args, { env, encoding: 'utf8' });
	return { status, stdout, stderr };
}

/** A docker whose only container is called n8n, and whose inside is this machine. */
function installFakeDocker(): void {
	const fake = `#!/usr/bin/env bash
case "$1" in
inspect) [[ $4 == n8n ]] ;;
ps) echo n8n ;;
cp) cp "$2" "\${3#n8n:}" ;;
exec) shift; [[ $1 == --user ]] && shift 2; shift; exec "$@" ;;
esac
`;
	writeFileSync(join(folder, 'bin', 'docker'), fake);
	chmodSync(join(folder, 'bin', 'docker'), 0o755);
}

const installedIn = (...path: string[]): boolean =>
	existsSync(join(folder, ...path, '.n8n', 'nodes', 'node_modules', 'n8n-nodes-ours', 'package.json'));

describe('deploy-to-n8n.sh', () => {
	test('installs into the user folder that it is given, and tells the next steps', () => {
		const { status, stderr } = deploy('--package', tarball, '--user-folder', join(folder, 'other'));
		expect([status, installedIn('other')]).toEqual([0, true]);
		const cli = join(folder, 'other', '.n8n/nodes/node_modules/n8n-nodes-ours/dist/cli/main.js');
		expect(stderr).toContain(`node ${cli} setup\n`);
		expect(stderr).toContain(`node ${cli} doctor\n`);
	});

	test('installs into the home folder when nothing else is named', () => {
		expect([deploy('--package', tarball).status, installedIn('home')]).toEqual([0, true]);
	});

	test('installs into the n8n of a container', () => {
		installFakeDocker();
		const { status, stderr } = deploy('--package', tarball, '--docker', 'n8n');
		expect([status, installedIn('home')]).toEqual([0, true]);
		expect(stderr).toContain('docker restart n8n\n');
		expect(existsSync('/tmp/n8n-nodes-secure-code-install')).toBe(false);
	});

	test('names the containers that run when there is none of the name', () => {
		installFakeDocker();
		expect(deploy('--package', tarball, '--docker', 'N8N')).toEqual({
			status: 69,
			stdout: '',
			stderr: 'Docker has no container called "N8N". These are running: n8n\n',
		});
	});

	test.each([
		[['--deamo'], 'Unknown argument: --deamo.'],
		[['--docker'], '--docker needs a value.'],
		[['--once', 'question'], '--once belongs to --demo.'],
		[['--package', '/nonexistent.tgz'], 'There is no file /nonexistent.tgz.'],
	])('refuses %j with exit code 64', (args, sentence) => {
		const { status, stderr } = deploy(...args);
		expect([status, stderr.trim().split('\n').at(-1)]).toEqual([64, `${sentence} See ./deploy-to-n8n.sh --help`]);
	});
});

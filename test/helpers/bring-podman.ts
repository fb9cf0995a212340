/** Runs before the tests of container jobs: brings podman, where root can, and an image made of one static program. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';

const root = join(import.meta.dirname, '..', '..');

export const testImage = 'localhost/secure-code-test:1';

/** crun of Debian 12 refuses hosts with control groups of both versions; runc takes them. */
export const containersConf = join(tmpdir(), 'secure-code-test-containers.conf');

const programs = [
	...['sh', 'ls', 'cat', 'sleep', 'id', 'echo', 'env', 'ps', 'setsid', 'true', 'grep', 'head', 'wc', 'pwd'],
	...['touch', 'yes', 'printf', 'readlink', 'mkdir', 'dd', 'kill', 'tr', 'hostname'],
];

const works = (command: string, args: readonly string[]): boolean =>
	execaSync(command, args, { reject: false, env: { CONTAINERS_CONF: containersConf } }).exitCode === 0;

/** Why there is no container to test; null when there is. */
export function podmanLack(): string | null {
	if (process.getuid?.() !== 0) return 'the tests were not started as root';
	if (!works('podman', ['--version'])) return 'podman could not be installed';
	if (!works('podman', ['image', 'inspect', testImage])) return 'no image could be made (busybox-static)';
	const run = execaSync(
		'podman',
		['run', '--rm', '--network', 'none', '--ulimit', 'nofile=64:64', '--ulimit', 'nproc=64:64', testImage, 'true'],
		{
			reject: false,
			env: { CONTAINERS_CONF: containersConf },
		},
	);
	return run.exitCode === 0 ? null : `podman runs no container here: ${run.stderr.split('\n')[0]}`;
}

function makeImage(): void {
	const folder = mkdtempSync(join(tmpdir(), 'secure-code-image-'));
	const [busybox] = ['/bin/busybox', '/usr/bin/busybox'].filter((path) => existsSync(path));
	if (!busybox) return;
	mkdirSync(join(folder, 'bin'));
	copyFileSync(busybox, join(folder, 'bin', 'busybox'));
	for (const name of programs) symlinkSync('busybox', join(folder, 'bin', name));
	execaSync('sh', ['-c', 'tar -C "$1" -c . | podman import - "$2"', 'sh', folder, testImage], { reject: false });
	rmSync(folder, { recursive: true, force: true });
}

export default function bringPodman(): void {
	if (process.getuid?.() !== 0) return;
	writeFileSync(containersConf, '[engine]\nruntime = "runc"\n');
	if (!works('podman', ['--version']) || !works('runc', ['--version']))
		execaSync(process.execPath, ['scripts/debian-packages.mjs', 'podman', 'runc', 'busybox-static'], {
			cwd: root,
			reject: false,
		});
	if (!works('podman', ['image', 'inspect', testImage])) makeImage();
}

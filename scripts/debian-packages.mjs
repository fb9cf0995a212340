/**
 * Installs packages of Debian or Ubuntu where this process may do so: as root, or with a sudo that asks nothing.
 * Exit code 1: they could not be installed. 2: the system does not offer them.
 */
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

const succeeds = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** What to put before a command that needs root; undefined when root cannot be had without asking. */
function rootPrefix() {
	if (process.getuid?.() === 0) return [];
	return succeeds('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined;
}

// Nothing may ask, and a package must not start a service on the machine of a developer: RUNLEVEL=1 keeps it down.
const aptGet = (prefix, args) => {
	const [command, ...rest] = [
		...prefix,
		'env',
		'DEBIAN_FRONTEND=noninteractive',
		'RUNLEVEL=1',
		'apt-get',
		'-y',
		...args,
	];
	return spawnSync(command, rest, { stdio: ['ignore', 2, 2] }).status === 0;
};

const isOffered = (packages) => succeeds('apt-cache', ['show', ...packages]);

/** Installs the packages; answers undefined, or why not, and whether the system offers them at all. */
export function installDebianPackages(packages) {
	const names = packages.join(' ');
	const install = ['install', '--no-install-recommends', ...packages];
	if (!succeeds('apt-get', ['--version'])) {
		return { isOffered: false, reason: `there is no apt-get here; install what corresponds to: ${names}` };
	}
	const prefix = rootPrefix();
	if (prefix === undefined) {
		return { isOffered: true, reason: `this needs root; run: sudo apt-get install ${names}` };
	}
	process.stderr.write(`Installing with apt-get: ${names}\n`);
	if (aptGet(prefix, install) || (aptGet(prefix, ['update']) && aptGet(prefix, install))) return undefined;
	return { isOffered: isOffered(packages), reason: `this failed: apt-get install ${names}` };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
	const fault = installDebianPackages(process.argv.slice(2));
	if (fault !== undefined) {
		process.stderr.write(`${fault.reason}\n`);
		process.exitCode = fault.isOffered ? 1 : 2;
	}
}

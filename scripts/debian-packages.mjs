/** Installs packages of Debian or Ubuntu where this process may do so: as root, or with a sudo that asks nothing. */
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

/** Installs the packages; answers undefined, or the reason why they could not be installed. */
export function installDebianPackages(packages) {
	const wanted = `apt-get install ${packages.join(' ')}`;
	if (!succeeds('apt-get', ['--version']))
		return `there is no apt-get here; install what corresponds to: ${packages.join(' ')}`;
	const prefix = rootPrefix();
	if (prefix === undefined) return `this needs root; run: sudo ${wanted}`;
	process.stderr.write(`Running ${[...prefix, wanted].join(' ')}\n`);
	const install = ['install', '--no-install-recommends', ...packages];
	if (aptGet(prefix, install)) return undefined;
	return aptGet(prefix, ['update']) && aptGet(prefix, install) ? undefined : `this failed: ${wanted}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
	const reason = installDebianPackages(process.argv.slice(2));
	if (reason !== undefined) process.stderr.write(`${reason}\n`);
	process.exitCode = reason === undefined ? 0 : 1;
}

/** How packages of a language are installed inside a jail: a script, the files it reads, and what is read of its result. Pure. */
import { KnownError } from '../../contract/error.ts';
import { certificatesPath } from '../sandbox/image.ts';
import { pythonPackages } from '../sandbox/runtimes/python.ts';
import type { Bundle, Locked } from './bundle.ts';
import { dependencyOf } from './names.ts';

/** What a jail is told to install: names, or exactly what a lock says. */
export interface Wish {
	readonly names: readonly string[];
	readonly lock?: Bundle;
	/** Of names, what stays at the version that it has. */
	readonly keep?: Kept;
}

export interface Kept {
	readonly pins: readonly Locked[];
	/** npm's own lock file, in which they stand. */
	readonly lockFile?: LockFile | undefined;
}

type LockFile = NonNullable<Bundle['javascript']>['lockFile'];

export interface Recipe {
	/** Read by Bash in the jail; what it leaves in /work/out is the result. */
	readonly script: string;
	/** Appear in /work/in, beside the folder of the client. */
	readonly files: Readonly<Record<string, string>>;
	readonly env: Readonly<Record<string, string>>;
}

const prepare = 'set -e\nmkdir -p /work/tmp\nexport HOME=/work/tmp TMPDIR=/work/tmp\ncd /work/out\n';

const pinned = ({ name, version, hash }: Locked): string => `${name}==${version} --hash=sha256:${hash}`;

/**
 * Wheels only: nothing of a package is run to install it. Their modules are compiled once, for the place where programs find
 * them, and the list of fonts is made that matplotlib would otherwise make for every program.
 */
export function pythonRecipe({ names, lock, keep }: Wish): Recipe {
	const locked = lock?.python?.lock;
	const pins = locked === undefined ? (keep?.pins ?? []) : [];
	const flags = [
		...['--only-binary=:all:', '--no-input', '--no-compile', '--no-cache-dir', '--progress-bar', 'off'],
		...['--disable-pip-version-check', '--no-warn-script-location', '--target', 'site', '--report', 'report.json'],
		...(locked === undefined ? [] : ['--require-hashes', '--no-deps']),
		...(pins.length === 0 ? [] : ['--constraint', '/work/in/constraints.txt']),
	];
	return {
		script: `${prepare}
python3 -I /work/in/pip install ${flags.join(' ')} -r /work/in/requirements.txt
python3 -I -m compileall -q -j 2 --invalidation-mode unchecked-hash -s site -p ${pythonPackages} site || true
if [ -d site/matplotlib ]; then
	mkdir site/matplotlib-fonts
	MPLCONFIGDIR=/work/out/site/matplotlib-fonts python3 -I -c 'import sys; sys.path.insert(0, "site"); import matplotlib.font_manager' || true
fi
`,
		files: {
			'requirements.txt': `${(locked?.map(pinned) ?? names).join('\n')}\n`,
			...(pins.length === 0
				? {}
				: { 'constraints.txt': pins.map(({ name, version }) => `${name}==${version}\n`).join('') }),
		},
		env: { PIP_CERT: certificatesPath },
	};
}

/** What the packages of a lock file were asked for as. */
const askedFor = (lockFile: LockFile | undefined): Readonly<Record<string, string>> | undefined =>
	(lockFile as NpmLock | undefined)?.packages?.['']?.dependencies;

/** A package that is kept is asked for by its exact version, so that "latest" does not move it. */
function dependenciesOf(names: readonly string[], keep: Kept | undefined): Record<string, string> {
	const versions = new Map(keep?.pins.map(({ name, version }) => [name, version]));
	return Object.fromEntries(
		names.map(dependencyOf).map(([name, range]) => [name, range === 'latest' ? (versions.get(name) ?? range) : range]),
	);
}

export function javascriptRecipe({ names, lock, keep }: Wish): Recipe {
	const lockFile = lock?.javascript?.lockFile;
	const manifest = { private: true, dependencies: askedFor(lockFile) ?? dependenciesOf(names, keep) };
	const known = lockFile ?? keep?.lockFile;
	const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-bin-links', '--no-update-notifier', '--omit=dev'];
	const command = lockFile === undefined ? 'install' : 'ci';
	return {
		script: `${prepare}
cp /work/in/package*.json .
node /work/in/npm/bin/npm-cli.js ${command} ${flags.join(' ')} --cache /work/tmp/cache --userconfig /work/npmrc
mkdir -p node_modules
rm -f node_modules/.package-lock.json
`,
		files: {
			'package.json': JSON.stringify(manifest),
			...(known === undefined ? {} : { 'package-lock.json': JSON.stringify(known) }),
		},
		env: { NODE_EXTRA_CA_CERTS: certificatesPath },
	};
}

const unreadable = (what: string): KnownError =>
	new KnownError('CONFIG_INVALID', { details: `${what} did not say what it installed` });

interface PipReport {
	readonly install?: readonly {
		readonly metadata: { readonly name: string; readonly version: string };
		readonly download_info: { readonly archive_info?: { readonly hashes?: { readonly sha256?: string } } };
	}[];
}

const byName = (one: Locked, other: Locked): number => (one.name < other.name ? -1 : 1);

/** @param text pip's installation report, version 1 */
export function readPipReport(text: string): Locked[] {
	const { install } = JSON.parse(text) as PipReport;
	if (install === undefined) throw unreadable('pip');
	return install
		.map(({ metadata, download_info: { archive_info } }) => {
			const hash = archive_info?.hashes?.sha256;
			if (hash === undefined) throw unreadable('pip');
			return { name: metadata.name, version: metadata.version, hash };
		})
		.sort(byName);
}

interface NpmPackage {
	readonly version?: string;
	readonly integrity?: string;
	readonly dependencies?: Readonly<Record<string, string>>;
}

interface NpmLock {
	readonly packages?: Readonly<Record<string, NpmPackage>>;
}

/** Who may fetch a file stands in the settings of each machine, and nowhere else. */
function withoutCredentials(address: string): string {
	const url = URL.parse(address);
	if (!url || (url.username === '' && url.password === '')) return address;
	url.username = '';
	url.password = '';
	return url.href;
}

/** @param text npm's package-lock.json, version 2 or 3 */
export function readNpmLock(text: string): { lock: Locked[]; lockFile: LockFile } {
	const lockFile = JSON.parse(text, (name, value: unknown) =>
		name === 'resolved' && typeof value === 'string' ? withoutCredentials(value) : value,
	) as NpmLock;
	const lock = Object.entries(lockFile.packages ?? {})
		.filter(([path]) => path !== '')
		.map(([path, { version, integrity }]) => {
			if (version === undefined || integrity === undefined) throw unreadable('npm');
			return { name: path.replace(/^.*node_modules\//, ''), version, hash: integrity };
		});
	return { lock: lock.sort(byName), lockFile: lockFile as never };
}

/** Top-level names that Python can import: folders and files of the packages, not what describes them. */
export const pythonModules = (entries: readonly { name: string; isFolder: boolean }[]): string[] =>
	entries
		.filter(({ name, isFolder }) => (isFolder ? /^[A-Za-z_]\w*$/.test(name) : /\.(py|so|pyd)$/.test(name)))
		.map(({ name }) => name.replace(/\..*$/, ''))
		.filter((name) => !['__pycache__', 'bin', 'share'].includes(name))
		.sort();

/** What a jail shows of this host: interpreters, a closed list of programs, libraries, and a written /etc. */
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Language } from '../../contract/language.ts';
import { type RootfsPlan, stageRootfs } from './rootfs.ts';
import { findBash } from './runtimes/bash.ts';
import { findNode, javascriptPackages } from './runtimes/javascript.ts';
import { findPython, pythonPackages } from './runtimes/python.ts';
import type { Runtime } from './runtimes/runtime.ts';

export interface Image {
	/** Folder of the host that becomes / of the jail. */
	readonly root: string;
	/** Folders that appear read-only, host path by path in the jail. */
	readonly binds: Readonly<Record<string, string>>;
	readonly runtimes: Readonly<Partial<Record<Language, Runtime>>>;
}

export const initPath = '/opt/secure-code/init';

/** What init opens as the stdin of the program: empty, unless the job's own is mounted on it. */
export const stdinPath = '/opt/secure-code/stdin';

/** The archive that a program's /work is made of, where it has a session. */
export const sessionPath = '/opt/secure-code/session.tar';

/** The list of certificates that programs trust. */
export const certificatesPath = '/etc/ssl/certs/ca-certificates.crt';

/** The certificate that one job trusts beside the list; empty for all others. */
export const authorityPath = '/opt/secure-code/authority.pem';

/** The one user of a jail. */
export const jailUser = { id: 1000, name: 'sandbox', home: '/work' } as const;

/** Who a command of a device is where no user of the device stands behind it; a number that no system gives away. */
export const deviceUser = { id: 65_533, name: 'device' } as const;

const texts = {
	'/etc/passwd': `root:x:0:0:root:/:/usr/bin/false\n${jailUser.name}:x:${jailUser.id}:${jailUser.id}::${jailUser.home}:/usr/bin/bash\n`,
	'/etc/group': `root:x:0:\n${jailUser.name}:x:${jailUser.id}:\n`,
	'/etc/hosts': '127.0.0.1 localhost sandbox\n::1 localhost\n',
	'/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
	'/etc/resolv.conf': '',
};

const links = {
	'/bin': 'usr/bin',
	'/sbin': 'usr/bin',
	'/usr/sbin': 'bin',
	'/dev/fd': '/proc/self/fd',
	'/dev/stdin': '/proc/self/fd/0',
	'/dev/stdout': '/proc/self/fd/1',
	'/dev/stderr': '/proc/self/fd/2',
};

/** Device files that a program may have; each is mounted alone, never the folder. */
export const devices = ['null', 'zero', 'full', 'random', 'urandom'];

/** Where a program puts files that are taken over; it is there when the program starts. */
export const outFolder = '/work/out';

/** Writable, and held in memory. */
export const memoryFolders = ['/work', '/tmp', '/dev/shm'];

const folders = [
	...['/proc', '/dev/shm', '/tmp', '/work', '/code', '/usr/bin', '/usr/lib', pythonPackages, javascriptPackages],
];

const multiarch: Record<string, string> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
const loaders: Record<string, readonly [path: string, file: string]> = {
	x64: ['/usr/lib64/ld-linux-x86-64.so.2', 'ld-linux-x86-64.so.2'],
	arm64: ['/usr/lib/ld-linux-aarch64.so.1', 'ld-linux-aarch64.so.1'],
};

interface Libraries {
	readonly folders: readonly string[];
	readonly links: Readonly<Record<string, string>>;
}

const isRealFolder = (path: string): boolean => existsSync(path) && lstatSync(path).isDirectory();

/** Debian and Ubuntu keep shared libraries in a folder per machine type; elsewhere the library folders are shown whole. */
function libraries(): Libraries {
	const folder = `/usr/lib/${multiarch[process.arch]}`;
	const [loader, file] = loaders[process.arch] ?? [];
	if (loader && file && existsSync(join(folder, file)))
		return { folders: [folder], links: { '/lib': 'usr/lib', '/lib64': 'usr/lib64', [loader]: join(folder, file) } };
	const candidates = ['/usr/lib', '/usr/lib64', '/lib', '/lib64'];
	const linked = ['/lib', '/lib64'].filter((path) => existsSync(path) && !isRealFolder(path));
	return {
		folders: candidates.filter(isRealFolder),
		links: Object.fromEntries(linked.map((path) => [path, `usr${path}`])),
	};
}

/** Data that libraries look for; each is harmless and the same everywhere. */
const sharedFolders = ['/usr/share/zoneinfo', '/usr/lib/locale/C.utf8'];
const sharedFiles = {
	[certificatesPath]: [certificatesPath, '/etc/pki/tls/certs/ca-bundle.crt'],
	'/etc/ld.so.cache': ['/etc/ld.so.cache'],
	'/etc/services': ['/etc/services'],
	'/etc/protocols': ['/etc/protocols'],
};

/** The list of this host, as PEM; empty when it has none. */
export function hostCertificates(): string {
	const path = sharedFiles[certificatesPath].find((place) => existsSync(place));
	return path === undefined ? '' : readFileSync(path, 'utf8');
}

function findSharedFiles(): Record<string, string> {
	const found = Object.entries(sharedFiles).map(([path, places]) => [path, places.find((place) => existsSync(place))]);
	return Object.fromEntries(found.filter(([, place]) => place !== undefined));
}

/** Beside the sources and beside the bundle of the core; the bundle of the agent lies next door. */
function initBinary(): string {
	const name = `init-${process.arch}`;
	const places = ['init', '../core/init'].map((folder) => join(import.meta.dirname, folder, name));
	return places.find((place) => existsSync(place)) ?? places[0] ?? name;
}

const isInside = (path: string, parents: readonly string[]): boolean =>
	parents.some((parent) => path === parent || path.startsWith(`${parent}/`));

function planFor(runtimes: readonly Runtime[], shown: readonly string[], library: Libraries): RootfsPlan {
	const merge = <T>(part: (runtime: Runtime) => Readonly<Record<string, T>>): Record<string, T> =>
		Object.assign({}, ...runtimes.map(part));
	const shared = findSharedFiles();
	return {
		hostFiles: { ...shared, ...merge((runtime) => runtime.hostFiles), [initPath]: initBinary() },
		texts: {
			...texts,
			...(certificatesPath in shared ? {} : { [certificatesPath]: '' }),
			...merge((runtime) => runtime.texts),
		},
		links: { ...links, ...library.links, ...merge((runtime) => runtime.links) },
		folders: [...folders, ...shown],
		mountedFiles: [
			stdinPath,
			authorityPath,
			sessionPath,
			...devices.map((name) => `/dev/${name}`),
			...['py', 'js', 'ts', 'sh'].map((end) => `/code/main.${end}`),
		],
	};
}

/** Only the first process and an empty stdin, for boxes that show the device instead of interpreters. */
export async function buildBareImage(home: string): Promise<Image> {
	const plan = {
		hostFiles: { [initPath]: initBinary() },
		texts: {},
		links: {},
		folders: [],
		mountedFiles: [stdinPath],
	};
	return { root: await stageRootfs(home, plan), binds: {}, runtimes: {} };
}

/** Lays out the file system for the interpreters of this host. */
export async function buildImage(home: string): Promise<Image> {
	const found = (await Promise.all([findBash(), findPython(), findNode()])).filter((runtime) => runtime !== undefined);
	const library = libraries();
	const wanted = [...library.folders, ...sharedFolders.filter((folder) => existsSync(folder))];
	for (const folder of found.flatMap((runtime) => runtime.hostFolders))
		if (!isInside(folder, wanted)) wanted.push(folder);
	const root = await stageRootfs(home, planFor(found, wanted, library));
	const overlays = Object.assign({}, ...found.map((runtime) => runtime.overlays)) as Record<string, string>;
	const binds = Object.fromEntries([
		...wanted.map((folder) => [folder, folder]),
		...Object.entries(overlays).map(([path, from]) => [path, join(root, from)]),
	]);
	return { root, binds, runtimes: Object.fromEntries(found.map((runtime) => [runtime.language, runtime])) };
}

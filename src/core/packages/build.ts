/** Builds the packages of a bundle in a jail that reaches the registries of this host and nothing else. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KnownError } from '../../contract/error.ts';
import { defaultLimits } from '../../contract/limits.ts';
import { RunFolder } from '../host/run-folder.ts';
import { Gateway } from '../network/gateway.ts';
import { networkRules } from '../network/rules.ts';
import type { Backend, BoxSocket, BoxSpec, OutputStream } from '../sandbox/backend.ts';
import { certificatesPath, hostCertificates } from '../sandbox/image.ts';
import { resolver, trustedList } from '../sandbox/network-view.ts';
import { type Bundle, bundleFolder, type PackageLanguage } from './bundle.ts';
import { receiveTree } from './receive.ts';
import {
	javascriptRecipe,
	pythonModules,
	pythonRecipe,
	type Recipe,
	readNpmLock,
	readPipReport,
	type Wish,
} from './recipes.ts';
import { addressesOf, type Client } from './registry.ts';

/** A tree of packages is held in memory until it is handed over, so it may take this much. */
const GiB = 1024 * 1024 * 1024;
const buildLimits = {
	...defaultLimits,
	timeoutMs: 900_000,
	memoryBytes: 4 * GiB,
	workBytes: 3 * GiB,
	fileBytes: 2 * GiB,
	processes: 256,
	openFiles: 4096,
};
const buildInodes = 250_000;
/** Bytes in and out of its network. */
const buildTraffic = 4 * GiB;

export interface Workshop {
	readonly backend: Backend;
	/** The data folder. */
	readonly home: string;
	readonly client: Client;
	/** Version of the interpreter in the jail. */
	readonly version: string;
	/** Hosts beside those of the client's settings, for registries that keep their files elsewhere. */
	readonly hosts: readonly string[];
	readonly onOutput: (stream: OutputStream, chunk: Buffer) => void;
	readonly signal: AbortSignal;
}

/** Laid out where the user of the jail can read it, whatever its place on the host. */
async function layOut(folder: string, language: PackageLanguage, recipe: Recipe, client: Client): Promise<string> {
	const shared = join(folder, 'in');
	await mkdir(shared);
	await cp(client.folder, join(shared, language === 'python' ? 'pip' : 'npm'), { recursive: true, dereference: true });
	for (const [name, text] of Object.entries(recipe.files)) await writeFile(join(shared, name), text);
	await openToAll(shared);
	return shared;
}

async function openToAll(folder: string): Promise<void> {
	await chmod(folder, 0o755);
	for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
		await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
}

function specFor(recipe: Recipe, client: Client, shared: string, ports: readonly number[]): BoxSpec {
	return {
		argv: ['/usr/bin/bash', '--noprofile', '--norc', '-c', recipe.script],
		env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', ...trustedList, ...recipe.env },
		// They may hold credentials, which stand in no file and no argv.
		secretEnv: client.env,
		limits: buildLimits,
		workInodes: buildInodes,
		files: [
			resolver,
			{ path: certificatesPath, content: `${hostCertificates()}\n${client.certificates}` },
			...(client.settings === '' ? [] : [{ path: '/work/npmrc', content: client.settings }]),
		],
		binds: [{ hostPath: shared, path: '/work/in' }],
		ports,
		limitAddressSpace: false,
		madeFolder: '/work/out',
		collector: ['/usr/bin/tar', '--create', '--file=-', '--directory=/work/out', '.'],
	};
}

/** What kept the client from its registry is worth more than what it says about it. */
function failure({ decisions }: Gateway, language: PackageLanguage, hasPins: boolean): KnownError {
	const client = language === 'python' ? 'pip' : 'npm';
	const refused = new Map(decisions.flatMap(({ host, refused: reason }) => (reason === null ? [] : [[host, reason]])));
	const elsewhere = [...refused].filter(([, reason]) => reason === 'not allowed').map(([host]) => host);
	if (elsewhere.length > 0) {
		const hosts = elsewhere.join(', ');
		return failed(`${client} was led to ${hosts}, which its settings do not name; allow it with --host`);
	}
	const chooses = hasPins ? '. What the bundle has already kept its version; --upgrade lets all be chosen anew' : '';
	if (refused.size === 0) return failed(`${client} could not install the packages; its own words are above${chooses}`);
	return failed(`${client} could not reach ${[...refused].map(([host, reason]) => `${host} (${reason})`).join(', ')}`);
}

const failed = (details: string): KnownError => new KnownError('CONFIG_INVALID', { details });

/** Runs the recipe; the tree lies in `target` then. */
async function runRecipe(workshop: Workshop, language: PackageLanguage, wish: Wish, target: string): Promise<void> {
	const recipe = language === 'python' ? pythonRecipe(wish) : javascriptRecipe(wish);
	const { backend, client, hosts, onOutput, signal } = workshop;
	const folder = RunFolder.create();
	const named = [...client.hosts, ...hosts];
	const rules = networkRules([...named, ...(await addressesOf(named))]);
	const gateway = new Gateway(rules, undefined, undefined, buildTraffic, client.proxyFor);
	let received: Promise<void> = Promise.resolve();
	try {
		const shared = await layOut(folder.path, language, recipe, client);
		const outcome = await backend.run(specFor(recipe, client, shared, rules.ports), {
			stdin: undefined,
			signal,
			onOutput,
			onSocket: (port: number, socket: BoxSocket) => gateway.take(port, socket),
			onCollected: (archive) => {
				received = receiveTree(archive as never, target);
				received.catch(() => {});
			},
		});
		if (outcome.fault !== null) throw new KnownError('SANDBOX_UNAVAILABLE', { details: outcome.fault });
		if (outcome.exit?.code !== 0) throw failure(gateway, language, wish.keep !== undefined);
		await received;
	} finally {
		gateway.close();
		folder.remove();
	}
}

async function entriesOf(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
	const entries = await readdir(folder, { withFileTypes: true });
	return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
}

/** Names that a program can import, those of scopes included. */
async function javascriptModules(folder: string): Promise<string[]> {
	const names = (await entriesOf(folder)).filter(({ isFolder }) => isFolder).map(({ name }) => name);
	const scopes = names.filter((name) => name.startsWith('@'));
	const scoped = await Promise.all(
		scopes.map(async (scope) => (await entriesOf(join(folder, scope))).map(({ name }) => `${scope}/${name}`)),
	);
	return [...names.filter((name) => /^[^.@]/.test(name)), ...scoped.flat()].sort();
}

async function readPython(target: string) {
	const lock = readPipReport(await readFile(join(target, 'report.json'), 'utf8'));
	const folder = join(target, 'site');
	return { folder, part: { lock, modules: pythonModules(await entriesOf(folder)) } };
}

async function readJavascript(target: string) {
	const { lock, lockFile } = readNpmLock(await readFile(join(target, 'package-lock.json'), 'utf8'));
	const folder = join(target, 'node_modules');
	return { folder, part: { lock, lockFile, modules: await javascriptModules(folder) } };
}

/** The same packages for the same interpreter are the same set, on every machine. */
function setName(language: PackageLanguage, version: string, lock: object): string {
	const hash = createHash('sha256').update(JSON.stringify([version, lock]));
	return `${language}-${hash.digest('hex').slice(0, 12)}`;
}

/** @returns what was built and now lies in the folder of the bundle, though nothing uses it yet */
export async function buildPackages<Language extends PackageLanguage>(
	workshop: Workshop,
	language: Language,
	bundle: string,
	wish: Wish,
): Promise<NonNullable<Bundle[Language]>> {
	const { home, version } = workshop;
	const folder = bundleFolder(home, bundle);
	await mkdir(folder, { recursive: true });
	for (const path of [home, join(home, 'packages'), folder]) await chmod(path, 0o755);
	const draft = await mkdtemp(join(folder, 'draft-'));
	try {
		await runRecipe(workshop, language, wish, draft);
		const { folder: built, part } = language === 'python' ? await readPython(draft) : await readJavascript(draft);
		const set = setName(language, version, part.lock);
		if (!existsSync(join(folder, set))) await rename(built, join(folder, set));
		return { names: [...wish.names], set, version, ...part } as unknown as NonNullable<Bundle[Language]>;
	} finally {
		await rm(draft, { recursive: true, force: true });
	}
}

/** Sets that no bundle uses any more; the one before the newest stays for programs that still run. */
export async function removeUnusedSets(home: string, name: string, used: readonly string[]): Promise<void> {
	const folder = bundleFolder(home, name);
	if (!existsSync(folder)) return;
	for (const entry of await readdir(folder))
		if (/^[a-z]+-[0-9a-f]{12}$/.test(entry) && !used.includes(entry))
			await rm(join(folder, entry), { recursive: true, force: true });
}

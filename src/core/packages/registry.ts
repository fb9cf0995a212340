/** What the host's own pip and npm are set to: which registries, with which certificates and credentials. No address is ours. */
import { lookup } from 'node:dns/promises';
import { existsSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KnownError } from '../../contract/error.ts';
import { runCommand } from '../host/process.ts';
import type { ProxyFor } from '../network/outside.ts';
import { findProgram, pathFolders } from '../sandbox/runtimes/find.ts';
import { proxyFinder, proxySettings } from './proxies.ts';

/** A client of a registry, as it is set up on this host. */
export interface Client {
	/** Folder of the host that holds the program of the client. */
	readonly folder: string;
	/** Hosts that it asks. */
	readonly hosts: readonly string[];
	/** Its settings, which may hold credentials. */
	readonly env: Readonly<Record<string, string>>;
	/** Settings that it reads from a file. */
	readonly settings: string;
	/** What leads to its hosts; undefined: their own addresses. */
	readonly proxyFor: ProxyFor | undefined;
	/** Certificates that it trusts beside the system's, as PEM. */
	readonly certificates: string;
}

const missing = (what: string): KnownError =>
	new KnownError('CONFIG_INVALID', { details: `${what} is needed to fetch packages and was not found` });

/** "host", or "host:port" where it is not the ordinary one of HTTPS and HTTP. */
function hostOf(url: string): string[] {
	const { hostname, port } = new URL(url);
	return hostname === '' ? [] : [port === '' ? hostname : `${hostname}:${port}`];
}

const readOrEmpty = async (path: string | undefined): Promise<string> =>
	path !== undefined && existsSync(path) ? await readFile(path, 'utf8') : '';

const askPip = [
	'import json,os,pip',
	'from pip._internal.models.index import PyPI',
	'print(json.dumps({"folder":os.path.dirname(pip.__file__),"index":PyPI.simple_url,"files":PyPI.file_storage_domain}))',
].join('\n');

/** Lines of "pip config list": section.name='value'; later ones count for more, the environment most. */
function parsePipConfig(text: string): Record<string, string> {
	const lines = [...text.matchAll(/^(?:global|install|:env:)\.([a-z-]+)='(.*)'$/gm)];
	const env = lines.filter(([line]) => line.startsWith(':env:'));
	return Object.fromEntries([...lines, ...env].map(([, name = '', value = '']) => [name, value]));
}

/** @param pythons programs that may have pip, the best one first */
export async function findPip(pythons: readonly string[]): Promise<Client> {
	for (const python of pythons) {
		const { exitCode, stdout } = await runCommand(python, ['-c', askPip]);
		if (exitCode !== 0) continue;
		const { folder, index, files } = JSON.parse(stdout) as { folder: string; index: string; files: string };
		const config = parsePipConfig((await runCommand(python, ['-m', 'pip', 'config', 'list'])).stdout);
		const main = config['index-url'] ?? index;
		const further = (config['extra-index-url'] ?? '').split(/\s+|\\n/).filter((url) => url !== '');
		const hosts = [main, ...further].flatMap(hostOf);
		return {
			folder,
			hosts: [...new Set([...hosts, ...(main === index ? [files] : [])])],
			env: {
				PIP_INDEX_URL: main,
				...(further.length > 0 ? { PIP_EXTRA_INDEX_URL: further.join(' ') } : {}),
				...(config['trusted-host'] === undefined ? {} : { PIP_TRUSTED_HOST: config['trusted-host'] }),
			},
			settings: '',
			proxyFor: proxyFinder(proxySettings(process.env, { http: config.proxy, https: config.proxy })),
			certificates: await readOrEmpty(config.cert),
		};
	}
	throw missing('Python with pip');
}

/** Beside the Node.js that runs us, else the one on PATH. */
async function npmFolder(): Promise<string | undefined> {
	const beside = join(dirname(realpathSync(process.execPath)), '..', 'lib', 'node_modules', 'npm');
	if (existsSync(join(beside, 'bin', 'npm-cli.js'))) return beside;
	const program = await findProgram('npm', pathFolders());
	const folder = program && join(dirname(program), '..');
	return folder && existsSync(join(folder, 'bin', 'npm-cli.js')) ? folder : undefined;
}

/** Registries of scopes and credentials stand in lines of their own; everything else stays on the host. */
const registryLine = /^\s*(\/\/[^=]+:_?[A-Za-z]+|(@[^:=]+:)?registry|_auth[A-Za-z]*)\s*=/;

/** npm says "null", or nothing, for what is not set. */
const set = (value: string): string | undefined =>
	value === '' || value === 'null' || value === 'undefined' ? undefined : value;

export async function findNpm(): Promise<Client> {
	const folder = await npmFolder();
	if (folder === undefined) throw missing('npm');
	const cli = join(folder, 'bin', 'npm-cli.js');
	const get = async (name: string) => (await runCommand(process.execPath, [cli, 'config', 'get', name])).stdout.trim();
	const registry = await get('registry');
	const lines = (await readOrEmpty(await get('userconfig'))).split('\n').filter((line) => registryLine.test(line));
	const scoped = lines.flatMap((line) => /registry\s*=\s*(\S+)/.exec(line)?.[1] ?? []);
	const settings = lines.map((line) => line.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => process.env[name] ?? ''));
	return {
		folder,
		hosts: [...new Set([registry, ...scoped].flatMap(hostOf))],
		env: { npm_config_registry: registry },
		settings: `${settings.join('\n')}\n`,
		proxyFor: proxyFinder(
			proxySettings(process.env, {
				http: set(await get('proxy')),
				https: set(await get('https-proxy')) ?? set(await get('proxy')),
				except: set(await get('noproxy')),
			}),
		),
		certificates: await readOrEmpty(process.env.NODE_EXTRA_CA_CERTS),
	};
}

/** Where the names of the operator's own settings lead may be reached, also where it is no public address. */
export async function addressesOf(hosts: readonly string[]): Promise<string[]> {
	const found = await Promise.all(
		hosts.map((host) => lookup(host.replace(/:\d+$/, ''), { all: true }).catch(() => [])),
	);
	return [...new Set(found.flat().map(({ address }) => address))];
}

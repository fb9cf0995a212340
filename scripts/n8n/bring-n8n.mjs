/**
 * Makes sure that the pinned n8n and a Node.js that can run it are here, and prints where: {"folder", "node"}.
 * Runs on any Node.js from 20 on. Progress goes to stderr.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { installDebianPackages } from '../debian-packages.mjs';

const version = '2.40.2';
// n8n names many of its parts by range; the date makes npm choose the same ones every time.
const resolvedBefore = '2026-10-01';
const project = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'n8n-nodes-secure-code');
const folder = join(cache, `n8n-${version}`);
const marker = join(folder, 'complete');

const say = (line) => process.stderr.write(`${line}\n`);

/** The folder of the Node.js package that the project brings, whatever Node.js runs this script. */
function nodePackage() {
	const found = join(project, 'node_modules', `node-linux-${process.arch}`);
	if (existsSync(join(found, 'bin', 'node'))) return found;
	throw new Error(`n8n ${version} needs Node.js 24, which "npm ci" brings on Linux (x64, arm64); ${found} is missing`);
}

// The whole environment goes on to npm: without the settings for proxies and certificates it retries for ever.
const environment = (node) => ({
	...process.env,
	PATH: `${join(node, 'bin')}${delimiter}${process.env.PATH}`,
	npm_config_nodedir: node,
	npm_config_update_notifier: 'false',
	JOBS: 'max',
});

/** Runs npm in the folder of n8n and tells every 20 seconds that it still does. */
function npm(node, args) {
	const child = spawn('npm', args, { cwd: folder, env: environment(node), stdio: ['ignore', 2, 2] });
	const started = Date.now();
	process.once('SIGTERM', () => child.kill());
	const ticker = setInterval(() => say(`  … ${Math.round((Date.now() - started) / 1000)} s`), 20_000);
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('close', resolve);
	}).finally(() => clearInterval(ticker));
}

/** n8n keeps everything in SQLite, so an n8n without a working sqlite3 does not start. */
const canOpenDatabase = (node) =>
	spawnSync(
		join(node, 'bin', 'node'),
		['-e', 'new (require("sqlite3").Database)(":memory:").get("select 1", (e) => process.exit(e ? 1 : 0))'],
		{ cwd: folder, stdio: 'ignore' },
	).status === 0;

/** sqlite3 comes compiled where its maker's server can be reached; elsewhere it is compiled here. */
async function buildDatabase(node) {
	say('Preparing sqlite3 for n8n.');
	const rebuild = ['rebuild', 'sqlite3', '--ignore-scripts=false', '--foreground-scripts=false'];
	if ((await npm(node, rebuild)) === 0 && canOpenDatabase(node)) return;
	say('sqlite3 has to be compiled, and the tools for that are missing.');
	const fault = installDebianPackages(['g++', 'make', 'python3']);
	if (fault !== undefined) throw new Error(`sqlite3 could not be compiled: ${fault.reason}`);
	if ((await npm(node, rebuild)) !== 0 || !canOpenDatabase(node)) throw new Error('sqlite3 could not be compiled');
}

/** Written last, the marker says that nothing was interrupted. */
async function install(node) {
	say(`Installing n8n ${version} into ${folder}. This takes some minutes, once.`);
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'pinned-n8n', private: true }));
	const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev', '--loglevel=error'];
	const status = await npm(node, ['install', `n8n@${version}`, `--before=${resolvedBefore}`, ...flags]);
	if (status !== 0) throw new Error(`npm could not install n8n ${version}`);
	await buildDatabase(node);
	writeFileSync(marker, `${new Date().toISOString()}\n`);
}

/** Holds a name that only one process of the machine can hold, and that the kernel frees when the process ends. */
async function hold(name) {
	for (let waits = 0; ; waits++) {
		const server = createServer();
		const held = await new Promise((resolve) => {
			server.once('error', () => resolve(false));
			server.listen(`\0${name}`, () => resolve(true));
		});
		if (held) return server;
		if (waits % 20 === 0) say('Another run is installing n8n; waiting for it.');
		await sleep(1_000);
	}
}

async function installOnce(node) {
	const lock = await hold(`bring-n8n-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`);
	try {
		if (!existsSync(marker)) await install(node);
	} finally {
		lock.close();
	}
}

async function bring() {
	const node = nodePackage();
	if (!existsSync(marker)) await installOnce(node);
	return { folder, node: join(node, 'bin', 'node') };
}

try {
	process.stdout.write(`${JSON.stringify(await bring())}\n`);
} catch (error) {
	say(error.message);
	process.exitCode = 1;
}

/** What the packed package holds, and what n8n and npm read of its manifest. Looks at dist as the build left it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import type { ICredentialType, INodeType } from 'n8n-workflow';
import { beforeAll, describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);

if (!existsSync('dist/core/compose.js')) throw new Error('There is no dist: run "npm run build" first');

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

interface Packed {
	readonly files: readonly { readonly path: string; readonly mode: number; readonly size: number }[];
}

const allowedFiles = [
	/^(package\.json|README\.md|LICENSE)$/,
	/^dist\/THIRD-PARTY-LICENSES$/,
	/^dist\/core\/(checker|compose|inspect-worker)\.js$/,
	/^dist\/(core|device)\/(init\/init|keeper\/keeper)-(x64|arm64)$/,
	/^dist\/core\/python\/secure_code_[a-z]+\.py$/,
	/^dist\/core\/(?:bash\/wait\.sh|javascript\/wait\.cjs)$/,
	/^dist\/cli\/(main|commands)\.js$/,
	/^dist\/device\/(agent|client)\.js$/,
	/^dist\/device\/page\/[a-z]+\.(html|css|js)$/,
	/^dist\/packaging\/(common|install|upgrade|uninstall)\.sh$/,
	/^dist\/icons\/[a-z-]+(\.dark)?\.svg$/,
	/^dist\/nodes\/[A-Za-z]+\/[A-Za-z]+\.node\.js(on)?$/,
	/^dist\/credentials\/[A-Za-z0-9]+\.credentials\.js$/,
];

const neededFiles = [
	'dist/THIRD-PARTY-LICENSES',
	'dist/core/compose.js',
	'dist/core/checker.js',
	'dist/core/inspect-worker.js',
	'dist/core/init/init-x64',
	'dist/core/init/init-arm64',
	'dist/core/keeper/keeper-x64',
	'dist/core/keeper/keeper-arm64',
	'dist/core/python/secure_code_start.py',
	'dist/core/python/secure_code_figures.py',
	'dist/core/python/secure_code_definitions.py',
	'dist/core/python/secure_code_state.py',
	'dist/core/python/secure_code_wait.py',
	'dist/core/javascript/wait.cjs',
	'dist/core/bash/wait.sh',
	'dist/cli/main.js',
	'dist/cli/commands.js',
	'dist/device/agent.js',
	'dist/device/init/init-x64',
	'dist/device/init/init-arm64',
	'dist/device/keeper/keeper-x64',
	'dist/device/keeper/keeper-arm64',
	'dist/device/client.js',
	'dist/device/page/index.html',
	...['common', 'install', 'upgrade', 'uninstall'].map((name) => `dist/packaging/${name}.sh`),
	...manifest.n8n.credentials,
	...manifest.n8n.nodes.flatMap((file: string) => [file, `${file}on`]),
];

/** Fields of credentials that are no secret. */
const openFields = [
	...['alias', 'url', 'ca', 'fingerprint', 'proof', 'loginUrl', 'user', 'dialect', 'marksExit'],
	...['controllerId', 'origin', 'keyId', 'endpoint', 'region', 'accessKeyId', 'prefix'],
];

describe('the packed package', () => {
	let files: Packed['files'];
	beforeAll(() => {
		const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' });
		files = (Object.values(JSON.parse(output)) as Packed[])[0]?.files ?? [];
	});

	it('holds everything that runs', () => {
		const paths = files.map(({ path }) => path);
		expect(neededFiles.filter((path) => !paths.includes(path))).toEqual([]);
	});

	it('holds nothing else: no sources, tests, maps or pictures', () => {
		const strangers = files.filter(({ path }) => !allowedFiles.some((pattern) => pattern.test(path)));
		expect(strangers.map(({ path }) => path)).toEqual([]);
	});

	it('can start the command line and the first process of a jail', () => {
		const small = ['init/init', 'keeper/keeper'].flatMap((name) => [
			`dist/core/${name}-x64`,
			`dist/core/${name}-arm64`,
		]);
		const scripts = ['install', 'upgrade', 'uninstall'].map((name) => `dist/packaging/${name}.sh`);
		const programs = ['dist/cli/main.js', ...scripts, ...small];
		expect(programs.filter((path) => (statSync(path).mode & 0o777) !== 0o755)).toEqual([]);
		expect(readFileSync('dist/cli/main.js', 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node');
	});

	it('stays small, so that an install takes a moment', () => {
		expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(10 * 1024 * 1024);
	});

	it('carries the licence of every library inside', () => {
		const text = readFileSync('dist/THIRD-PARTY-LICENSES', 'utf8');
		expect(text).toMatch(/^zod \d+\.\d+\.\d+ \(MIT\)$/m);
		expect(text).toContain('Permission is hereby granted');
	});
});

describe('the manifest', () => {
	it('needs nothing at run time: an optional peer keeps npm from bringing a second n8n-workflow with a foreign zod', () => {
		expect({
			dependencies: manifest.dependencies ?? {},
			peers: manifest.peerDependencies,
			meta: manifest.peerDependenciesMeta,
		}).toEqual({
			dependencies: {},
			peers: { 'n8n-workflow': '*' },
			meta: { 'n8n-workflow': { optional: true } },
		});
	});

	it('runs no script on installation, because n8n would not run it either', () => {
		const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublishOnly'];
		expect(hooks.filter((hook) => hook in manifest.scripts)).toEqual([]);
	});

	it('is found and loaded by n8n', () => {
		expect(manifest.keywords).toContain('n8n-community-node-package');
		expect(manifest.n8n).toMatchObject({ n8nNodesApiVersion: 1, strict: false });
	});
});

describe('the command line', () => {
	it('is a table of words: what runs code and what is the agent lie outside until they are wanted', () => {
		const text = readFileSync('dist/cli/main.js', 'utf8');
		expect(text).toContain('require("./commands.js")');
		expect(text).toContain('require("../device/agent.js")');
		expect(text.length).toBeLessThan(64 * 1024);
	});
});

describe.each(manifest.n8n.nodes as string[])('%s', (file) => {
	const name = basename(file, '.node.js');
	const node: INodeType = new (require(resolve(file))[name])();
	const codex = JSON.parse(readFileSync(`${file}on`, 'utf8'));

	it('exports a class with the name of its file, and n8n starts without the core', () => {
		expect(node.description.displayName.replaceAll(' ', '')).toBe(name);
		expect(Object.keys(require.cache)).not.toContain(resolve('dist/core/compose.js'));
	});

	it('is light, because the core with its parsers lies outside', () => {
		expect(statSync(file).size).toBeLessThan(80 * 1024);
	});

	it('loads no client of devices and no agent before it is used', () => {
		expect(Object.keys(require.cache).filter((path) => path.includes('/dist/device/'))).toEqual([]);
	});

	it('tests each of its credentials by a method that it has', () => {
		const tests = (node.description.credentials ?? []).map(({ testedBy }) => testedBy as string);
		expect(tests.filter((test) => typeof node.methods?.credentialTest?.[test] !== 'function')).toEqual([]);
	});

	it('has light and dark icons where n8n looks for them', () => {
		const icon = node.description.icon as { light: string; dark: string };
		const paths = [icon.light, icon.dark].map((path) => join(file, '..', path.replace('file:', '')));
		expect(paths.map((path) => readFileSync(path, 'utf8').includes('viewBox="0 0 60 60"'))).toEqual([true, true]);
	});

	it('has a codex that belongs to it and leaves the field of the description free, which would win', () => {
		expect(codex.node).toBe(`${manifest.name}.${node.description.name}`);
		expect(node.description.codex).toBeUndefined();
	});

	it('stands among the tools of the AI group exactly if it is a tool', () => {
		const isTool = node.description.outputs.includes('ai_tool' as never);
		expect([codex.categories.includes('AI'), codex.subcategories.AI ?? []]).toEqual([isTool, isTool ? ['Tools'] : []]);
	});
});

describe.each(manifest.n8n.credentials as string[])('%s', (file) => {
	const name = basename(file, '.credentials.js');
	const credential: ICredentialType = new (require(resolve(file))[name])();

	it('belongs to a node', () => {
		const nodes = (manifest.n8n.nodes as string[]).map(
			(path) => new (require(resolve(path))[basename(path, '.node.js')])(),
		);
		const used = nodes.flatMap((node: INodeType) => node.description.credentials ?? []).map(({ name }) => name);
		expect(used).toContain(credential.name);
	});

	it('exports a class with the name of its file, which no foreign node can use', () => {
		expect(credential.name).toBe(name[0]?.toLowerCase() + name.slice(1));
		expect(credential.restrictToSupportedNodes).toBe(true);
	});

	it('sends no secret to a browser: what is not masked is an address, a certificate, a name or a choice', () => {
		const plain = credential.properties.filter(({ typeOptions }) => typeOptions?.password !== true);
		expect(plain.map(({ name: field }) => field).filter((field) => !openFields.includes(field))).toEqual([]);
	});
});

// Builds dist/: one bundle of the core, a thin bundle for each face, the init binaries and the licences of what is inside.
import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { licencesOf } from './licences.mjs';

/** Small programs in C that are kept as binaries, one for each kind of processor. */
const binaryFolders = { init: 'src/core/sandbox/init', keeper: 'src/core/runner/keeper' };
const binaryNames = /^(init|keeper)-(x64|arm64)$/;

// CommonJS has no import.meta; these are its words for the same things.
const importMeta = {
	'import.meta.filename': '__filename',
	'import.meta.dirname': '__dirname',
	'import.meta.url': '__importMetaUrl',
};
const importMetaUrl = "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;";

const shared = {
	bundle: true,
	platform: 'node',
	target: 'node20',
	format: 'cjs',
	metafile: true,
	logLevel: 'warning',
	define: importMeta,
	// n8n loads nodes by require, and only require finds n8n's modules.
	supported: { 'dynamic-import': false },
	external: ['n8n-workflow'],
};

/** zod would bring its words in fifty languages into every bundle; we speak English. */
const englishOnly = {
	name: 'english-only',
	setup({ onResolve }) {
		onResolve({ filter: /^\.\.\/locales\/index\.c?js$/ }, ({ importer, resolveDir }) =>
			/node_modules\/zod\//.test(importer) ? { path: join(resolveDir, '..', 'locales', 'en.js') } : undefined,
		);
	},
};

/** What a daemon never calls, as the reason why it is not there: the daemon keeps its code in memory as long as it runs. */
const neverCalled = [
	[/^@fastify\/(ajv-compiler|fast-json-stringify-compiler)$/, 'requests are checked by zod alone'],
	[/^light-my-request$/, 'tests speak to a listener'],
	[/^\.\/lib\/(defaultMetrics|cluster|pushgateway|summary)$/, 'the agent counts for itself'],
];
const withoutTheNeverCalled = {
	name: 'without-the-never-called',
	setup({ onResolve, onLoad }) {
		const namespace = 'never-called';
		for (const [filter, reason] of neverCalled)
			onResolve({ filter }, ({ path, importer }) =>
				path.startsWith('.') && !importer.includes('prom-client') ? undefined : { path, namespace, pluginData: reason },
			);
		onLoad({ filter: /.*/, namespace }, ({ pluginData }) => ({
			contents: `module.exports = () => () => { throw new Error(${JSON.stringify(pluginData)}); };`,
		}));
	},
};

/** Faces share the core at run time: one executor in a process, and the parsers are read once. */
const coreOutside = (path) => ({
	name: 'core-outside',
	setup({ onResolve }) {
		onResolve({ filter: /\/core\/compose\.ts$/ }, () => ({ path, external: true }));
	},
});

/** The checker with its parsers is one file, which everybody reads who needs it: the core, its second thread, and the agent. */
const checkerOutside = (path) => ({
	name: 'checker-outside',
	setup({ onResolve }) {
		const filter = /\/checker\/(check|commands|describe|detect|languages\/parse|values\/work)\.ts$/;
		onResolve({ filter }, () => ({ path, external: true }));
	},
});

/** The client of devices, with its connections, is loaded by the first action on a device. */
const clientOutside = {
	name: 'client-outside',
	setup({ onResolve }) {
		onResolve({ filter: /\/device\/client\/create\.ts$/ }, () => ({ path: '../../device/client.js', external: true }));
	},
};

/** The command line itself is only a table: each word loads the code behind it. */
const codeCommandsOutside = {
	name: 'code-commands-outside',
	setup({ onResolve }) {
		onResolve({ filter: /\/code-commands\.ts$/ }, () => ({ path: './commands.js', external: true }));
	},
};

/** The agent is loaded by the words "secure-code agent" and "secure-code audit" alone. */
const agentOutside = {
	name: 'agent-outside',
	setup({ onResolve }) {
		onResolve({ filter: /\/agent-commands\.ts$/ }, () => ({ path: '../device/agent.js', external: true }));
	},
};

const manifest = JSON.parse(await readFile('package.json', 'utf8'));
const sourceOf = (file) => file.replace(/^dist\//, '').replace(/js$/, 'ts');

const bundles = [
	{ entryPoints: ['src/core/checker/door.ts'], outfile: 'dist/core/checker.js', minifyWhitespace: true },
	{
		entryPoints: ['src/core/compose.ts'],
		outfile: 'dist/core/compose.js',
		banner: { js: importMetaUrl },
		plugins: [checkerOutside('./checker.js')],
	},
	{
		entryPoints: ['src/core/inspect-worker.ts'],
		outfile: 'dist/core/inspect-worker.js',
		minifyWhitespace: true,
		plugins: [checkerOutside('./checker.js')],
	},
	{
		entryPoints: ['src/cli/main.ts'],
		outfile: 'dist/cli/main.js',
		banner: { js: `#!/usr/bin/env node\n${importMetaUrl}` },
		plugins: [codeCommandsOutside, agentOutside],
	},
	{
		entryPoints: ['src/cli/code-commands.ts'],
		outfile: 'dist/cli/commands.js',
		banner: { js: importMetaUrl },
		plugins: [coreOutside('../core/compose.js')],
	},
	{
		entryPoints: ['src/cli/commands/agent-commands.ts'],
		outfile: 'dist/device/agent.js',
		banner: { js: importMetaUrl },
		loader: { '.yaml': 'text', '.service': 'text' },
		// The daemon keeps its code in memory as long as it runs. Names stay, so that a stack can be read.
		minifyWhitespace: true,
		minifySyntax: true,
		plugins: [coreOutside('../core/compose.js'), checkerOutside('../core/checker.js'), withoutTheNeverCalled],
	},
	{
		entryPoints: ['src/device/client/create.ts'],
		outfile: 'dist/device/client.js',
		minifyWhitespace: true,
		plugins: [withoutTheNeverCalled],
	},
	...manifest.n8n.nodes.map((file) => ({
		entryPoints: [sourceOf(file)],
		outfile: file,
		// n8n reads every node at its start.
		minify: true,
		plugins: [coreOutside('../../core/compose.js'), clientOutside],
	})),
	...manifest.n8n.credentials.map((file) => ({ entryPoints: [sourceOf(file)], outfile: file })),
];

async function bundle(options) {
	const plugins = [englishOnly, ...(options.plugins ?? [])];
	const { metafile, warnings } = await build({ ...shared, ...options, plugins });
	if (warnings.length > 0) throw new Error(`${options.outfile} was built with warnings`);
	return metafile;
}

/** Code that needs one looks beside its own bundle: the core for jails, the agent for both. */
async function copyBinaries(name, folder) {
	const files = (await readdir(folder)).filter((file) => binaryNames.test(file));
	for (const bundle of ['dist/core', 'dist/device']) {
		await mkdir(`${bundle}/${name}`, { recursive: true });
		for (const file of files) {
			await copyFile(join(folder, file), `${bundle}/${name}/${file}`);
			await chmod(`${bundle}/${name}/${file}`, 0o755);
		}
	}
}

/** Programs of ours that interpreters of the jail read at their start. */
async function copyRuntimeFiles() {
	for (const language of ['python', 'javascript', 'bash']) {
		const folder = join('src/core/sandbox/runtimes', language);
		await mkdir(join('dist/core', language), { recursive: true });
		for (const name of await readdir(folder))
			if (/\.(?:py|cjs|sh)$/.test(name)) await copyFile(join(folder, name), join('dist/core', language, name));
	}
}

await rm('dist', { recursive: true, force: true });
const metafiles = await Promise.all(bundles.map(bundle));
for (const [name, folder] of Object.entries(binaryFolders)) await copyBinaries(name, folder);
await copyRuntimeFiles();
await cp('src/device/agent/page', 'dist/device/page', { recursive: true });
// Scripts that make services of the agent find the command line beside them.
await cp('packaging/agent', 'dist/packaging', { recursive: true });
await chmod('dist/cli/main.js', 0o755);
await writeFile('dist/THIRD-PARTY-LICENSES', await licencesOf(metafiles));

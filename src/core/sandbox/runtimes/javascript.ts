/** JavaScript and TypeScript in the jail: Node.js, with V8's heap kept a little under the memory limit. */
import { readFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { KnownError } from '../../../contract/error.ts';
import { ask, isExecutable, pathFolders } from './find.ts';
import { type Launch, type Program, programPath, type Runtime } from './runtime.ts';

const MiB = 1024 * 1024;
const executable = '/usr/bin/node';

/** Where bundles of packages are mounted: beside the program, where require and import both look. */
export const javascriptPackages = '/code/node_modules';

/** What Node.js needs beside V8's old generation: its own code, stacks, buffers. Measured with Node.js 24. */
const outsideHeapBytes = 56 * MiB;

const heapMegabytes = (memoryBytes: number): number => Math.max(16, Math.floor((memoryBytes - outsideHeapBytes) / MiB));

/** Types are stripped by Node.js itself; enums and namespaces are transformed. */
const typeScriptFlags = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'];

const dataModule = '/opt/secure-code/data.cjs';
const presetData = "globalThis.data = JSON.parse(require('node:fs').readFileSync('/work/in/data.json', 'utf8'));\n";

/** An interpreter that is started ahead stops in this module, and reads its program when it has got its job. */
const waitModule = '/opt/secure-code/wait.cjs';

/** Beside the sources, and beside the bundle that is made of them. */
const ownModule = (name: string): string => readFileSync(join(import.meta.dirname, 'javascript', name), 'utf8');

function launch({ code, dialect, limits, wishes }: Program): Launch {
	const path = programPath(dialect === 'typescript' ? 'ts' : 'js');
	const flags = [
		'--disable-proto=delete',
		`--max-old-space-size=${heapMegabytes(limits.memoryBytes)}`,
		...(dialect === 'typescript' ? typeScriptFlags : []),
	];
	const rest = [...(wishes.includes('data') ? ['--require', dataModule] : []), path];
	return {
		argv: [executable, ...flags, ...rest],
		env: {},
		files: [{ path, content: code }],
		limitAddressSpace: false,
		waiting: {
			argv: [executable, ...flags, '--require', waitModule, ...rest],
			env: { SECURE_CODE_WAIT: dialect === 'typescript' ? 'typescript' : 'javascript' },
		},
	};
}

/** The first version that strips types without being asked. */
const isModern = (version: string): boolean => {
	const [major = 0, minor = 0] = version.split('.').map(Number);
	return major > 22 || (major === 22 && minor >= 18);
};

const typeScriptFix = 'Let SECURE_CODE_NODE name a Node.js of version 22.18 or newer.';

const runtimeFor = (path: string, version: string): Runtime => ({
	language: 'javascript',
	version,
	lack: isModern(version) ? null : { detail: `${version}, which cannot run TypeScript`, fix: typeScriptFix },
	hostProgram: path,
	hostFiles: { [executable]: path },
	texts: { [dataModule]: presetData, [waitModule]: ownModule('wait.cjs') },
	links: {},
	hostFolders: [],
	overlays: {},
	launch: (program) => {
		if (program.dialect === 'typescript' && !isModern(version))
			throw new KnownError('RUNTIME_MISSING', { language: 'TypeScript' });
		return launch(program);
	},
});

/** The Node.js that runs us, then the one that lies beside us for development, then the ones on PATH. */
function candidates(env: NodeJS.ProcessEnv): string[] {
	if (env.SECURE_CODE_NODE) return [env.SECURE_CODE_NODE];
	const beside = join(import.meta.dirname, '..', '..', 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
	return [process.execPath, beside, ...pathFolders(env).map((folder) => join(folder, 'node'))];
}

async function versionOf(path: string): Promise<string | undefined> {
	if (path === process.execPath) return process.versions.node;
	return ask<string>(path, ['-p', 'JSON.stringify(process.versions.node)']);
}

export async function findNode(env: NodeJS.ProcessEnv = process.env): Promise<Runtime | undefined> {
	let older: Runtime | undefined;
	for (const path of candidates(env)) {
		if (!(await isExecutable(path))) continue;
		const version = await versionOf(path);
		if (!version) continue;
		const runtime = runtimeFor(await realpath(path), version);
		if (isModern(version)) return runtime;
		older ??= runtime;
	}
	return older;
}

/** Python in the jail: found on the host, isolated from its environment, with a site folder of our own. */
import { readFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { isReachableByOthers, isRoot } from '../../host/folders.ts';
import { ask, isExecutable, pathFolders } from './find.ts';
import { type Launch, type Program, programPath, type Runtime } from './runtime.ts';

/** Where bundles of packages are mounted. */
export const pythonPackages = '/opt/packages/python';

interface PythonFacts {
	readonly executable: string;
	readonly prefix: string;
	readonly version: string;
	readonly stdlib: string;
	/** The folder that Python itself reads packages from, even when it is isolated. */
	readonly site: string;
}

const askFacts = [
	'import json,os,site,sys,sysconfig as s',
	'print(json.dumps({"executable":os.path.realpath(sys._base_executable or sys.executable),"prefix":sys.base_prefix,',
	' "version":"%d.%d.%d"%sys.version_info[:3],"stdlib":s.get_path("stdlib"),"site":site.getsitepackages()[0]}))',
].join('\n');

/**
 * A line of a .pth file that begins with import is executed at the start. A program that is killed has then still shown
 * what it printed, which a pipe would otherwise hold back.
 */
const flushLines = 'import sys; sys.stdout is not None and sys.stdout.reconfigure(line_buffering=True)';

/** An interpreter that is started ahead stops here, and reads its program when it has got its job. */
const keepWaiting =
	"import os, sys; 'SECURE_CODE_WAIT' in os.environ and (__import__('secure_code_wait'), sys.modules.pop('secure_code_wait'))";

/** Programs without wishes pay for no more than a look into their environment. */
const keepWishes = "import os; 'SECURE_CODE_START' in os.environ and __import__('secure_code_start')";

const ourSite = '/opt/secure-code/python-site';

/** Beside the sources, and beside the bundle that is made of them. */
const ownModule = (name: string): string => readFileSync(join(import.meta.dirname, 'python', name), 'utf8');

const modules = ['wait', 'start', 'figures', 'state', 'definitions'].map((name) => `secure_code_${name}.py`);

const siteTexts = (folder: string): Record<string, string> => ({
	[`${folder}/secure-code.pth`]: `${pythonPackages}\n${flushLines}\n${keepWaiting}\n${keepWishes}\n`,
	...Object.fromEntries(modules.map((name) => [`${folder}/${name}`, ownModule(name)])),
});

const flags = ['-I', '-B', '-X', 'utf8'];

function launch(executable: string, { code, wishes }: Program): Launch {
	const path = programPath('py');
	const start = wishes.length === 0 ? {} : { SECURE_CODE_START: wishes.join(',') };
	const argv = [executable, ...flags, path];
	const drawing = { MPLBACKEND: 'Agg', MPLCONFIGDIR: '/tmp' };
	return {
		argv,
		env: { ...drawing, ...start },
		files: [{ path, content: code }],
		limitAddressSpace: true,
		waiting: { argv, env: { ...drawing, SECURE_CODE_WAIT: '1' } },
	};
}

/** Python of the system: its program is linked into the jail, its library mounted, the host's packages left out. */
function systemRuntime(facts: PythonFacts): Runtime {
	const executable = `${facts.prefix}/bin/python3`;
	const isLocal = facts.prefix === '/usr/local';
	const alias = isLocal ? '/usr/bin/python3' : '/usr/bin/python';
	return {
		...runtimeFor(facts, executable, isLocal ? ['/usr/local/lib'] : [facts.stdlib]),
		hostFiles: { [executable]: facts.executable },
		links: { [alias]: executable, ...(isLocal ? { '/usr/bin/python': executable } : {}) },
	};
}

/** Python from a place of its own, for example one built by hand: the whole place is mounted. */
function ownPrefixRuntime(facts: PythonFacts): Runtime {
	return {
		...runtimeFor(facts, facts.executable, [facts.prefix]),
		links: { '/usr/bin/python3': facts.executable, '/usr/bin/python': facts.executable },
	};
}

function runtimeFor(facts: PythonFacts, executable: string, hostFolders: readonly string[]): Runtime {
	const isMounted = hostFolders.some((folder) => facts.site.startsWith(`${folder}/`));
	return {
		language: 'python',
		version: facts.version,
		lack: null,
		hostProgram: facts.executable,
		hostFiles: {},
		texts: siteTexts(isMounted ? ourSite : facts.site),
		links: {},
		hostFolders,
		overlays: isMounted ? { [facts.site]: ourSite } : {},
		launch: (program) => launch(executable, program),
	};
}

async function candidates(env: NodeJS.ProcessEnv): Promise<string[]> {
	if (env.SECURE_CODE_PYTHON) return [env.SECURE_CODE_PYTHON];
	const folders = ['/usr/local/bin', '/usr/bin', ...pathFolders(env)];
	return [...new Set(folders.map((folder) => `${folder}/python3`))];
}

const isUsable = async (facts: PythonFacts): Promise<boolean> =>
	!isRoot() || isReachableByOthers(await realpath(`${facts.stdlib}/os.py`));

export async function findPython(env: NodeJS.ProcessEnv = process.env): Promise<Runtime | undefined> {
	for (const path of await candidates(env)) {
		if (!(await isExecutable(path))) continue;
		const facts = await ask<PythonFacts>(path, ['-I', '-c', askFacts]);
		if (!facts || !(await isUsable(facts))) continue;
		return ['/usr', '/usr/local'].includes(facts.prefix) ? systemRuntime(facts) : ownPrefixRuntime(facts);
	}
	return undefined;
}

/** The ways to start the same program that are measured side by side; each is one call from a running Node.js. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Language } from '../src/contract/language.ts';
import { composeExecutor, findPython, locateNsjail, parseJobRequest, warmSettings } from '../src/core/compose.ts';
import { dataHomes, isReachableByOthers } from '../src/core/host/folders.ts';
import { findBundle } from '../src/core/packages/bundle.ts';
import { findBash } from '../src/core/sandbox/runtimes/bash.ts';
import { findNode } from '../src/core/sandbox/runtimes/javascript.ts';
import { containersConf, testImage } from '../test/helpers/bring-podman.ts';
import type { Program } from './programs.ts';

export interface Rival {
	readonly name: string;
	/**
	 * Runs the program once and resolves when it is over; rejects when it did not print what it should, and, for a call
	 * that is alone, when it was not started as the name says.
	 */
	once(isAlone: boolean): Promise<void>;
	/** Called before a time is taken: what is started ahead of calls is there then. */
	settle(): Promise<void>;
}

/** The same environment on every side: a variable of the caller can cost a bare Node.js more than the whole jail. */
const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', LANG: 'C.UTF-8', TZ: 'UTC' };

async function spawnOnce(argv: readonly string[], prints: RegExp, more: Record<string, string> = {}): Promise<void> {
	const [file = '', ...args] = argv;
	const child = spawn(file, args, { env: { ...environment, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
	let printed = '';
	let said = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		printed += text;
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		said += text;
	});
	await once(child, 'close');
	if (!prints.test(printed)) throw new Error(`${file} printed ${JSON.stringify(printed.slice(0, 200))} ${said}`);
}

const spawned = (name: string, argv: readonly string[], { prints }: Program, more?: Record<string, string>): Rival => ({
	name,
	once: () => spawnOnce(argv, prints, more),
	settle: async () => {},
});

const finders = { python: findPython, javascript: findNode, bash: findBash };
const flags: Record<Language, readonly string[]> = {
	python: ['-I', '-B', '-X', 'utf8'],
	javascript: [],
	bash: ['--noprofile', '--norc'],
};

const bubblewrap = [
	...['/usr/bin/bwrap', '--unshare-all', '--die-with-parent', '--new-session', '--ro-bind', '/usr', '/usr'],
	...['--symlink', 'usr/lib', '/lib', '--symlink', 'usr/lib64', '/lib64', '--symlink', 'usr/bin', '/bin'],
	...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--tmpfs', '/work'],
];

/** What somebody writes who has read nsjail's manual once; no limits, no filter, the host's /usr. */
const nsjailByHand = (binary: string, shown: readonly string[]) => [
	...[binary, '-Mo', '-Q', '--user', '1000:100001:1', '--group', '1000:100001:1', '-R', '/usr', '-s', 'usr/lib:/lib'],
	...['-s', 'usr/lib64:/lib64', '-s', 'usr/bin:/bin', '-T', '/tmp', ...shown.flatMap((path) => ['-R', path])],
	...['-R', '/dev/null', '-R', '/dev/urandom', '--rlimit_as', 'inf', '--rlimit_nofile', '256', '--disable_proc'],
	...['-E', 'PATH=/usr/bin', '-E', 'LANG=C.UTF-8', '--'],
];

/** gVisor in the form in which it is one command; it shows the host's files read-only. */
const gvisor = ['/usr/bin/runsc', '--platform=ptrace', '--network=none', 'do'];

const podman = [
	...['/usr/bin/podman', 'run', '--rm', '--network', 'none', '--ulimit', 'nofile=64:64', '--ulimit', 'nproc=64:64'],
	...[testImage, 'sh', '-c'],
];

const plain = composeExecutor();
const ahead = composeExecutor({ warm: warmSettings({}) });

/** Jobs of ours, whole, with the static check; `ahead` says what is started before there is a job. */
function ours(name: string, program: Program, how: { isAhead: boolean; isWarm: boolean }): Rival {
	const { language, code, prints, packages } = program;
	const executor = how.isAhead ? ahead : plain;
	const preload = [...(packages?.preload ?? [])];
	const request = parseJobRequest({ language, code, warm: how.isWarm, preload, bundle: packages?.bundle ?? 'default' });
	const wanted = how.isWarm ? 'warm' : 'cold';
	return {
		name,
		async once(isAlone) {
			const result = await executor.run(request);
			if (!prints.test(result.stdout))
				throw new Error(JSON.stringify({ ...result, stdout: result.stdout.slice(0, 200) }));
			if (isAlone && result.start !== wanted) throw new Error(`a ${wanted} start was ${result.start}`);
		},
		settle: () => executor.settle(),
	};
}

/** Every rival starts the same file, and the user of a jail cannot follow a path into a private home. */
async function programFor(language: Language): Promise<string | undefined> {
	const runtime = await finders[language]();
	if (!runtime || isReachableByOthers(runtime.hostProgram)) return runtime?.hostProgram;
	const copy = join(tmpdir(), `secure-code-bench-${language}`);
	await copyFile(runtime.hostProgram, copy);
	await chmod(copy, 0o755);
	return copy;
}

/** The file that every other way runs; what comes out of a bundle for us it finds where the bundle lies. */
async function fileFor({ language, code, packages, name }: Program, folder: string): Promise<string> {
	const file = join(folder, `${name.replaceAll(' ', '-')}.${language}`);
	const bundle = packages && findBundle(dataHomes(), packages.bundle);
	const head = bundle ? `import sys\nsys.path.insert(0, ${JSON.stringify(bundle.python)})\n` : '';
	await writeFile(file, head + code, { mode: 0o644 });
	return file;
}

function others(
	program: Program,
	command: readonly string[],
	shown: readonly string[],
	nsjail: string | undefined,
): Rival[] {
	const rivals: Rival[] = [];
	if (existsSync('/usr/bin/bwrap')) {
		const binds = shown.flatMap((path) => ['--ro-bind', path, path]);
		rivals.push(spawned('bubblewrap', [...bubblewrap, ...binds, ...command], program));
	}
	if (nsjail) rivals.push(spawned('nsjail by hand', [...nsjailByHand(nsjail, shown), ...command], program));
	if (existsSync('/usr/bin/runsc')) rivals.push(spawned('gVisor runsc do', [...gvisor, ...command], program));
	if (existsSync('/usr/bin/podman') && program.language === 'bash')
		rivals.push(
			spawned('podman run (busybox)', [...podman, program.code], program, { CONTAINERS_CONF: containersConf }),
		);
	return rivals;
}

/** What is installed and cannot run here is left out, and says why. */
async function thatRun(rivals: readonly Rival[]): Promise<Rival[]> {
	const found: Rival[] = [];
	for (const rival of rivals) {
		const fault = await rival.once(false).catch((error: Error) => error.message);
		if (typeof fault === 'string') console.log(`left out: ${rival.name}: ${fault.split('\n')[0]}`);
		else found.push(rival);
	}
	return found;
}

/** @param folder receives the files of the programs; every user may enter it */
export async function rivalsFor(program: Program, folder: string): Promise<Rival[]> {
	const { language, packages } = program;
	const interpreter = await programFor(language);
	if (!interpreter) throw new Error(`${language} is not installed`);
	const file = await fileFor(program, folder);
	const command = [interpreter, ...flags[language], file];
	const bundle = packages && findBundle(dataHomes(), packages.bundle)?.python;
	const shown = [file, ...(interpreter.startsWith('/usr/') ? [] : [interpreter]), ...(bundle ? [bundle] : [])];
	return [
		spawned('bare', command, program),
		...(await thatRun(others(program, command, shown, await locateNsjail()))),
		ours('secure-code, nothing ahead', program, { isAhead: false, isWarm: false }),
		ours('secure-code, cold', program, { isAhead: true, isWarm: false }),
		ours('secure-code, warm', program, { isAhead: true, isWarm: true }),
	];
}

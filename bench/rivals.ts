/** The ways to start the same program that are measured side by side; each is one process spawn from a running Node.js. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Language } from '../src/contract/language.ts';
import { composeExecutor, findPython, locateNsjail, parseJobRequest } from '../src/core/compose.ts';
import { isReachableByOthers } from '../src/core/host/folders.ts';
import { findBash } from '../src/core/sandbox/runtimes/bash.ts';
import { findNode } from '../src/core/sandbox/runtimes/javascript.ts';

export interface Rival {
	readonly name: string;
	/** Runs the program once and resolves when it is over; rejects when it did not print what it should. */
	once(): Promise<void>;
}

export interface Scenario {
	readonly language: Language;
	readonly code: string;
	readonly file: string;
	readonly prints: string;
}

/** The same environment on every side: a variable of the caller can cost a bare Node.js more than the whole jail. */
const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', LANG: 'C.UTF-8', TZ: 'UTC' };

async function spawnOnce(argv: readonly string[], prints: string): Promise<void> {
	const [file = '', ...args] = argv;
	const child = spawn(file, args, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
	let printed = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		printed += text;
	});
	await once(child, 'close');
	if (printed !== prints) throw new Error(`${file} printed ${JSON.stringify(printed)}`);
}

const finders = { python: findPython, javascript: findNode, bash: findBash };
const flags: Record<Language, readonly string[]> = {
	python: ['-I', '-B', '-X', 'utf8'],
	javascript: [],
	bash: ['--noprofile', '--norc'],
};

const bubblewrap = [
	...['/usr/bin/bwrap', '--unshare-all', '--die-with-parent', '--new-session', '--ro-bind', '/usr', '/usr'],
	...['--symlink', 'usr/lib', '/lib', '--symlink', 'usr/lib64', '/lib64', '--symlink', 'usr/bin', '/bin'],
	...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--tmpfs', '/work', '--ro-bind'],
];

/** What somebody writes who has read nsjail's manual once; no limits, no filter, the host's /usr. */
const nsjailByHand = (binary: string, file: string, program: string) => [
	...[binary, '-Mo', '-Q', '--user', '1000:100001:1', '--group', '1000:100001:1', '-R', '/usr', '-s', 'usr/lib:/lib'],
	...['-s', 'usr/lib64:/lib64', '-s', 'usr/bin:/bin', '-R', program, '-T', '/tmp', '-R', file, '-R', '/dev/null'],
	...['-R', '/dev/urandom', '--rlimit_as', 'inf', '--rlimit_nofile', '256', '--disable_proc'],
	...['-E', 'PATH=/usr/bin', '-E', 'LANG=C.UTF-8', '--'],
];

function ours({ language, code, prints }: Scenario, check: boolean): Rival {
	const executor = composeExecutor();
	return {
		name: check ? 'secure-code' : 'secure-code, no check',
		async once() {
			const result = await executor.run(parseJobRequest({ language, code, check }));
			if (result.stdout !== prints) throw new Error(JSON.stringify(result));
		},
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

export async function rivalsFor(scenario: Scenario): Promise<Rival[]> {
	const { language, file, prints } = scenario;
	const program = await programFor(language);
	if (!program) throw new Error(`${language} is not installed`);
	const command = [program, ...flags[language], file];
	const rivals: Rival[] = [{ name: 'bare', once: () => spawnOnce(command, prints) }];
	if (existsSync('/usr/bin/bwrap')) {
		const shown = [...bubblewrap, file, file, '--ro-bind', program, program];
		rivals.push({ name: 'bubblewrap', once: () => spawnOnce([...shown, ...command], prints) });
	}
	const nsjail = await locateNsjail();
	if (nsjail) {
		const byHand = nsjailByHand(nsjail, file, program);
		rivals.push({ name: 'nsjail by hand', once: () => spawnOnce([...byHand, ...command], prints) });
	}
	return [...rivals, ours(scenario, false), ours(scenario, true)];
}

/** The command line as a long-lived process, once for each identity that may run it: jobs go in by line and come out by id. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
	chmodSync,
	chownSync,
	copyFileSync,
	cpSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	readlinkSync,
	rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobRequestInput, JobResult } from '../../src/contract/job.ts';
import type { Language } from '../../src/contract/language.ts';
import { isReachableByOthers } from '../../src/core/host/folders.ts';
import { locateNsjail } from '../../src/core/sandbox/backends/nsjail/locate.ts';
import type { World } from './world.ts';

const checkout = join(import.meta.dirname, '..', '..');
const isRoot = process.getuid?.() === 0;

/** A user of this machine who starts the command line. */
export interface Identity {
	readonly name: 'root' | 'an ordinary user';
	readonly uid: number;
	/** Why the tests of this identity are skipped; null when they run. */
	readonly skipped: string | null;
}

/** A user and a group of different numbers, as most systems have. */
const nobody = 65_534;
const noGroup = 65_533;

export const identities: readonly Identity[] = [
	{ name: 'root', uid: 0, skipped: isRoot ? null : 'the tests were not started as root' },
	{ name: 'an ordinary user', uid: isRoot ? nobody : (process.getuid?.() ?? nobody), skipped: null },
];

export const couldBeRoot = (): boolean => spawnSync('sudo', ['-n', 'true']).status === 0;

/** Stands in the environment of the command line, as n8n's own secrets do, and may appear nowhere in a jail. */
export const canary = 'canary-6f1d2c9e';

/** Where the command line lies so that its user can read it, and the user's own folders. */
export interface Installation {
	readonly folder: string;
	readonly node: string;
	readonly main: string;
	readonly env: Readonly<Record<string, string>>;
	readonly user: { readonly uid?: number; readonly gid?: number };
}

function own(path: string, { uid }: Identity): string {
	mkdirSync(path);
	chownSync(path, uid, isRoot && uid !== 0 ? noGroup : (process.getgid?.() ?? uid));
	return path;
}

/** The Node.js that runs these tests, or a copy where others can start it. */
function nodeFor(folder: string): string {
	if (!isRoot || isReachableByOthers(process.execPath)) return process.execPath;
	const copy = join(folder, 'node');
	copyFileSync(process.execPath, copy);
	chmodSync(copy, 0o755);
	return copy;
}

export async function install(identity: Identity): Promise<Installation> {
	const folder = mkdtempSync(join(tmpdir(), 'secure-code-conformance-'));
	chmodSync(folder, 0o755);
	cpSync(join(checkout, 'dist'), join(folder, 'dist'), { recursive: true });
	const env = {
		PATH: '/usr/local/bin:/usr/bin:/bin',
		HOME: own(join(folder, 'home'), identity),
		TMPDIR: own(join(folder, 'tmp'), identity),
		SECURE_CODE_HOME: own(join(folder, 'data'), identity),
		SECURE_CODE_NSJAIL: (await locateNsjail()) ?? '',
		N8N_ENCRYPTION_KEY: canary,
	};
	const user = isRoot && identity.uid !== 0 ? { uid: identity.uid, gid: noGroup } : {};
	return { folder, node: nodeFor(folder), main: join(folder, 'dist', 'cli', 'main.js'), env, user };
}

export interface StartOptions {
	readonly env?: Readonly<Record<string, string>>;
	/** Runs it in a network of its own. */
	readonly world?: World | undefined;
}

/** Starts the command line as the identity of the installation. */
export function start(at: Installation, args: readonly string[], options: StartOptions = {}): ChildProcess {
	const env = { ...at.env, ...options.env };
	const [command, ...words] = options.world?.within(at.user) ?? [];
	if (command) return spawn(command, [...words, at.node, at.main, ...args], { env, cwd: '/' });
	return spawn(at.node, [at.main, ...args], { ...at.user, env, cwd: '/' });
}

export interface Ran {
	readonly exitCode: number | null;
	readonly signal: string | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** Waits for a command line that was started. */
export async function finish(child: ChildProcess, input = ''): Promise<Ran> {
	const texts = { stdout: '', stderr: '' };
	child.stdout?.setEncoding('utf8').on('data', (text: string) => {
		texts.stdout += text;
	});
	child.stderr?.setEncoding('utf8').on('data', (text: string) => {
		texts.stderr += text;
	});
	child.stdin?.on('error', () => {});
	child.stdin?.end(input);
	const [exitCode, signal] = await once(child, 'close');
	return { exitCode, signal, ...texts };
}

export type Answer = JobResult & { readonly id: string | number | null };
type JobLine = JobRequestInput & { readonly id?: string | number };

/** One process of `run --jsonl`, fed with jobs for as long as a test file runs. */
export class Jail {
	readonly identity: Identity;
	readonly #args: readonly string[];
	readonly #start: StartOptions;
	readonly #waiting = new Map<string | number, (answer: Answer) => void>();
	#at: Installation | undefined;
	#child: ChildProcess | undefined;
	#jobs = 0;

	constructor(identity: Identity, args: readonly string[], options: StartOptions = {}) {
		this.identity = identity;
		this.#args = args;
		this.#start = options;
	}

	/** The process of the command line. */
	get pid(): number {
		return this.#child?.pid ?? 0;
	}

	get at(): Installation {
		if (!this.#at) throw new Error('the jail has not been opened');
		return this.#at;
	}

	/** Where the files of jobs arrive when the jail was made with files. */
	get outDir(): string {
		return join(this.at.env.TMPDIR ?? '', 'out');
	}

	async open(withFiles: boolean): Promise<void> {
		this.#at = await install(this.identity);
		const out = withFiles ? ['--out', this.outDir] : [];
		this.#child = start(this.at, ['run', '--jsonl', '--no-check', ...out, ...this.#args], this.#start);
		if (!this.#child.stdout || !this.#child.stderr) throw new Error('the command line has no output');
		createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(JSON.parse(line)));
		this.#child.stderr.pipe(process.stderr);
	}

	#hear(answer: Answer): void {
		this.#waiting.get(answer.id ?? '')?.(answer);
		this.#waiting.delete(answer.id ?? '');
	}

	async close(): Promise<void> {
		this.#child?.stdin?.end();
		if (this.#child && this.#child.exitCode === null) await once(this.#child, 'exit');
		rmSync(this.at.folder, { recursive: true, force: true });
	}

	run(job: JobLine): Promise<Answer> {
		const id = job.id ?? ++this.#jobs;
		return new Promise((resolve) => {
			this.#waiting.set(id, resolve);
			this.#child?.stdin?.write(`${JSON.stringify({ ...job, id })}\n`);
		});
	}

	#code(language: Language, code: string, more: JobLine = {}): Promise<Answer> {
		return this.run({ language, code, ...more });
	}

	python = (code: string, more?: JobLine): Promise<Answer> => this.#code('python', code, more);
	javascript = (code: string, more?: JobLine): Promise<Answer> => this.#code('javascript', code, more);
	bash = (code: string, more?: JobLine): Promise<Answer> => this.#code('bash', code, more);
}

interface JailOptions {
	/** Takes over what programs leave in /work/out. */
	readonly withFiles?: boolean;
	readonly concurrency?: number;
	/** Further words of the command line. */
	readonly args?: readonly string[];
	readonly start?: StartOptions;
}

/** The same tests for each identity; one that cannot be had says why, and fails where CI could have had it. */
export function asEachIdentity(body: (jail: Jail) => void, options: JailOptions = {}): void {
	for (const identity of identities) {
		if (identity.skipped !== null && process.env.CI === 'true')
			test(`${identity.name} is not left out in CI`, () => expect(couldBeRoot()).toBe(false));
		const reason = identity.skipped === null ? '' : ` (skipped: ${identity.skipped})`;
		describe.skipIf(identity.skipped !== null)(`as ${identity.name}${reason}`, () => {
			const args = ['--concurrency', String(options.concurrency ?? 4), ...(options.args ?? [])];
			const jail = new Jail(identity, args, options.start);
			beforeAll(() => jail.open(options.withFiles === true));
			afterAll(() => jail.close());
			body(jail);
		});
	}
}

/** Where a jail is configured; one that waits for its configuration reads it from a pipe of whoever started it. */
export function configOf([, , path = '']: readonly string[]): string {
	try {
		return path.startsWith('/proc/') ? readlinkSync(path) : path;
	} catch {
		return '';
	}
}

/** The folders of the jails that wait for the next job of a command line, or run one. */
export const waitingFolders = (jail: Jail): string[] =>
	readFileSync(`/proc/${jail.pid}/task/${jail.pid}/children`, 'utf8')
		.split(' ')
		.filter((pid) => pid.trim() !== '')
		.map((pid) => basename(dirname(configOf(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')))))
		.sort();

/** How a job ended, without what the program printed. */
export const ended = ({ status, exitCode, signal, problem }: JobResult) => ({
	status,
	exitCode,
	signal,
	problem: problem?.code ?? null,
});

export const succeeded = { status: 'succeeded', exitCode: 0, signal: null, problem: null };

/** A program that worked, and what it printed. */
export function printed(result: JobResult): string {
	expect({ ...ended(result), stderr: result.stderr }).toEqual({ ...succeeded, stderr: '' });
	return result.stdout;
}

export const tierOf = ({ name }: Identity): 'full' | 'reduced' => (name === 'root' ? 'full' : 'reduced');

/** A device agent as a user would have it: made by "agent init" in a folder of its own, served by the built command line. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse, stringify } from 'yaml';
import { locateNsjail } from '../../src/core/sandbox/backends/nsjail/locate.ts';
import type { InitResult } from '../../src/device/agent/init.ts';

const checkout = join(import.meta.dirname, '..', '..');
export const main = join(checkout, 'dist', 'cli', 'main.js');

export interface AgentChanges {
	/** Flags of "agent init" beside --dir, --json and --port-base. */
	readonly init?: readonly string[];
	/** What replaces the policy that init wrote. */
	readonly policy?: string;
	/** Changes the configuration before the agent starts. */
	config?(config: Record<string, never>): void;
	readonly env?: Readonly<Record<string, string>>;
}

const capabilities = [
	'shell.run',
	'shell.run.agent3',
	'shell.run.ogent',
	'shell.run.quickcmd',
	'shell.exec',
	'shell.eval',
];

/** A policy that lets every script run in a jail which shows the programs of this machine. @param writable folders that jobs may change */
export const openPolicy = (...writable: readonly string[]): string =>
	stringify({
		version: 1,
		name: 'everything, for tests',
		profiles: {
			default: {
				mounts: [
					...['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc'].map((path) => ({ path, isOptional: true })),
					...writable.map((path) => ({ path, isWritable: true })),
				],
			},
		},
		paths: { read: ['/'], write: ['/'] },
		capabilities: Object.fromEntries(
			capabilities.map((name) => [name, { profile: 'default', scripts: 'free', programs: '*', otherwise: 'allow' }]),
		),
	});

/** One JSON line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

const startMs = 30_000;
const stopMs = 60_000;

/** Away from the ports that people use; init takes the next free ones. */
const randomPortBase = (): number => 20_000 + Math.floor(Math.random() * 3_000) * 10;

/** Runs the command line and returns what it printed; throws when it fails. */
export function secureCode(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
	return execFileSync(process.execPath, [main, ...args], {
		encoding: 'utf8',
		maxBuffer: 256 * 1024 * 1024,
		env: { ...process.env, ...env },
	});
}

export class TestAgent {
	readonly dir: string;
	/** Addresses and keys, as "agent init --json" printed them. */
	readonly faces: Required<InitResult['faces']>;
	/** Every line of the log of every run, in order. */
	readonly log: LogLine[] = [];
	/** What was printed on stderr; the agent prints nothing there unless it fails. */
	stderr = '';
	/** Environment of its processes. */
	readonly env: NodeJS.ProcessEnv;
	#child: ChildProcess | undefined;

	private constructor(dir: string, faces: Required<InitResult['faces']>, env: Readonly<Record<string, string>>) {
		this.dir = dir;
		this.faces = faces;
		this.env = { ...process.env, ...env };
	}

	/** Makes the folder; nothing runs yet. Call `remove()` in the end. */
	static async create(changes: AgentChanges = {}): Promise<TestAgent> {
		const dir = join(mkdtempSync(join(tmpdir(), 'secure-code-agent-')), 'agent');
		const ports = ['--port-base', String(randomPortBase())];
		const printed = secureCode(['agent', 'init', '--dir', dir, '--json', ...ports, ...(changes.init ?? [])]);
		const env = { SECURE_CODE_NSJAIL: (await locateNsjail()) ?? '', ...changes.env };
		const agent = new TestAgent(dir, JSON.parse(printed).faces, env);
		if (changes.policy !== undefined) agent.write('policy.yaml', changes.policy);
		if (changes.config) agent.changeConfig(changes.config);
		return agent;
	}

	/** Makes the folder and serves it. */
	static async start(changes: AgentChanges = {}): Promise<TestAgent> {
		const agent = await TestAgent.create(changes);
		await agent.serve();
		return agent;
	}

	get pid(): number {
		const pid = this.#child?.pid;
		if (pid === undefined) throw new Error('the agent does not run');
		return pid;
	}

	/** Resolves when it is ready; rejects with what it said when it ends before. */
	async serve(...flags: readonly string[]): Promise<void> {
		const child = spawn(process.execPath, [main, 'agent', 'serve', '--dir', this.dir, ...flags], { env: this.env });
		this.#child = child;
		child.stderr.setEncoding('utf8').on('data', (text: string) => {
			this.stderr += text;
		});
		const ready = new Promise<void>((resolve) => {
			createInterface({ input: child.stdout }).on('line', (line) => {
				const read: LogLine = JSON.parse(line);
				this.log.push(read);
				if (read.msg === 'ready') resolve();
			});
		});
		const ended = once(child, 'exit').then(([code]) => {
			throw new Error(`the agent ended with ${code} instead of getting ready: ${this.stderr}`);
		});
		const late = new Promise((_, reject) =>
			setTimeout(() => reject(new Error('the agent does not get ready')), startMs).unref(),
		);
		await Promise.race([ready, ended, late]);
		ended.catch(() => {});
		late.catch(() => {});
	}

	/** @returns its exit code, or the signal that ended it */
	async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string | null> {
		const child = this.#child;
		if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
		// Not "exit": its last lines may still be on their way.
		const ended = once(child, 'close', { signal: AbortSignal.timeout(stopMs) });
		child.kill(signal);
		const [code, endedBy] = await ended;
		return code ?? endedBy;
	}

	/** Ends it, whatever it is doing, and deletes the folder. */
	async remove(): Promise<void> {
		await this.end('SIGKILL');
		rmSync(join(this.dir, '..'), { recursive: true, force: true });
	}

	signal(name: NodeJS.Signals): void {
		process.kill(this.pid, name);
	}

	/** Resolves with the first line of the log with these words, those that came before included. */
	async logged(words: string, ms = 10_000): Promise<LogLine> {
		const end = Date.now() + ms;
		while (Date.now() < end) {
			const found = this.log.find(({ msg }) => msg.includes(words));
			if (found) return found;
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
		throw new Error(`the log never said "${words}": ${this.log.map(({ msg }) => msg).join(' | ')}`);
	}

	read(name: string): string {
		return readFileSync(join(this.dir, name), 'utf8');
	}

	write(name: string, text: string): void {
		writeFileSync(join(this.dir, name), text, { mode: 0o600 });
	}

	changeConfig(change: (config: Record<string, never>) => void): void {
		const config = parse(this.read('config.yaml'));
		change(config);
		this.write('config.yaml', stringify(config));
	}
}

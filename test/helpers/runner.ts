/** A process of its own with a runner in it, once for each identity that an agent may have. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../src/contract/job.ts';
import type { Profile } from '../../src/core/runner/profile.ts';
import type { DeviceJob, DeviceLimits, RunnerOutcome } from '../../src/core/runner/runner.ts';
import type { ProbeStep } from '../../src/core/sandbox/backend.ts';
import { couldBeRoot, type Identity, type Installation, identities, install } from './jail.ts';

/** The bundle is made as that of the agent is, and lies beside the small programs, as that does. */
async function bundle(at: Installation): Promise<string> {
	const outfile = join(at.folder, 'dist', 'core', 'runner-host.js');
	await build({
		entryPoints: ['test/fixtures/runner-host.ts'],
		outfile,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		logLevel: 'error',
		define: { 'import.meta.dirname': '__dirname', 'import.meta.url': '""' },
	});
	return outfile;
}

export interface Ran {
	/** Undefined when the runner refused. */
	readonly outcome: RunnerOutcome | undefined;
	readonly error: Problem | undefined;
	readonly stdout: string;
	readonly stderr: string;
}

export interface RunningJob {
	readonly ended: Promise<Ran>;
	readonly started: Promise<void>;
	/** What it has printed so far. */
	printed(): string;
	cancel(): void;
}

const limits: DeviceLimits = {
	timeoutMs: 30_000,
	idleTimeoutMs: null,
	outputBytes: 1_048_576,
	floodBytes: 1_048_576,
	memoryBytes: 268_435_456,
	processes: 64,
};

export type JobChange = Partial<Omit<DeviceJob, 'limits'>> & { readonly limits?: Partial<DeviceLimits> };

type ProfileInput = Partial<Record<keyof Profile, unknown>>;

interface Line {
	readonly id: number;
	readonly stream?: 'stdout' | 'stderr';
	readonly base64?: string;
	readonly started?: true;
	readonly outcome?: RunnerOutcome;
	readonly error?: Problem;
	readonly steps?: readonly ProbeStep[];
}

export const canaries = { environ: 'canary-environ-5ad1', key: 'canary-key-77f0', audit: 'canary-audit-1be9' };

/** The process; its folder holds what an agent's holds. */
export class RunnerHost {
	readonly identity: Identity;
	readonly #profiles: (host: RunnerHost) => Record<string, ProfileInput>;
	readonly #hearers = new Map<number, (line: Line) => void>();
	#at: Installation | undefined;
	#child: ChildProcess | undefined;
	readonly #env: Readonly<Record<string, string>>;
	#jobs = 0;

	constructor(
		identity: Identity,
		profiles: (host: RunnerHost) => Record<string, ProfileInput>,
		env: Readonly<Record<string, string>> = {},
	) {
		this.identity = identity;
		this.#profiles = profiles;
		this.#env = env;
	}

	get at(): Installation {
		if (!this.#at) throw new Error('the runner has not been opened');
		return this.#at;
	}

	get pid(): number {
		return this.#child?.pid ?? 0;
	}

	/** Folder of the agent. */
	get dir(): string {
		return join(this.at.env.HOME ?? '', 'agent');
	}

	/** A folder of the device that the user of the agent owns. */
	get shared(): string {
		return join(this.at.folder, 'shared');
	}

	async open(): Promise<void> {
		this.#at = await install(this.identity);
		const { uid, gid } = { uid: this.identity.uid, gid: this.at.user.gid ?? process.getgid?.() ?? 0 };
		for (const folder of [this.dir, this.shared]) {
			mkdirSync(folder, { mode: 0o700 });
			chownSync(folder, uid, gid);
		}
		chmodSync(this.shared, 0o755);
		for (const [name, text] of Object.entries({ 'device.pem': canaries.key, 'agent.db': canaries.audit })) {
			writeFileSync(join(this.dir, name), `${text}\n`, { mode: 0o600 });
			chownSync(join(this.dir, name), uid, gid);
		}
		await this.start();
	}

	async start(): Promise<void> {
		const script = await bundle(this.at);
		const args = [script, this.dir, '[]', JSON.stringify(this.#profiles(this))];
		const env = { ...this.at.env, AGENT_SECRET: canaries.environ, ...this.#env };
		this.#child = spawn(this.at.node, args, { ...this.at.user, env, cwd: '/' });
		this.#child.stderr?.pipe(process.stderr);
		this.#child.stdin?.on('error', () => {});
		if (!this.#child.stdout) throw new Error('the runner has no output');
		createInterface({ input: this.#child.stdout }).on('line', (text) => {
			const line: Line = JSON.parse(text);
			this.#hearers.get(line.id)?.(line);
		});
	}

	async kill(): Promise<void> {
		const exit = this.#child && once(this.#child, 'exit');
		this.#child?.kill('SIGKILL');
		await exit;
	}

	async close(): Promise<void> {
		this.#child?.stdin?.end();
		if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null)
			await once(this.#child, 'exit');
		rmSync(this.at.folder, { recursive: true, force: true });
	}

	begin(profile: string, plan: DeviceJob['plan'], change: JobChange = {}): RunningJob {
		const id = ++this.#jobs;
		const texts = { stdout: '', stderr: '' };
		let begun = () => {};
		const started = new Promise<void>((resolve) => {
			begun = resolve;
		});
		const ended = new Promise<Ran>((resolve) => {
			this.#hearers.set(id, (line) => {
				if (line.started) begun();
				if (line.stream) texts[line.stream] += Buffer.from(line.base64 ?? '', 'base64').toString();
				if (line.outcome || line.error) resolve({ outcome: line.outcome, error: line.error, ...texts });
			});
		});
		const none = { cwd: null, stdin: null, network: null, image: null, container: null };
		const base = { jobId: `job-${id}`, env: {}, ...none };
		const job: DeviceJob = { ...base, plan, profile, ...change, limits: { ...limits, ...change.limits } };
		this.#send({ id, job });
		return {
			ended,
			started,
			printed: () => texts.stdout,
			cancel: () => this.#send({ id, cancel: true }),
		};
	}

	argv(profile: string, argv: string[], change?: JobChange): Promise<Ran> {
		return this.begin(profile, { mode: 'argv', argv }, change).ended;
	}

	bash(profile: string, script: string, change?: JobChange): Promise<Ran> {
		return this.begin(profile, { mode: 'script', script, shell: 'bash' }, change).ended;
	}

	probe(): Promise<readonly ProbeStep[]> {
		const id = ++this.#jobs;
		return new Promise((resolve) => {
			this.#hearers.set(id, ({ steps }) => resolve(steps ?? []));
			this.#send({ id, probe: true });
		});
	}

	#send(line: object): void {
		this.#child?.stdin?.write(`${JSON.stringify(line)}\n`);
	}
}

/** The same tests for each identity of an agent. */
export function asEachAgent(
	profiles: (host: RunnerHost) => Record<string, ProfileInput>,
	body: (host: RunnerHost) => void,
): void {
	for (const identity of identities) {
		if (identity.skipped !== null && process.env.CI === 'true')
			test(`${identity.name} is not left out in CI`, () => expect(couldBeRoot()).toBe(false));
		const reason = identity.skipped === null ? '' : ` (skipped: ${identity.skipped})`;
		describe.skipIf(identity.skipped !== null)(`an agent that is ${identity.name}${reason}`, () => {
			const host = new RunnerHost(identity, profiles);
			beforeAll(() => host.open());
			afterAll(() => host.close());
			body(host);
		});
	}
}

/** How a job ended, without figures. */
export const ended = ({ outcome, error }: Ran) => ({
	stopped: outcome?.stopped,
	exit: outcome?.exit,
	fault: outcome?.fault,
	isConfirmedDead: outcome?.isConfirmedDead,
	error: error?.code ?? null,
});

export const exited = (code: number) => ({
	stopped: null,
	exit: { code, signal: null },
	fault: null,
	isConfirmedDead: true,
	error: null,
});

/** What a command printed that worked. */
export function printed(ran: Ran): string {
	expect({ ...ended(ran), stderr: ran.stderr }).toEqual({ ...exited(0), stderr: '' });
	return ran.stdout;
}

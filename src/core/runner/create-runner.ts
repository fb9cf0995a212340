/** The runner of this process: finds the profile of a job, narrows its limits, and hands it to the backend of the profile. */
import { KnownError } from '../../contract/error.ts';
import type { BoxIo, ProbeStep } from '../sandbox/backend.ts';
import { ContainerRunner } from './container.ts';
import { DirectEngine } from './direct.ts';
import type { Engine, PreparedJob } from './engine.ts';
import { JailedEngine } from './jailed.ts';
import { checkPins } from './pins.ts';
import type { Profile } from './profile.ts';
import type { DeviceJob, DeviceLimits, Runner, RunnerOutcome } from './runner.ts';
import { Watch } from './watch.ts';

export interface RunnerOptions {
	/** Profiles of the policy, by name. */
	readonly profiles: Readonly<Record<string, Profile>>;
	/** Folder of the agent; whatever is mounted, no job sees it. */
	readonly dir: string;
	/** Further paths that no job may see: keys and records that lie elsewhere. */
	readonly masks?: readonly string[];
}

/** What the kernel takes: so much for one word, and so much for all of them. */
const wordBytes = 128 * 1024 - 1;
const allWordsBytes = 1024 * 1024;

const least = (...numbers: (number | undefined)[]): number =>
	Math.min(...numbers.filter((number) => number !== undefined));

/** The limits of a profile hold for every job of it, whatever the job says. Its output is cut where it is kept. */
const narrowed = (limits: DeviceLimits, rules: Profile): DeviceLimits => ({
	...limits,
	timeoutMs: least(limits.timeoutMs, rules.timeoutMs),
	memoryBytes: least(limits.memoryBytes, rules.memoryBytes),
	processes: least(limits.processes, rules.processes),
});

function checkWords({ plan, env }: DeviceJob): void {
	const words = [...(plan.mode === 'argv' ? plan.argv : []), ...Object.entries(env).map((pair) => pair.join('='))];
	const sizes = words.map((word) => Buffer.byteLength(word) + 1);
	if (Math.max(0, ...sizes) > wordBytes || sizes.reduce((sum, size) => sum + size, 0) > allWordsBytes)
		throw new KnownError('JOB_INVALID', { details: 'the words of the command are longer than the system takes' });
	if (words.some((word) => word.includes('\0')))
		throw new KnownError('JOB_INVALID', { details: 'a word of the command holds a NUL' });
}

class InProcessRunner implements Runner {
	readonly #profiles: RunnerOptions['profiles'];
	readonly #engines: Readonly<Record<Profile['backend'], Engine>>;
	readonly #running = new Set<{ stop(): void; readonly over: Promise<unknown> }>();
	#isClosed = false;

	constructor({ profiles, dir, masks = [] }: RunnerOptions) {
		this.#profiles = profiles;
		const around = { profiles, dir, hidden: [dir, ...masks] };
		this.#engines = {
			nsjail: new JailedEngine(around),
			direct: new DirectEngine(around),
			docker: new ContainerRunner('docker', around),
			podman: new ContainerRunner('podman', around),
		};
	}

	async run(job: DeviceJob, io: BoxIo): Promise<RunnerOutcome> {
		if (this.#isClosed) throw new KnownError('AGENT_STOPPING');
		const prepared = this.#prepare(job);
		await checkPins(job.plan);
		const watch = new Watch(io, prepared.limits);
		const over = this.#engines[prepared.rules.backend].run(prepared, watch.io);
		const running = { stop: () => watch.stop('cancelled'), over: over.catch(() => {}) };
		this.#running.add(running);
		try {
			return watch.end(await over);
		} finally {
			watch.close();
			this.#running.delete(running);
		}
	}

	async probe(): Promise<readonly ProbeStep[]> {
		const steps: ProbeStep[] = [];
		for (const [backend, engine] of Object.entries(this.#engines)) {
			const own = Object.entries(this.#profiles).filter(([, rules]) => rules.backend === backend);
			if (own.length > 0) steps.push(...(await engine.probe(Object.fromEntries(own))));
		}
		return steps;
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		for (const { stop } of this.#running) stop();
		await Promise.all([...this.#running].map(({ over }) => over));
		await Promise.all(Object.values(this.#engines).map((engine) => engine.close?.()));
	}

	#prepare(job: DeviceJob): PreparedJob {
		const rules = Object.hasOwn(this.#profiles, job.profile) ? this.#profiles[job.profile] : undefined;
		if (!rules)
			throw new KnownError('PROFILE_UNUSABLE', { profile: job.profile, details: 'the policy has no such profile' });
		checkWords(job);
		return { ...job, rules, limits: narrowed(job.limits, rules) };
	}
}

export const createRunner = (options: RunnerOptions): Runner => new InProcessRunner(options);

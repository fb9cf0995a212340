/** One job of the agent on its way through the story: decided by the policy, approved by people, recorded before it runs and after. */
import { randomUUID } from 'node:crypto';
import type { AgentConfig } from '../../contract/agent-config.ts';
import type { Approval } from '../../contract/approval.ts';
import type { JobDraft, JobState } from '../../contract/device-job.ts';
import { KnownError, problemFor } from '../../contract/error.ts';
import type { JobResult } from '../../contract/job.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import type { Principal } from '../../contract/principal.ts';
import { execute, type Refusal, type Ruling, type Stages } from '../../core/execute.ts';
import type { FairQueue } from '../../core/queue.ts';
import { withoutRun } from '../../core/result.ts';
import type { DeviceJob, Runner } from '../../core/runner/runner.ts';
import type { StopReason } from '../../core/sandbox/backend.ts';
import { MaskedOutput } from '../../core/secrets/live.ts';
import type { Mask } from '../../core/secrets/redact.ts';
import type { ApprovalMirror } from './approval-mirror.ts';
import type { ApprovalDesk } from './approvals.ts';
import type { Log } from './face.ts';
import type { Feed } from './feed.ts';
import { freeze, type Planned, planned } from './freeze.ts';
import { acceptedEntry, endEntry, startEntry } from './job-entries.ts';
import { Listener } from './job-result.ts';
import { OutputCap } from './output-cap.ts';
import type { JobRow, Store } from './ports.ts';

/** The policy that is loaded now. */
export type Decider = (principal: Principal, draft: JobDraft) => Promise<PolicyDecision>;

export interface RunParts {
	readonly store: Store;
	readonly approvals: ApprovalDesk;
	readonly mirror: ApprovalMirror;
	readonly runner: Runner;
	readonly queue: FairQueue;
	readonly config: AgentConfig;
	readonly decide: Decider;
	readonly log: Log;
	/** Hides the secrets that the agent knows. */
	mask(): Mask;
	now(): number;
	/** Hears each state after it was written. */
	onState(jobId: string, state: JobState): void;
}

/** The policy's word and what it froze. */
interface Decided extends Ruling {
	readonly policy: PolicyDecision;
	readonly job: DeviceJob;
	readonly approval: Approval | undefined;
}

export class JobRun {
	readonly row: JobRow;
	readonly feed: Feed;
	/** Resolves when the job is in the store, whatever was decided; rejects when it could not be written. */
	readonly recorded: Promise<void>;
	readonly #parts: RunParts;
	readonly #isNew: boolean;
	readonly #stop = new AbortController();
	readonly #listener = new Listener();
	#setRecorded = () => {};
	#failRecorded = (_error: unknown) => {};
	#isRecorded = false;
	#decision: PolicyDecision | null = null;
	#isOver = false;
	#isConfirmedDead: boolean | null = null;

	/** @param isNew false for a job that an earlier process accepted and never began */
	constructor(parts: RunParts, row: JobRow, feed: Feed, isNew: boolean) {
		this.#parts = parts;
		this.row = row;
		this.feed = feed;
		this.#isNew = isNew;
		this.recorded = new Promise((resolve, reject) => {
			this.#setRecorded = resolve;
			this.#failRecorded = reject;
		});
		// Whoever hands the job in hears of the failure; a resumed job has nobody who listens.
		this.recorded.catch(() => {});
	}

	/** From the decision to the end. Rejects only when the end could not be written. */
	async run(): Promise<void> {
		try {
			const result = await execute(this.#stages()).catch((error: unknown) => this.#failed(error));
			if (!this.#isOver) await this.#recordEnd(result);
		} catch (error) {
			this.#failRecorded(error);
			throw error;
		} finally {
			this.feed.end();
		}
	}

	/** Ends the job wherever it stands. */
	cancel(): void {
		this.#stop.abort('cancelled' satisfies StopReason);
	}

	#tell(state: JobState, at?: number): void {
		this.feed.state(state, at);
		this.#parts.onState(this.row.jobId, state);
	}

	#stages(): Stages<JobDraft, Decided> {
		const { queue } = this.#parts;
		return {
			check: async () => this.row.draft,
			decide: (draft) => this.#decide(draft),
			approve: (_draft, decided) => this.#approve(decided),
			turn: { queue, key: this.row.principal.name, signal: this.#stop.signal },
			known: () => ({ language: null, findings: [] }),
			recordStart: (_draft, decided) => this.#recordStart(decided),
			run: (_draft, decided) => this.#runJob(decided.job),
			recordEnd: (result) => this.#recordEnd(result),
		};
	}

	async #decide(draft: JobDraft): Promise<Decided | Refusal> {
		const { store, config, approvals, decide } = this.#parts;
		const policy = await decide(this.row.principal, draft);
		this.#decision = policy;
		const plan = planned(policy);
		const refused = plan ? this.#tooManyAsked(plan) : deniedBy(policy);
		if (!plan || refused) return this.#refuse(refused ?? deniedBy(policy));
		const job = freeze(this.row.jobId, draft, plan, config);
		const asked =
			policy.decision === 'ask'
				? (store.approvalOfJob(job.jobId) ?? approvals.requestFor(this.row, job, policy))
				: undefined;
		await this.#record(policy, asked);
		return { decision: policy.decision, policy, job, approval: asked };
	}

	#tooManyAsked({ decision }: Planned): JobResult | undefined {
		const { approvals, config } = this.#parts;
		if (decision.decision !== 'ask' || !this.#isNew) return undefined;
		const pending = approvals.pendingOf(this.row.principal.name);
		return pending < config.approvals.pendingPerPrincipal
			? undefined
			: withoutRun('denied', problemFor('APPROVALS_FULL', { pending }));
	}

	/** A refused job is on record, too, and over at once. */
	async #refuse(result: JobResult): Promise<Refusal> {
		await this.#recordEnd(result);
		return { refused: result };
	}

	/** The job, what was decided, and the request for approval: together or not at all. */
	async #record(policy: PolicyDecision, asked: Approval | undefined): Promise<void> {
		const { store, config, mirror } = this.#parts;
		const state = asked ? 'awaiting_approval' : 'queued';
		const isNewRequest = asked !== undefined && store.approval(asked.approvalId) === undefined;
		const entries = this.#isNew ? [acceptedEntry(this.row, policy, config.audit.keepCommands)] : [];
		const request = isNewRequest ? [requestEntry(this.row, asked)] : [];
		await store.change(
			(tx) => {
				if (this.#isNew) tx.addJob({ ...this.row, decision: policy }, state);
				if (isNewRequest) tx.addApproval(asked);
				tx.setJob(this.row.jobId, { state, decision: policy, approvalId: asked?.approvalId ?? null });
			},
			...entries,
			...request,
		);
		if (isNewRequest) mirror.requested(asked);
		this.#isRecorded = true;
		this.#tell(state);
		this.#setRecorded();
	}

	async #approve({ approval }: Decided): Promise<Refusal | undefined> {
		if (!approval) return { refused: withoutRun('denied', problemFor('APPROVAL_EXPIRED', { approval: '' })) };
		const answered = await this.#parts.approvals.settled(approval.approvalId, this.#stop.signal);
		if (answered.state !== 'approved') return { refused: notApproved(answered) };
		await this.#parts.store.change((tx) => tx.setJob(this.row.jobId, { state: 'queued' }));
		this.#tell('queued');
		return undefined;
	}

	/** From here on the job counts as run: if this agent dies now, it is lost, and nobody runs it again. */
	async #recordStart({ policy, job, approval }: Decided): Promise<Refusal | undefined> {
		const { store, approvals, now } = this.#parts;
		const used = approval && store.approval(approval.approvalId);
		if (used && !approvals.isGoodFor(used, job, policy.policyHash))
			return { refused: withoutRun('denied', problemFor('APPROVAL_EXPIRED', { approval: used.approvalId })) };
		const startedAt = now();
		await store.change(
			(tx) => {
				if (used) tx.setApproval(used.approvalId, { state: 'consumed' });
				tx.setJob(job.jobId, { state: 'running', startedAt });
			},
			...(used ? [consumeEntry(this.row, used)] : []),
			startEntry(this.row, policy, job, used?.approvalId ?? null),
		);
		this.#tell('running');
		return undefined;
	}

	async #runJob(job: DeviceJob): Promise<JobResult> {
		const cap = new OutputCap(job.limits.outputBytes);
		const output = new MaskedOutput(this.#parts.mask(), (stream, chunk) => {
			const kept = cap.take(chunk);
			const dropped = chunk.length - kept.length;
			this.#listener.hear(stream, kept, dropped);
			this.feed.output(stream, kept, dropped);
		});
		try {
			const outcome = await this.#parts.runner.run(job, {
				stdin: job.stdin ?? undefined,
				signal: this.#stop.signal,
				onOutput: (stream, chunk) => {
					output.push(stream, chunk);
					return this.#parts.store.output(this.row.jobId).room(stream);
				},
			});
			this.#isConfirmedDead = outcome.isConfirmedDead;
			output.end();
			return this.#listener.result(job, outcome);
		} finally {
			output.end();
		}
	}

	async #recordEnd(result: JobResult): Promise<void> {
		this.#isOver = true;
		const { store, now } = this.#parts;
		const output = store.output(this.row.jobId);
		await output.finish();
		this.feed.flush();
		const endedAt = now();
		const ended = { result, sums: output.sums(), bytes: this.#listener.bytes, isConfirmedDead: this.#isConfirmedDead };
		const isUnknown = this.#isNew && !this.#isRecorded;
		await store.change(
			(tx) => {
				if (isUnknown) tx.addJob({ ...this.row, decision: this.#decision }, 'ended');
				tx.setJob(this.row.jobId, {
					state: 'ended',
					decision: this.#decision,
					result,
					isConfirmedDead: this.#isConfirmedDead,
					endedAt,
				});
			},
			endEntry(this.row, this.#decision, ended),
		);
		this.#isRecorded = true;
		this.#tell('ended', endedAt);
		this.#setRecorded();
	}

	/** What an operator must mend ends the job, and so does a bug; if the end cannot be written, nobody is told that it was. */
	#failed(error: unknown): JobResult {
		if (this.#isOver) throw error;
		if (!KnownError.is(error)) return this.#unforeseen(error);
		if (error.code === 'AUDIT_BROKEN') throw error;
		return withoutRun(error.row.audience === 'model' ? 'denied' : 'broken', error.problem);
	}

	#unforeseen(error: unknown): JobResult {
		const id = randomUUID();
		const stack = error instanceof Error ? error.stack : String(error);
		this.#parts.log.error({ jobId: this.row.jobId, id, stack }, 'a job failed in a way that nobody foresaw');
		return withoutRun('broken', problemFor('INTERNAL', { id }));
	}
}

function deniedBy({ reasons }: PolicyDecision): JobResult {
	const [first] = reasons;
	return withoutRun(
		'denied',
		problemFor('POLICY_DENIED', { why: first?.why ?? 'nothing allows it', rule: first?.rule ?? 'default' }),
	);
}

function notApproved({ approvalId, state, answeredBy, reason }: Approval): JobResult {
	if (state === 'cancelled') return withoutRun('cancelled', problemFor('JOB_CANCELLED'));
	if (state === 'denied')
		return withoutRun(
			'denied',
			problemFor('APPROVAL_DENIED', { who: answeredBy ?? 'somebody', why: reason ?? 'no reason given' }),
		);
	return withoutRun('denied', problemFor('APPROVAL_EXPIRED', { approval: approvalId }));
}

const approvalLine = (event: 'approval.request' | 'approval.consume', row: JobRow, approval: Approval) => ({
	event,
	jobId: row.jobId,
	face: row.face,
	principal: row.principal.name,
	capability: row.draft.capability,
	approvalId: approval.approvalId,
	detail: { digest: approval.digest, expiresAt: approval.expiresAt, approvedBy: approval.approvedBy },
});
const requestEntry = (row: JobRow, approval: Approval) => approvalLine('approval.request', row, approval);
const consumeEntry = (row: JobRow, approval: Approval) => approvalLine('approval.consume', row, approval);

/** Requests for approval and the answers to them: bound to a digest, one run each, never answered by who asked. */
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { AgentConfig } from '../../contract/agent-config.ts';
import type { Approval, ApprovalAnswer, ApprovalState } from '../../contract/approval.ts';
import type { AuditEntry } from '../../contract/audit.ts';
import { KnownError } from '../../contract/error.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import { may, type Principal } from '../../contract/principal.ts';
import type { DeviceJob } from '../../core/runner/runner.ts';
import type { ApprovalMirror } from './approval-mirror.ts';
import { approvalDigest } from './freeze.ts';
import type { Approvals, JobRow, Store } from './ports.ts';
import { shownFor } from './shown.ts';

export interface ApprovalParts {
	readonly store: Store;
	readonly config: AgentConfig;
	readonly mirror: ApprovalMirror;
	now(): number;
}

const mostListed = 200;

const isWaiting = (approval: Approval | undefined): boolean => approval?.state === 'pending';

export class ApprovalDesk implements Approvals {
	readonly #parts: ApprovalParts;
	readonly #answered = new EventEmitter().setMaxListeners(0);
	/** The answer that is being written. */
	#last: Promise<unknown> = Promise.resolve();

	constructor(parts: ApprovalParts) {
		this.#parts = parts;
	}

	/** The request for a job that the policy asks about; the caller writes it together with the job. */
	requestFor(row: JobRow, job: DeviceJob, decision: PolicyDecision): Approval {
		const { config, now } = this.#parts;
		const requestedAt = now();
		return {
			approvalId: `apr-${randomBytes(8).toString('hex')}`,
			jobId: row.jobId,
			digest: approvalDigest(config.device.id, row.draft.capability, decision.policyHash, job),
			requester: row.principal.name,
			capability: row.draft.capability,
			plan: job.plan,
			cwd: job.cwd,
			shown: shownFor(job.plan),
			reasons: decision.reasons,
			isHighRisk: decision.isHighRisk,
			state: 'pending',
			approvedBy: [],
			needed: config.approvals.needed,
			answeredBy: null,
			reason: null,
			requestedAt,
			expiresAt: requestedAt + config.approvals.expiryMs,
			answeredAt: null,
		};
	}

	/** How many requests of one principal wait, of those that he may have. */
	pendingOf(principal: string): number {
		return this.#pending().filter(({ requester }) => requester === principal).length;
	}

	/** Resolves when the request is answered or its time is over; an abort withdraws it. */
	async settled(approvalId: string, signal: AbortSignal): Promise<Approval> {
		while (true) {
			const approval = this.#require(approvalId);
			if (!isWaiting(approval)) return approval;
			const isLate = approval.expiresAt <= this.#parts.now();
			if (signal.aborted || isLate) {
				await this.#closeUnanswered(approval, signal.aborted ? 'cancelled' : 'expired');
				continue;
			}
			const over = AbortSignal.any([signal, AbortSignal.timeout(approval.expiresAt - this.#parts.now())]);
			await once(this.#answered, approvalId, { signal: over }).catch(() => {});
		}
	}

	/** Whether an approval is good for exactly this job at this moment. */
	isGoodFor(approval: Approval, job: DeviceJob, policyHash: string): boolean {
		const digest = approvalDigest(this.#parts.config.device.id, approval.capability, policyHash, job);
		return approval.state === 'approved' && approval.digest === digest && this.#parts.now() < approval.expiresAt;
	}

	list(principal: Principal): Approval[] {
		const all = this.#parts.store.approvals({ limit: mostListed });
		return may(principal, 'approve') ? all : all.filter(({ requester }) => requester === principal.name);
	}

	get(principal: Principal, approvalId: string): Approval | undefined {
		const approval = this.#parts.store.approval(approvalId);
		const isTheirs = approval?.requester === principal.name;
		return isTheirs || may(principal, 'approve') ? approval : undefined;
	}

	/** Answers are taken one after another, so that each sees those before it. */
	answer(principal: Principal, approvalId: string, answer: ApprovalAnswer): Promise<Approval> {
		const answered = this.#last.then(() => this.#answer(principal, approvalId, answer));
		this.#last = answered.catch(() => {});
		return answered;
	}

	async #answer(principal: Principal, approvalId: string, answer: ApprovalAnswer): Promise<Approval> {
		const approval = this.get(principal, approvalId);
		if (!approval) throw new KnownError('JOB_NOT_FOUND');
		refuseAnswer(principal, approval, answer, this.#parts.now());
		if (answer.answer === 'deny') return this.#close(approval, 'denied', { by: principal, reason: answer.reason });
		const approvedBy = [...approval.approvedBy, principal.name];
		const state = approvedBy.length >= approval.needed ? 'approved' : 'pending';
		return this.#close({ ...approval, approvedBy }, state, { by: principal, reason: answer.reason });
	}

	/** Requests that are there when the agent starts; those that were answered meanwhile stay as they are. */
	#pending(): Approval[] {
		return this.#parts.store.approvals({ state: 'pending', limit: 10_000 });
	}

	#require(approvalId: string): Approval {
		const approval = this.#parts.store.approval(approvalId);
		if (!approval) throw new KnownError('JOB_NOT_FOUND');
		return approval;
	}

	/** Somebody may have answered in the same moment; then that holds. */
	async #closeUnanswered(approval: Approval, state: 'cancelled' | 'expired'): Promise<void> {
		await this.#close(approval, state, {}).catch((error: unknown) => {
			if (!KnownError.is(error) || error.code !== 'APPROVAL_OVER') throw error;
		});
	}

	/** Writes only what nobody else has written in between. */
	async #close(
		approval: Approval,
		state: ApprovalState,
		{ by, reason }: { by?: Principal; reason?: string | undefined },
	): Promise<Approval> {
		const { store, now, mirror } = this.#parts;
		const answeredAt = state === 'pending' ? null : now();
		const change = {
			state,
			approvedBy: approval.approvedBy,
			answeredBy: by?.name ?? null,
			reason: reason ?? null,
			answeredAt,
		};
		await store.change(
			(tx) => {
				const found = store.approval(approval.approvalId);
				if (!isWaiting(found)) throw new KnownError('APPROVAL_OVER', { state: found?.state ?? 'gone' });
				tx.setApproval(approval.approvalId, change);
			},
			entryFor({ ...approval, ...change }, by),
		);
		const closed = { ...approval, ...change };
		mirror.answered(closed);
		this.#answered.emit(approval.approvalId);
		return closed;
	}
}

/** Who may not answer, and what cannot be answered any more. */
function refuseAnswer(principal: Principal, approval: Approval, answer: ApprovalAnswer, now: number): void {
	const forbid = (details: string): never => {
		throw new KnownError('APPROVAL_FORBIDDEN', { details });
	};
	if (!may(principal, 'approve')) forbid('this key has not the role of an approver');
	if (principal.name === approval.requester) forbid('whoever asks for a job cannot approve or deny it');
	if (!isWaiting(approval)) throw new KnownError('APPROVAL_OVER', { state: approval.state });
	if (approval.expiresAt <= now) throw new KnownError('APPROVAL_OVER', { state: 'expired' });
	if (answer.answer === 'deny') return;
	if (approval.approvedBy.includes(principal.name)) forbid('the same person has said yes before');
	if (approval.isHighRisk && answer.typed !== `APPROVE ${approval.approvalId}`)
		forbid(`this command is dangerous, so the answer must carry the typed words "APPROVE ${approval.approvalId}"`);
}

function entryFor(approval: Approval, by: Principal | undefined): AuditEntry {
	return {
		event: approval.state === 'expired' ? 'approval.expire' : 'approval.answer',
		jobId: approval.jobId,
		principal: by?.name ?? approval.requester,
		keyId: by?.keyId ?? undefined,
		capability: approval.capability,
		approvalId: approval.approvalId,
		decision: approval.state,
		detail: {
			digest: approval.digest,
			approvedBy: approval.approvedBy,
			needed: approval.needed,
			reason: approval.reason,
		},
	};
}

/** After a start: what an earlier process left undone is put in order, and nothing that ran is ever run again. */
import type { Approval } from '../../../contract/approval.ts';
import type { AuditEntry } from '../../../contract/audit.ts';
import { commandDigest } from '../freeze.ts';
import type { JobRow, Store } from '../ports.ts';
import type { ApprovalsTable } from './approvals-table.ts';
import type { JobsTable } from './jobs-table.ts';
import type { Outputs } from './outputs.ts';
import { rowOf, type Sizes, type StoredJob } from './stored-job.ts';

export interface RecoverParts {
	readonly jobs: JobsTable;
	readonly approvals: ApprovalsTable;
	readonly outputs: Outputs;
	readonly store: Pick<Store, 'change'>;
	now(): number;
}

function lostEntry(row: JobRow, sizes: Sizes): AuditEntry {
	return {
		event: 'job.lost',
		jobId: row.jobId,
		requestId: row.clientId ?? undefined,
		face: row.face,
		principal: row.principal.name,
		keyId: row.principal.keyId ?? undefined,
		capability: row.draft.capability,
		policyHash: row.decision?.policyHash,
		commandDigest: commandDigest(row.decision?.plan ?? row.draft.command),
		status: 'lost',
		stdoutBytes: sizes.stdout.stored,
		stderrBytes: sizes.stderr.stored,
	};
}

const expireEntry = (approval: Approval): AuditEntry => ({
	event: 'approval.expire',
	jobId: approval.jobId,
	principal: approval.requester,
	capability: approval.capability,
	approvalId: approval.approvalId,
	decision: 'expired',
	detail: { digest: approval.digest, was: approval.state },
});

async function lose(parts: RecoverParts, stored: StoredJob): Promise<void> {
	const sizes = await parts.outputs.resume(stored);
	await parts.store.change(
		(tx) => {
			tx.setJob(stored.job_id, { state: 'lost', endedAt: parts.now() });
			parts.jobs.setSizes(stored.job_id, sizes, parts.now());
		},
		lostEntry(rowOf(stored), sizes),
	);
}

async function expire(parts: RecoverParts): Promise<void> {
	const over = parts.approvals.open().filter(({ expiresAt }) => expiresAt <= parts.now());
	await Promise.all(
		over.map((approval) =>
			parts.store.change((tx) => tx.setApproval(approval.approvalId, { state: 'expired' }), expireEntry(approval)),
		),
	);
}

/** @returns jobs that were accepted and never begun, the oldest first */
export async function recoverJobs(parts: RecoverParts): Promise<readonly JobRow[]> {
	const { jobs, outputs } = parts;
	await Promise.all(
		jobs
			.notOver()
			.filter(({ state }) => state === 'running')
			.map((stored) => lose(parts, stored)),
	);
	await expire(parts);
	await outputs.deleteStrangers();
	return jobs.notOver().map(rowOf);
}

/** A row of the table of jobs, and what the agent sees of it. Pure. */
import { type FaceName, isOver, type JobState, type JobView } from '../../../contract/device-job.ts';
import type { JobRow } from '../ports.ts';

/** Bytes of both streams as the row has them. */
export interface Sizes {
	readonly stdout: { readonly total: number; readonly stored: number };
	readonly stderr: { readonly total: number; readonly stored: number };
	/** Whether anything of the job may lie in the spool, if only its story. */
	readonly hasFiles: boolean;
	/** False once it was deleted. */
	readonly isKept: boolean;
}

/** A row as SQLite gives it. */
export interface StoredJob {
	readonly n: number;
	readonly job_id: string;
	readonly face: FaceName;
	readonly client_id: string | null;
	readonly idempotency_key: string | null;
	readonly principal: string;
	readonly principal_json: string;
	readonly draft_json: string;
	readonly compat_json: string | null;
	readonly decision_json: string | null;
	readonly state: JobState;
	readonly approval_id: string | null;
	readonly result_json: string | null;
	readonly is_confirmed_dead: number | null;
	readonly accepted_at: number;
	readonly started_at: number | null;
	readonly ended_at: number | null;
	readonly audit_hash: string;
	readonly stdout_total: number;
	readonly stdout_stored: number;
	readonly stderr_total: number;
	readonly stderr_stored: number;
	/** 1 while something of the job may lie in the spool. */
	readonly has_output: number;
	/** 0 once it was deleted. */
	readonly is_kept: number;
	readonly used_at: number;
}

const parsed = (text: string | null) => (text === null ? null : JSON.parse(text));

export function rowOf(stored: StoredJob): JobRow {
	return {
		jobId: stored.job_id,
		face: stored.face,
		clientId: stored.client_id,
		idempotencyKey: stored.idempotency_key,
		principal: JSON.parse(stored.principal_json),
		draft: JSON.parse(stored.draft_json),
		decision: parsed(stored.decision_json),
		acceptedAt: stored.accepted_at,
		...(stored.compat_json !== null && { compat: JSON.parse(stored.compat_json) }),
	};
}

export const sizesOf = (stored: StoredJob): Sizes => ({
	stdout: { total: stored.stdout_total, stored: stored.stdout_stored },
	stderr: { total: stored.stderr_total, stored: stored.stderr_stored },
	hasFiles: stored.has_output === 1,
	isKept: stored.is_kept === 1,
});

/** @param sizes of the output; of a job that runs they are not in the row yet */
export function viewOf(stored: StoredJob, deviceId: string, sizes: Sizes): JobView {
	const draft = JSON.parse(stored.draft_json) as JobRow['draft'];
	const stream = ({ total, stored: kept }: Sizes['stdout']) => ({
		totalBytes: total,
		storedBytes: kept,
		isComplete: isOver(stored.state),
	});
	return {
		jobId: stored.job_id,
		deviceId,
		face: stored.face,
		clientId: stored.client_id,
		principal: stored.principal,
		capability: draft.capability,
		command: draft.command,
		cwd: draft.cwd ?? null,
		state: stored.state,
		approvalId: stored.approval_id,
		decision: parsed(stored.decision_json),
		result: parsed(stored.result_json),
		isConfirmedDead: stored.is_confirmed_dead === null ? null : stored.is_confirmed_dead === 1,
		output: { stdout: stream(sizes.stdout), stderr: stream(sizes.stderr), isKept: sizes.isKept },
		labels: draft.labels,
		acceptedAt: stored.accepted_at,
		startedAt: stored.started_at,
		endedAt: stored.ended_at,
		auditHash: stored.audit_hash,
	};
}

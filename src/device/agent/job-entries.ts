/** What the audit says about a job at each step. Pure. */
import type { AuditEntry, AuditEvent } from '../../contract/audit.ts';
import type { JobResult } from '../../contract/job.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import type { DeviceJob } from '../../core/runner/runner.ts';
import { commandDigest } from './freeze.ts';
import type { JobRow, OutputSums } from './ports.ts';

/** What every line about a job carries. */
function about(event: AuditEvent, row: JobRow, decision: PolicyDecision | null): AuditEntry {
	return {
		event,
		jobId: row.jobId,
		requestId: row.clientId ?? undefined,
		face: row.face,
		principal: row.principal.name,
		keyId: row.principal.keyId ?? undefined,
		capability: row.draft.capability,
		decision: decision?.decision,
		rule: decision?.reasons[0]?.rule,
		policyHash: decision?.policyHash,
		commandDigest: commandDigest(decision?.plan ?? row.draft.command),
	};
}

export function acceptedEntry(row: JobRow, decision: PolicyDecision, keepsCommand: boolean): AuditEntry {
	const { labels, cwd, command } = row.draft;
	const asked = keepsCommand ? { command, plan: decision.plan } : {};
	return {
		...about(decision.decision === 'deny' ? 'job.denied' : 'job.accepted', row, decision),
		detail: {
			peer: row.principal.peer,
			labels,
			cwd: cwd ?? null,
			env: Object.keys(row.draft.env),
			...asked,
			reasons: decision.reasons,
		},
	};
}

export function startEntry(
	row: JobRow,
	decision: PolicyDecision,
	job: DeviceJob,
	approvalId: string | null,
): AuditEntry {
	return {
		...about('job.start', row, decision),
		approvalId: approvalId ?? undefined,
		detail: { profile: job.profile, limits: job.limits, image: job.image, container: job.container },
	};
}

export interface Ended {
	readonly result: JobResult;
	/** Of what is kept of each stream. */
	readonly sums: OutputSums;
	readonly bytes: { readonly stdout: number; readonly stderr: number };
	readonly isConfirmedDead: boolean | null;
}

export function endEntry(
	row: JobRow,
	decision: PolicyDecision | null,
	{ result, bytes, sums, isConfirmedDead }: Ended,
): AuditEntry {
	return {
		...about(result.status === 'denied' ? 'job.denied' : 'job.end', row, decision),
		status: result.status,
		exitCode: result.exitCode,
		stdoutBytes: bytes.stdout,
		stderrBytes: bytes.stderr,
		backend: result.backend ?? undefined,
		detail: {
			signal: result.signal,
			durationMs: result.durationMs,
			problem: result.problem,
			isConfirmedDead,
			...(Object.keys(sums).length > 0 && { output: sums }),
		},
	};
}

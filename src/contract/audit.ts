/** One line of the audit: what happened, in a fixed order of fields, chained to the line before it. */
import { z } from 'zod';

export const auditEvents = [
	'agent.start',
	'agent.stop',
	'config.load',
	'policy.load',
	'key.change',
	'auth.failure',
	'job.denied',
	'job.accepted',
	'job.start',
	'job.end',
	'job.lost',
	'job.cancel',
	'approval.request',
	'approval.answer',
	'approval.expire',
	'approval.consume',
	'output.remove',
	'checkpoint',
	'audit.mismatch',
] as const;
export type AuditEvent = (typeof auditEvents)[number];

/** What the writer of a state change says about it; the ledger adds sequence, time, detail hash and the chain. */
export interface AuditEntry {
	readonly event: AuditEvent;
	readonly jobId?: string | undefined;
	/** Id that the client gave, for example request_id. */
	readonly requestId?: string | undefined;
	readonly face?: string | undefined;
	readonly principal?: string | undefined;
	readonly keyId?: string | undefined;
	readonly capability?: string | undefined;
	readonly decision?: string | undefined;
	readonly rule?: string | undefined;
	readonly approvalId?: string | undefined;
	readonly policyHash?: string | undefined;
	/** SHA-256 of the compact JSON of argv, or of the bytes of the script. */
	readonly commandDigest?: string | undefined;
	readonly status?: string | undefined;
	readonly exitCode?: number | null | undefined;
	readonly stdoutBytes?: number | undefined;
	readonly stderrBytes?: number | undefined;
	readonly backend?: string | undefined;
	/** Anything else, JSON: it lies in a table beside the chain, and its hash is in the chain. No secrets. */
	readonly detail?: Readonly<Record<string, unknown>> | undefined;
}

/** A line as it is stored. The seal is sha256(utf8(JSON of all fields before it, in this order)), hex; the first `prev` is 64 zeros. */
export const auditRecordSchema = z.strictObject({
	seq: z.int(),
	at: z.string().describe('RFC 3339, UTC, milliseconds'),
	event: z.enum(auditEvents),
	jobId: z.string().nullable(),
	requestId: z.string().nullable(),
	face: z.string().nullable(),
	principal: z.string().nullable(),
	keyId: z.string().nullable(),
	capability: z.string().nullable(),
	decision: z.string().nullable(),
	rule: z.string().nullable(),
	approvalId: z.string().nullable(),
	policyHash: z.string().nullable(),
	commandDigest: z.string().nullable(),
	status: z.string().nullable(),
	exitCode: z.int().nullable(),
	stdoutBytes: z.int().nullable(),
	stderrBytes: z.int().nullable(),
	backend: z.string().nullable(),
	detailHash: z.string().nullable(),
	prev: z.string(),
	seal: z.string(),
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** How the audit stands, in a few words: for the approver's page, for health checks. */
export const auditStatusSchema = z.strictObject({
	status: z
		.enum(['intact', 'broken', 'unwritable'])
		.describe('broken: a line was changed, moved or is gone. unwritable: the last write failed, so nothing runs.'),
	rows: z.int(),
	seal: z.string().nullable().describe('Of the last line; null while there is none.'),
	checkedRows: z.int().describe('Lines whose chain was followed.'),
	checkedAt: z.int().nullable().describe('When; milliseconds since 1970.'),
	details: z.string().nullable().describe('What does not fit; null when all does.'),
});
export type AuditStatus = z.infer<typeof auditStatusSchema>;

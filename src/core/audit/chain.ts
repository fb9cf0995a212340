/** The chain of the audit: every line is sealed together with the seal of the line before it. Pure. */

import { createHash } from 'node:crypto';
import { toUSVString } from 'node:util';
import type { AuditEntry, AuditRecord } from '../../contract/audit.ts';

/** What stands in `prev` of the first line. */
export const genesis = '0'.repeat(64);

/** The fields that a seal covers, in the order in which they are written. */
export const sealedFields = [
	...(['seq', 'at', 'event', 'jobId', 'requestId', 'face', 'principal', 'keyId', 'capability'] as const),
	...(['decision', 'rule', 'approvalId', 'policyHash', 'commandDigest', 'status', 'exitCode'] as const),
	...(['stdoutBytes', 'stderrBytes', 'backend', 'detailHash', 'prev'] as const),
] satisfies (keyof AuditRecord)[];

export type Unsealed = Omit<AuditRecord, 'seal'>;

/** SHA-256 of the UTF-8 bytes of a text, hex. */
export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

/** JSON.stringify with a list of names writes exactly these, in the order of the list. */
export const sealOf = (record: Unsealed): string => sha256(JSON.stringify(record, sealedFields));

/** Characters of one field; what clients choose could be of any length. */
const longestText = 1000;

/** What SQLite gives back as it was given in: no NUL, no half of a surrogate pair, and not without end. */
export const storable = (text: string): string => toUSVString(text.slice(0, longestText)).replaceAll('\0', '\ufffd');

const textOf = (value: string | undefined): string | null => (value === undefined ? null : storable(value));
const numberOf = (value: number | null | undefined): number | null =>
	Number.isSafeInteger(value) ? (value as number) : null;

export interface Place {
	readonly seq: number;
	readonly at: string;
	readonly prev: string;
}

/** @param detail the text whose hash is sealed, as it will be stored */
export function recordFor(entry: AuditEntry, { seq, at, prev }: Place, detail: string | null): AuditRecord {
	const record: Unsealed = {
		seq,
		at,
		event: entry.event,
		jobId: textOf(entry.jobId),
		requestId: textOf(entry.requestId),
		face: textOf(entry.face),
		principal: textOf(entry.principal),
		keyId: textOf(entry.keyId),
		capability: textOf(entry.capability),
		decision: textOf(entry.decision),
		rule: textOf(entry.rule),
		approvalId: textOf(entry.approvalId),
		policyHash: textOf(entry.policyHash),
		commandDigest: textOf(entry.commandDigest),
		status: textOf(entry.status),
		exitCode: numberOf(entry.exitCode),
		stdoutBytes: numberOf(entry.stdoutBytes),
		stderrBytes: numberOf(entry.stderrBytes),
		backend: textOf(entry.backend),
		detailHash: detail === null ? null : sha256(detail),
		prev,
	};
	return { ...record, seal: sealOf(record) };
}

/** A line of device_agent's own chain, in the names and the order of that program. */
export interface DeviceLogLine {
	readonly ts: string;
	readonly request_id: string;
	readonly capability: string;
	readonly args_hash: string;
	readonly exit_code: number | null;
	readonly prev_hash: string;
}

const deviceFields = ['ts', 'request_id', 'capability', 'args_hash', 'exit_code', 'prev_hash'];

/** device_agent's `this_hash`. */
export const deviceHashOf = (line: DeviceLogLine): string => sha256(JSON.stringify(line, deviceFields));

/** The cleartext of one evaluated script and what it printed, as device_agent keeps it beside its chain. */
export interface ShellEval {
	readonly cmd: string;
	readonly cwd: string;
	readonly shell: string;
	readonly stdout_b64: string;
	readonly stderr_b64: string;
}

const evalFields = ['cmd', 'cwd', 'shell', 'stdout_b64', 'stderr_b64'];

export const shellEvalHashOf = (row: ShellEval): string => sha256(JSON.stringify(row, evalFields));

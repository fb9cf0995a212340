/** What the rooms of the agent ask of each other. Faces know `Jobs` and `Approvals`; nobody but the store touches the database. */
import type { Approval, ApprovalAnswer } from '../../contract/approval.ts';
import type { AuditEntry } from '../../contract/audit.ts';
import type { FaceName, JobDraft, JobEvent, JobState, JobView } from '../../contract/device-job.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import type { Principal } from '../../contract/principal.ts';
import type { OutputStream } from '../../core/sandbox/backend.ts';

/** What a protocol knows of a job beside the job, for the tables of the audit that its own tools read. */
export interface Compat {
	/** QuickCMD: what the user asked for in words. */
	readonly prompt?: string | undefined;
	/** QuickCMD: JSON of its snapshot. */
	readonly snapshot?: string | undefined;
	/** device_agent: SHA-256 of the compact JSON of `args`; absent: the digest of the command. */
	readonly argsHash?: string | undefined;
}

/** How a face hands a job in, beside the job itself. */
export interface Submission {
	readonly face: FaceName;
	/** Id that the client chose (job_id of QuickCMD, request_id of device_agent). */
	readonly clientId?: string | undefined;
	readonly draft: JobDraft;
	/** What must not come twice: a nonce, or a hash of the signed bytes. Absent: the protocol has nothing of the kind. */
	readonly freshness?: { readonly nonce: string; readonly expiresAt: number } | undefined;
	readonly compat?: Compat | undefined;
}

/** A piece of stored output. Offsets are bytes; `bytes` never ends inside a UTF-8 character unless the stream does. */
export interface OutputPage {
	readonly bytes: Buffer;
	readonly offset: number;
	readonly nextOffset: number;
	/** Nothing more comes: the job is over and this page reaches the end of what is stored. */
	readonly eof: boolean;
	readonly totalBytes: number;
	readonly storedBytes: number;
}

export interface GrepHit {
	readonly line: number;
	readonly offset: number;
	readonly text: string;
}

/**
 * The one way in for every face. Refusals of the pipeline before the policy (replay, rate, quota, role) throw a
 * KnownError; a refusal by policy or approval is a job with the status `denied`.
 */
export interface Jobs {
	/** Resolves when the job is recorded (also as denied or waiting for approval); it runs on by itself. */
	submit(principal: Principal, submission: Submission): Promise<JobView>;
	/** Undefined when there is no such job, or none that this principal may read. */
	get(principal: Principal, jobId: string): JobView | undefined;
	findByClientId(principal: Principal, face: FaceName, clientId: string): JobView | undefined;
	/** The latest job under an id that anybody chose; undefined also when this principal may not read it. */
	findOfAnybody(principal: Principal, face: FaceName, clientId: string): JobView | undefined;
	list(principal: Principal, filter: { state?: JobState; limit: number; before?: string }): JobView[];
	/** Where it was handed in from; null on a local socket, and for a job that is not there. */
	peerOf(jobId: string): string | null;
	/** What its protocol gave along with it. */
	compatOf(jobId: string): Compat | undefined;
	/** Resolves when the job is over, or waits for approval, or after so many milliseconds. */
	settle(jobId: string, ms: number): Promise<JobView>;
	/** Every event from `afterSeq` on, those that were and those that come; ends after the event `end`. */
	watch(jobId: string, afterSeq: number, signal: AbortSignal): AsyncIterable<JobEvent>;
	/** Resolves when nothing of the job is left. */
	cancel(principal: Principal, jobId: string): Promise<JobView>;
	read(jobId: string, stream: OutputStream, offset: number, limit: number): Promise<OutputPage>;
	tail(jobId: string, stream: OutputStream, lines: number): Promise<OutputPage>;
	/** Lines that match a pattern (RE2 syntax), linear in the size of the output. */
	grep(jobId: string, stream: OutputStream, pattern: string, most: number): Promise<GrepHit[]>;
	/** Deletes the stored output, as close_session of Agent3 does; the record stays, with `output.isKept` false. False when there is none to delete. */
	forget(principal: Principal, jobId: string): boolean;
	/** Decides and explains; records and runs nothing. */
	explain(principal: Principal, draft: JobDraft): Promise<PolicyDecision>;
}

/** Requests for approval, as those see them who may answer. */
export interface Approvals {
	list(principal: Principal): Approval[];
	get(principal: Principal, approvalId: string): Approval | undefined;
	/** Throws APPROVAL_FORBIDDEN for the requester himself and for keys without the role, APPROVAL_OVER when it was answered. */
	answer(principal: Principal, approvalId: string, answer: ApprovalAnswer): Promise<Approval>;
}

/** What a stored job is made of; the store keeps it in one row. */
export interface JobRow {
	readonly jobId: string;
	readonly face: FaceName;
	readonly clientId: string | null;
	readonly idempotencyKey: string | null;
	readonly principal: Principal;
	readonly draft: JobDraft;
	readonly decision: PolicyDecision | null;
	readonly acceptedAt: number;
	readonly compat?: Compat | undefined;
}

/** How the audit stands, for health and metrics. */
export interface StoreStatus {
	/** Lines, and the seal of the last; null while there is none. */
	readonly rows: number;
	readonly seal: string | null;
	/** False after a write that failed, until one succeeds. */
	readonly isWritable: boolean;
	/** What did not fit when the store was opened, for example that the last lines are gone; null when all did. */
	readonly mismatch: string | null;
	/** Stored output of all jobs. */
	readonly outputBytes: number;
}

/** Writes about jobs and the audit go to disk together or not at all. If it cannot write, it throws AUDIT_BROKEN and nothing runs. */
export interface Store {
	/**
	 * One transaction: the changes and their lines of the audit. Calls that come together may share one write to the disk; each
	 * resolves when its own is safe there. `act` runs later than the call, alone and without waiting: what it must rely on it looks
	 * up itself, with the getters below; if it throws, nothing of this change is written and the promise rejects with that error.
	 * Rejects with REQUEST_REPLAYED when a job id, a client's id or an idempotency key is there already.
	 * @returns the hash by which whoever asked finds the last line: its seal, or what device_agent's own chain has for it
	 */
	change(act: (tx: StoreChange) => void, ...entries: AuditEntry[]): Promise<string>;
	/**
	 * Once, before anything else: jobs that were running are lost, requests for approval whose time is over are expired, both
	 * with a line of the audit. @returns what was accepted and never begun, oldest first; the approval of such a job may be over
	 */
	recover(): Promise<readonly JobRow[]>;
	job(jobId: string): JobView | undefined;
	jobRow(jobId: string): JobRow | undefined;
	jobByClientId(principal: string, face: FaceName, clientId: string): JobView | undefined;
	/** The latest of anybody. */
	latestJobByClientId(face: FaceName, clientId: string): JobView | undefined;
	jobByIdempotencyKey(principal: string, key: string): JobView | undefined;
	jobs(filter: { principal?: string; state?: JobState; limit: number; before?: string }): JobView[];
	jobsSince(principal: string, since: number): number;
	approval(approvalId: string): Approval | undefined;
	approvalOfJob(jobId: string): Approval | undefined;
	approvals(filter: { state?: Approval['state']; limit: number }): Approval[];
	/** Whether the nonce of this scope was seen before and has not expired. */
	wasSeen(scope: string, nonce: string): boolean;
	/**
	 * False when the nonce of this scope was seen before and has not expired. It is on the disk before, or together with, every
	 * change that is asked for afterwards.
	 */
	firstTime(scope: string, nonce: string, expiresAt: number): boolean;
	/** @param capBytes what is kept of both streams together; only the first call for a job that begins gives it */
	output(jobId: string, capBytes?: number): OutputStore;
	status(): StoreStatus;
	/** Writes what is waiting, signs a last checkpoint, and lets go of the files. */
	close(): void;
}

export interface StoreChange {
	addJob(row: JobRow, state: JobState): void;
	setJob(
		jobId: string,
		change: Partial<
			Pick<JobView, 'state' | 'decision' | 'result' | 'approvalId' | 'isConfirmedDead' | 'startedAt' | 'endedAt'>
		>,
	): void;
	addApproval(approval: Approval): void;
	setApproval(approvalId: string, change: Partial<Approval>): void;
}

/** SHA-256 (hex) and bytes of what is kept of a stream; a stream of which nothing is kept has none. */
export type OutputSums = Partial<Record<OutputStream, { readonly sha256: string; readonly bytes: number }>>;

/** The output of one job, both streams. Raw bytes as they came, secrets masked. */
export interface OutputStore {
	/**
	 * Keeps up to the cap of the job; what is over it is counted, not kept, and so is what somebody dropped behind the chunk. Never
	 * blocks.
	 * @returns how many bytes of the chunk are kept: all, its first ones, or 0
	 */
	append(stream: OutputStream, chunk: Buffer, dropped?: number): number;
	/** Resolves when the disk has caught up; undefined while it keeps up. Whoever prints is held back until then, so that nothing is lost. */
	room(stream: OutputStream): Promise<void> | undefined;
	/** One line of the job's story for watchers (seq, time, offsets; never output itself), kept in order beside the output. */
	note(line: string): void;
	/** The lines so far, also of an earlier process; a line that a crash cut is left out. */
	notes(): Promise<string[]>;
	/** After this the stream is complete and flushed. Before the change that ends the job, so that its tables get the output. */
	finish(): Promise<void>;
	/** After `finish`; without a stream that could not be written as a whole. */
	sums(): OutputSums;
	read(stream: OutputStream, offset: number, limit: number): Promise<OutputPage>;
	/** Exactly these bytes of what is kept, wherever characters begin and end; fewer only at the end. */
	slice(stream: OutputStream, offset: number, length: number): Promise<{ readonly bytes: Buffer }>;
	tail(stream: OutputStream, lines: number): Promise<OutputPage>;
	/** Throws REQUEST_INVALID for a pattern that is none, or too large. */
	grep(stream: OutputStream, pattern: string, most: number): Promise<GrepHit[]>;
	/**
	 * Whatever is read afterwards is empty, and the job's view says `output.isKept: false`, also after a restart. The removal gets
	 * its line in the audit.
	 */
	remove(): void;
}

/** Keeps one principal from flooding the agent: bursts, jobs of a day, jobs at a time, the same command over and over. */
export interface Rates {
	/** @returns why not, and after how many seconds it is worth another try; undefined lets the job in and counts it */
	admit(asked: {
		readonly principal: string;
		readonly commandDigest: string;
		readonly runningJobs: number;
		/** Jobs accepted since midnight UTC. */
		readonly jobsToday: number;
		readonly now: number;
	}): { readonly details: string; readonly seconds: number } | undefined;
}

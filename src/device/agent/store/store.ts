/** Jobs, approvals, nonces, output and the audit of one agent: what belongs together is written together. */
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { AgentConfig } from '../../../contract/agent-config.ts';
import type { Approval } from '../../../contract/approval.ts';
import type { AuditEntry } from '../../../contract/audit.ts';
import { type FaceName, isOver, type JobState, type JobView } from '../../../contract/device-job.ts';
import type { Checkpoint, Signer } from '../../../core/audit/checkpoint.ts';
import type { JobRow, OutputStore, Store, StoreChange, StoreStatus } from '../ports.ts';
import { ApprovalsTable } from './approvals-table.ts';
import { AuditTrail } from './audit-trail.ts';
import { GroupCommit } from './group-commit.ts';
import { JobsTable } from './jobs-table.ts';
import { Nonces } from './nonces.ts';
import { Outputs } from './outputs.ts';
import { recoverJobs } from './recover.ts';
import { Retention } from './retention.ts';
import { RunTexts } from './run-texts.ts';
import { rowOf, type StoredJob, viewOf } from './stored-job.ts';

/** How often what is old is looked for. */
const sweepMs = 60_000;

export interface StoreParts {
	/** Folder of the store itself. */
	readonly folder: string;
	readonly db: DatabaseSync;
	readonly lock: DatabaseSync;
	readonly signer: Signer;
	readonly config: AgentConfig;
	now(): number;
	/** Hides the secrets that the agent knows. */
	mask(text: string): string;
	/** Every checkpoint, to be kept on another machine. */
	onCheckpoint?(checkpoint: Checkpoint): void;
}

export class SqliteStore implements Store {
	readonly #parts: StoreParts;
	readonly #jobs: JobsTable;
	readonly #approvals: ApprovalsTable;
	readonly #nonces: Nonces;
	readonly #texts: RunTexts;
	readonly #outputs: Outputs;
	readonly #trail: AuditTrail;
	readonly #commits: GroupCommit;
	readonly #retention: Retention;
	readonly #timers: NodeJS.Timeout[];
	#failure: unknown;
	#isClosed = false;

	constructor(parts: StoreParts) {
		const { db, folder, config, now } = parts;
		this.#parts = parts;
		this.#jobs = new JobsTable(db);
		this.#approvals = new ApprovalsTable(db);
		this.#nonces = new Nonces(db);
		this.#texts = new RunTexts(db, parts.mask);
		this.#outputs = new Outputs(join(folder, 'output'), {
			jobs: this.#jobs,
			capBytes: config.limits.outputBytes,
			keepsTexts: config.audit.keepCommands,
			removed: (jobId, bytes) => this.#retention.removeAsked(jobId, bytes),
			now,
		});
		this.#trail = new AuditTrail({
			...parts,
			keepsTexts: config.audit.keepCommands,
			jobRow: (jobId) => this.jobRow(jobId),
			textsOf: (jobId) => this.#outputs.textsOf(jobId),
		});
		this.#commits = new GroupCommit(db, {
			begin: () => this.#nonces.write(),
			committed: () => this.#committed(),
			failed: (error) => {
				this.#failure = error;
			},
		});
		this.#retention = new Retention({ config, jobs: this.#jobs, outputs: this.#outputs, store: this, now });
		this.#timers = [
			setInterval(() => this.#sweep(), sweepMs).unref(),
			setInterval(() => this.#checkpointIfOpen(), config.audit.checkpointMs).unref(),
		];
		if (this.#trail.mismatch !== null) this.#recordMismatch(this.#trail.mismatch);
	}

	#recordMismatch(found: string): void {
		this.change(() => {}, { event: 'audit.mismatch', detail: { found } }).catch(() => {});
	}

	change(act: (tx: StoreChange) => void, ...entries: AuditEntry[]): Promise<string> {
		/** Ids of jobs that end with this change, and the bytes that they leave. */
		const over = new Map<string, number>();
		const done = this.#commits.add(() => {
			over.clear();
			act(this.#changeNoting(over));
			return entries.map((entry) => this.#append(entry)).at(-1) ?? this.#trail.head?.seal ?? '';
		});
		return done.then((seal) => {
			for (const [jobId, bytes] of over) {
				this.#outputs.jobIsOver(jobId);
				this.#retention.grew(bytes);
			}
			return seal;
		});
	}

	#append(entry: AuditEntry): string {
		const hash = this.#trail.append(entry);
		if (entry.jobId !== undefined) this.#jobs.setAuditHash(entry.jobId, hash);
		return hash;
	}

	#changeNoting(over: Map<string, number>): StoreChange {
		return {
			addJob: (row, state) => this.#addJob(row, state),
			setJob: (jobId, change) => {
				this.#jobs.set(jobId, change);
				if (change.state && isOver(change.state)) over.set(jobId, this.#endJob(jobId));
			},
			addApproval: (approval) => this.#approvals.add(approval),
			setApproval: (approvalId, change) => this.#approvals.set(approvalId, change),
		};
	}

	#addJob(row: JobRow, state: JobState): void {
		const n = this.#jobs.add(row, state);
		if (this.#parts.config.audit.keepCommands) this.#texts.add(n, row);
		else this.#texts.addWithout(n, row);
	}

	/** @returns the bytes that it leaves */
	#endJob(jobId: string): number {
		const sizes = this.#outputs.sizesOf(jobId);
		this.#jobs.setSizes(jobId, sizes, this.#parts.now());
		const texts = this.#outputs.textsOf(jobId);
		if (texts) this.#texts.setOutput(jobId, texts);
		return sizes.stdout.stored + sizes.stderr.stored;
	}

	#committed(): void {
		this.#failure = undefined;
		this.#nonces.written();
		this.#keepingOn(() => this.#trail.committed());
		if (this.#trail.openLines >= this.#parts.config.audit.checkpointRows) this.#checkpoint();
	}

	/** What fails here is already safe in the database; it is told by `status` and tried again. */
	#keepingOn(act: () => void): void {
		try {
			act();
		} catch (error) {
			this.#failure = error;
		}
	}

	#checkpoint(): void {
		this.#keepingOn(() => {
			let checkpoint: Checkpoint | undefined;
			this.#commits.now(() => {
				checkpoint = this.#trail.appendCheckpoint();
			});
			this.#trail.committed(checkpoint);
			if (checkpoint) this.#parts.onCheckpoint?.(checkpoint);
		});
	}

	#checkpointIfOpen(): void {
		if (this.#trail.openLines > 0) this.#checkpoint();
	}

	#sweep(): void {
		this.#keepingOn(() => this.#commits.now(() => this.#nonces.prune(this.#parts.now())));
		this.#keepingOn(() => this.#outputs.dropUnknown());
		this.#keepingOn(() => this.#retention.sweep());
	}

	async recover(): Promise<readonly JobRow[]> {
		const waiting = await recoverJobs({
			jobs: this.#jobs,
			approvals: this.#approvals,
			outputs: this.#outputs,
			store: this,
			now: this.#parts.now,
		});
		this.#sweep();
		return waiting;
	}

	#view = (stored: StoredJob | undefined): JobView | undefined => {
		if (!stored) return undefined;
		return viewOf(stored, this.#parts.signer.device, this.#outputs.sizesFor(stored));
	};

	job = (jobId: string): JobView | undefined => this.#view(this.#jobs.byId(jobId));

	jobRow(jobId: string): JobRow | undefined {
		const stored = this.#jobs.byId(jobId);
		return stored && rowOf(stored);
	}

	jobByClientId = (principal: string, face: FaceName, clientId: string): JobView | undefined =>
		this.#view(this.#jobs.byClientId(principal, face, clientId));

	latestJobByClientId = (face: FaceName, clientId: string): JobView | undefined =>
		this.#view(this.#jobs.latestByClientId(face, clientId));

	jobByIdempotencyKey = (principal: string, key: string): JobView | undefined =>
		this.#view(this.#jobs.byKey(principal, key));

	jobs(filter: { principal?: string; state?: JobState; limit: number; before?: string }): JobView[] {
		return this.#jobs.list(filter).flatMap((stored) => this.#view(stored) ?? []);
	}

	jobsSince = (principal: string, since: number): number => this.#jobs.since(principal, since);

	approval = (approvalId: string): Approval | undefined => this.#approvals.byId(approvalId);

	approvalOfJob = (jobId: string): Approval | undefined => this.#approvals.byJob(jobId);

	approvals = (filter: { state?: Approval['state']; limit: number }): Approval[] => this.#approvals.list(filter);

	wasSeen = (scope: string, nonce: string): boolean => this.#nonces.has(scope, nonce, this.#parts.now());

	firstTime(scope: string, nonce: string, expiresAt: number): boolean {
		const isFirst = this.#nonces.see(scope, nonce, expiresAt, this.#parts.now());
		if (isFirst) this.#commits.schedule();
		return isFirst;
	}

	output = (jobId: string, capBytes?: number): OutputStore => this.#outputs.of(jobId, capBytes);

	status(): StoreStatus {
		const { head, mismatch } = this.#trail;
		return {
			rows: head?.seq ?? 0,
			seal: head?.seal ?? null,
			isWritable: this.#failure === undefined && !this.#isClosed,
			mismatch,
			outputBytes: this.#jobs.storedBytes(),
		};
	}

	close(): void {
		if (this.#isClosed) return;
		for (const timer of this.#timers) clearInterval(timer);
		this.#commits.close();
		this.#checkpointIfOpen();
		this.#isClosed = true;
		this.#outputs.close();
		this.#trail.close();
		this.#parts.db.close();
		this.#parts.lock.close();
	}
}

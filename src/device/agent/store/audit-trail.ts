/** The audit as the store writes it: every line in its table, with the rows of other tables that it vouches for. */
import type { DatabaseSync } from 'node:sqlite';
import type { AuditEntry } from '../../../contract/audit.ts';
import { genesis } from '../../../core/audit/chain.ts';
import type { Signer } from '../../../core/audit/checkpoint.ts';
import { type Checkpoint, readCheckpoint } from '../../../core/audit/checkpoint.ts';
import { DeviceLog, type Vouched } from '../../../core/audit/device-log.ts';
import { type Head, Ledger } from '../../../core/audit/ledger.ts';
import { lastLine, readHead, Witness } from '../../../core/audit/witness.ts';
import { maskShapesWithin, textsWithin } from '../../../core/secrets/shapes.ts';
import { commandDigest } from '../freeze.ts';
import type { JobRow } from '../ports.ts';
import { isShellEval, noTexts, type OutputTexts, shellEvalOf } from './run-texts.ts';

/** Events that device_agent's own chain has a row for, when they are about a job of its face. */
const deviceEvents = new Set<string>(['approval.request', 'approval.expire', 'job.denied', 'job.end', 'job.lost']);
/** After these the script has been evaluated, or never will be. */
const lastEvents = new Set<string>(['job.denied', 'job.end', 'job.lost']);

type Tail<List extends readonly unknown[]> = List extends readonly [unknown, ...infer Rest] ? Rest : never;

export interface TrailParts {
	readonly folder: string;
	readonly db: DatabaseSync;
	readonly signer: Signer;
	/** Keep commands and output in the tables that show them. */
	readonly keepsTexts: boolean;
	now(): number;
	/** Hides the secrets that the agent knows. */
	mask(text: string): string;
	jobRow(jobId: string): JobRow | undefined;
	textsOf(jobId: string): OutputTexts | undefined;
}

export class AuditTrail {
	readonly #parts: TrailParts;
	readonly #ledger: Ledger;
	readonly #deviceLog: DeviceLog;
	readonly #witness: Witness;
	/** Why what was found at the start does not fit together; null when it does. */
	readonly mismatch: string | null;
	/** The last line that a checkpoint is. */
	#checkpointSeq: number;
	#head: Head | undefined;
	readonly #unwritten: Checkpoint[] = [];

	constructor(parts: TrailParts) {
		this.#parts = parts;
		this.#ledger = new Ledger(parts.db);
		this.#deviceLog = new DeviceLog(parts.db);
		const known = readHead(parts.folder);
		this.#witness = new Witness(parts.folder, parts.signer);
		this.#head = this.#ledger.head();
		if (known === undefined && !this.#head) this.#witness.begin(this.#at());
		this.mismatch = this.#compare(known);
		this.#checkpointSeq = this.#mendCheckpoints();
	}

	#at = (): string => new Date(this.#parts.now()).toISOString();

	/** What the signed head says is kept among the checkpoints when the database does not have it: no later write may hide it. */
	#compare(known: Checkpoint | undefined | null): string | null {
		if (known === null) return 'the signed head of the audit cannot be read';
		if (known === undefined) return this.#head ? 'the signed head of the audit is missing' : null;
		const sql = this.#parts.db.prepare('SELECT seal FROM audit WHERE seq = ?');
		const seal = known.seq === 0 ? genesis : sql.get(known.seq)?.seal;
		if (seal === known.seal) return null;
		this.#witness.noteCheckpoint(known);
		return `the audit had ${known.seq} lines and ends differently now`;
	}

	/** A crash or a full disk may have come between the line of a checkpoint and its place outside. @returns the last one's line */
	#mendCheckpoints(): number {
		const outside = readCheckpoint(lastLine(this.#parts.folder));
		const rows = this.#parts.db
			.prepare(
				`SELECT audit.seq AS seq, detail FROM audit JOIN audit_detail ON audit_detail.seq = audit.seq
					WHERE event = 'checkpoint' AND audit.seq >= ? ORDER BY audit.seq`,
			)
			.all((outside?.seq ?? 0) + 1) as { seq: number; detail: string }[];
		for (const { detail } of rows) {
			const checkpoint = readCheckpoint(detail);
			const isThere = checkpoint === undefined || checkpoint.seal === outside?.seal;
			if (!isThere && this.mismatch === null) this.#unwritten.push(checkpoint);
		}
		this.#writeCheckpoints();
		return rows.at(-1)?.seq ?? 0;
	}

	/** Those that could not be written are tried again with the next. */
	#writeCheckpoints(): void {
		for (let next = this.#unwritten[0]; next; next = this.#unwritten[0]) {
			this.#witness.noteCheckpoint(next);
			this.#unwritten.shift();
		}
	}

	get head(): Head | undefined {
		return this.#head;
	}

	/** Within a transaction. @returns the hash by which whoever asked finds the line */
	append(entry: AuditEntry): string {
		const at = this.#at();
		const vouches = this.#vouch(entry, at);
		const detail = maskShapesWithin(textsWithin(entry.detail, this.#parts.mask)) as AuditEntry['detail'];
		const { seal } = this.#ledger.append({ ...entry, detail }, at, vouches);
		return vouches?.auditLog ?? seal;
	}

	#vouch(entry: AuditEntry, at: string): Vouched | undefined {
		const { jobId, event } = entry;
		if (!deviceEvents.has(event)) return undefined;
		if (jobId === undefined) return this.#vouchForRefused(entry, at);
		const row = this.#parts.jobRow(jobId);
		if (row?.face !== 'device') return undefined;
		const line = {
			ts: at,
			request_id: row.clientId ?? jobId,
			capability: row.draft.capability,
			args_hash: row.compat?.argsHash ?? commandDigest(row.draft.command),
			exit_code: entry.exitCode ?? null,
		};
		const isEvaluated = this.#parts.keepsTexts && isShellEval(row) && lastEvents.has(event);
		const evaluated = isEvaluated
			? shellEvalOf(row, this.#parts.textsOf(jobId) ?? noTexts, this.#parts.mask)
			: undefined;
		return this.#chain(line, evaluated);
	}

	/** For a request that never became a job. */
	#vouchForRefused(entry: AuditEntry, at: string): Vouched | undefined {
		const { face, requestId, capability, commandDigest } = entry;
		if (face !== 'device' || requestId === undefined || capability === undefined) return undefined;
		const [args_hash, exit_code] = [commandDigest ?? '', null];
		return this.#chain({ ts: at, request_id: requestId, capability, args_hash, exit_code }, undefined);
	}

	#chain(...line: Tail<Parameters<DeviceLog['append']>>): Vouched {
		return this.#deviceLog.append((this.#ledger.head()?.seq ?? 0) + 1, ...line);
	}

	/** Within a transaction: the line of a checkpoint over all before it. `committed` takes it outside. */
	appendCheckpoint(): Checkpoint | undefined {
		const head = this.#ledger.head();
		if (!head) return undefined;
		const checkpoint = this.#witness.sign(head, this.#at());
		this.#ledger.append({ event: 'checkpoint', detail: checkpoint }, checkpoint.at);
		return checkpoint;
	}

	/** Lines since the last checkpoint. */
	get openLines(): number {
		return (this.#head?.seq ?? 0) - this.#checkpointSeq;
	}

	/** After a commit. */
	committed(checkpoint?: Checkpoint): void {
		const before = this.#head?.seal;
		this.#head = this.#ledger.head();
		if (this.#head && this.#head.seal !== before) this.#witness.noteHead(this.#head, this.#at());
		if (!checkpoint) return;
		this.#checkpointSeq = checkpoint.seq + 1;
		this.#unwritten.push(checkpoint);
		this.#writeCheckpoints();
	}

	close(): void {
		this.#witness.close();
	}
}

/** Requests for approval in the database. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Approval, ApprovalState } from '../../../contract/approval.ts';
import { countOf } from './jobs-table.ts';

/** Word for word the condition of an index, which is used where it is said. */
const isOpen = "state IN ('pending', 'approved')";

const read = (row: unknown): Approval | undefined =>
	row === undefined ? undefined : (JSON.parse((row as { approval_json: string }).approval_json) as Approval);

export class ApprovalsTable {
	readonly #insert: StatementSync;
	readonly #update: StatementSync;
	readonly #byId: StatementSync;
	readonly #byJob: StatementSync;
	readonly #list: StatementSync;
	readonly #listState: StatementSync;
	readonly #listOpen: StatementSync;
	readonly #open: StatementSync;

	constructor(db: DatabaseSync) {
		this.#insert = db.prepare('INSERT INTO approvals (approval_id, job_id, state, approval_json) VALUES (?, ?, ?, ?)');
		this.#update = db.prepare('UPDATE approvals SET state = ?, approval_json = ? WHERE approval_id = ?');
		this.#byId = db.prepare('SELECT approval_json FROM approvals WHERE approval_id = ?');
		this.#byJob = db.prepare('SELECT approval_json FROM approvals WHERE job_id = ? ORDER BY n DESC LIMIT 1');
		this.#list = db.prepare('SELECT approval_json FROM approvals ORDER BY n DESC LIMIT ?');
		this.#listState = db.prepare('SELECT approval_json FROM approvals WHERE state = ? ORDER BY n DESC LIMIT ?');
		this.#listOpen = db.prepare(
			`SELECT approval_json FROM approvals WHERE ${isOpen} AND state = ? ORDER BY n DESC LIMIT ?`,
		);
		this.#open = db.prepare(`SELECT approval_json FROM approvals WHERE ${isOpen} ORDER BY n`);
	}

	add(approval: Approval): void {
		this.#insert.run(approval.approvalId, approval.jobId, approval.state, JSON.stringify(approval));
	}

	set(approvalId: string, change: Partial<Approval>): void {
		const found = this.byId(approvalId);
		if (!found) throw new Error(`there is no approval ${approvalId}`);
		const next: Approval = { ...found, ...change, approvalId };
		this.#update.run(next.state, JSON.stringify(next), approvalId);
	}

	byId = (approvalId: string): Approval | undefined => read(this.#byId.get(approvalId));

	/** The newest, where a job asked more than once. */
	byJob = (jobId: string): Approval | undefined => read(this.#byJob.get(jobId));

	/** The newest first. */
	list({ state, limit }: { state?: ApprovalState; limit: number }): Approval[] {
		const count = countOf(limit);
		const ofState = state === 'pending' || state === 'approved' ? this.#listOpen : this.#listState;
		const rows = state === undefined ? this.#list.all(count) : ofState.all(state, count);
		return rows.map(read).filter((one) => one !== undefined);
	}

	/** Those that may still become a run, the oldest first. */
	open = (): Approval[] =>
		this.#open
			.all()
			.map(read)
			.filter((one) => one !== undefined);
}

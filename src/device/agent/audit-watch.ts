/** Says how the audit stands: what the store knows at once, and a verification of the whole chain that is repeated now and then. */
import type { AuditStatus } from '../../contract/audit.ts';
import { type Verification, verifyAudit } from '../../core/audit/verify.ts';
import type { StoreStatus } from './ports.ts';

/** A verification is good for so long, and for so many times as long as it took: a long audit must not keep the agent busy. */
const goodMs = 30_000;
const goodTimes = 50;

export interface AuditWatchParts {
	/** Folder of the agent. */
	readonly dir: string;
	status(): StoreStatus;
	now(): number;
}

interface Looked {
	readonly verification: Verification;
	readonly at: number;
	readonly goodUntil: number;
}

export class AuditWatch {
	readonly #parts: AuditWatchParts;
	#last: Looked | undefined;
	#looking: Promise<Looked> | undefined;

	constructor(parts: AuditWatchParts) {
		this.#parts = parts;
	}

	/** Waits for the first verification only; afterwards the last one is told while the next is under way. */
	async status(): Promise<AuditStatus> {
		if (!this.#last || this.#parts.now() >= this.#last.goodUntil)
			this.#looking ??= this.#look().finally(() => {
				this.#looking = undefined;
			});
		// Nobody may wait for a repetition, and it is told when it is there.
		this.#looking?.catch(() => {});
		const { verification, at } = this.#last ?? (await this.#looking) ?? (await this.#look());
		const { rows, seal, isWritable, mismatch } = this.#parts.status();
		const details = mismatch ?? verification.firstBad?.message ?? verification.problem;
		const status = details !== null ? 'broken' : isWritable ? 'intact' : 'unwritable';
		return { status, rows, seal, checkedRows: verification.rows, checkedAt: at, details };
	}

	async #look(): Promise<Looked> {
		const { dir, now } = this.#parts;
		const begun = now();
		const verification = await verifyAudit({ dir });
		const at = now();
		this.#last = { verification, at, goodUntil: at + Math.max(goodMs, goodTimes * (at - begun)) };
		return this.#last;
	}
}

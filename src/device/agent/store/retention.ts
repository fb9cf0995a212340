/** Removes stored output that is old, unused, too much, or no longer wanted; each removal has its line in the audit. */
import type { AgentConfig } from '../../../contract/agent-config.ts';
import type { Store } from '../ports.ts';
import type { JobsTable } from './jobs-table.ts';
import type { Outputs } from './outputs.ts';
import type { StoredJob } from './stored-job.ts';

/** Jobs in one transaction and one line of the audit. */
const mostTogether = 200;
/** Of what one principal may store; so far beyond it all of them together can get. */
const notableShare = 1 / 8;

export interface RetentionParts {
	readonly config: AgentConfig;
	readonly jobs: JobsTable;
	readonly outputs: Outputs;
	readonly store: Pick<Store, 'change'>;
	now(): number;
}

const bytesOf = (job: StoredJob): number => job.stdout_stored + job.stderr_stored;

export class Retention {
	readonly #parts: RetentionParts;
	#isSweeping = false;
	/** Bytes since the last look. */
	#grown = 0;

	constructor(parts: RetentionParts) {
		this.#parts = parts;
	}

	/** So much output came: much of it is looked at before the next time. */
	grew(bytes: number): void {
		this.#grown += bytes;
		if (this.#grown > this.#parts.config.limits.storeBytes * notableShare) this.sweep();
	}

	/** Goes on by itself until nothing is left to remove. */
	sweep(): void {
		if (this.#isSweeping) return;
		this.#isSweeping = true;
		this.#grown = 0;
		this.#sweepAll()
			.catch(() => {})
			.finally(() => {
				this.#isSweeping = false;
			});
	}

	async #sweepAll(): Promise<void> {
		await this.#noteUse();
		while ((await this.#removeStale()) === mostTogether);
		for (const { principal, bytes } of this.#parts.jobs.overQuota(this.#parts.config.limits.storeBytes))
			await this.#removeOldest(principal, bytes - this.#parts.config.limits.storeBytes);
	}

	async #noteUse(): Promise<void> {
		const used = this.#parts.outputs.takeUsed();
		if (used.length === 0) return;
		await this.#parts.store.change(() => {
			for (const [jobId, at] of used) this.#parts.jobs.setUsed(jobId, at);
		});
	}

	async #removeStale(): Promise<number> {
		const { jobs, config, now, outputs } = this.#parts;
		const idleSince = now() - config.retention.idleMs;
		const endedBefore = now() - config.retention.hardMs;
		const found = jobs.stale(idleSince, endedBefore, mostTogether);
		const stale = found.filter(
			(job) => outputs.lastUsed(job.job_id) <= idleSince || (job.ended_at ?? 0) <= endedBefore,
		);
		if (stale.length > 0) await this.#remove(stale, 'age');
		return stale.length;
	}

	async #removeOldest(principal: string, excess: number): Promise<void> {
		let left = excess;
		while (left > 0) {
			const oldest = this.#parts.jobs.outputsOf(principal, mostTogether);
			const chosen: StoredJob[] = [];
			for (const job of oldest) {
				if (left <= 0) break;
				chosen.push(job);
				left -= bytesOf(job);
			}
			if (chosen.length === 0) return;
			await this.#remove(chosen, 'quota');
		}
	}

	async #remove(jobs: readonly StoredJob[], reason: 'age' | 'quota'): Promise<void> {
		const ids = jobs.map(({ job_id }) => job_id);
		const bytes = jobs.reduce((sum, job) => sum + bytesOf(job), 0);
		await this.#parts.store.change(
			() => {
				for (const jobId of ids) this.#parts.jobs.forgetOutput(jobId);
			},
			{ event: 'output.remove', detail: { reason, bytes, jobs: ids } },
		);
		for (const jobId of ids) await this.#parts.outputs.deleteFiles(jobId);
	}

	/** Somebody who may closed the job's output. */
	removeAsked(jobId: string, bytes: number): void {
		const { jobs, outputs, store } = this.#parts;
		store
			.change(() => jobs.forgetOutput(jobId), { event: 'output.remove', jobId, detail: { reason: 'asked', bytes } })
			.then(() => outputs.deleteFiles(jobId))
			.catch(() => {})
			.finally(() => outputs.removalIsOver(jobId));
	}
}

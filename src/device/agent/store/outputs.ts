/** The outputs of all jobs: which are being written, where they lie, how large they are. */
import { statSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isOver } from '../../../contract/device-job.ts';
import { KnownError } from '../../../contract/error.ts';
import { JobOutput } from './job-output.ts';
import type { JobsTable } from './jobs-table.ts';
import { type OutputTexts, textsOf } from './run-texts.ts';
import { rowOf, type Sizes, type StoredJob, sizesOf } from './stored-job.ts';

/** Ids become names of folders. */
const plainId = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

const nothing: Sizes = {
	stdout: { total: 0, stored: 0 },
	stderr: { total: 0, stored: 0 },
	hasFiles: false,
	isKept: true,
};

export interface OutputsParts {
	readonly jobs: JobsTable;
	/** Where the caller gives none. */
	readonly capBytes: number;
	readonly keepsTexts: boolean;
	removed(jobId: string, bytes: number): void;
	now(): number;
}

export class Outputs {
	readonly #root: string;
	readonly #parts: OutputsParts;
	/** Of jobs that are not over. */
	readonly #live = new Map<string, JobOutput>();
	/** Live ones that the database did not know when it was looked last. */
	#unknown: string[] = [];
	/** Of jobs whose streams are complete and whose end is not written yet. */
	readonly #texts = new Map<string, OutputTexts>();
	/** What somebody removed, until that is written. */
	readonly #removing = new Set<string>();
	/** When output was read last; goes to the disk now and then. */
	readonly #used = new Map<string, number>();

	constructor(root: string, parts: OutputsParts) {
		this.#root = root;
		this.#parts = parts;
	}

	#folder(jobId: string): string {
		if (!plainId.test(jobId)) throw new KnownError('JOB_NOT_FOUND');
		return join(this.#root, jobId);
	}

	of(jobId: string, capBytes?: number): JobOutput {
		const live = this.#live.get(jobId);
		if (live) return live;
		const stored = this.#parts.jobs.byId(jobId);
		if (stored && isOver(stored.state)) return this.#open(jobId, 0, this.sizesFor(stored));
		const output = this.#open(jobId, capBytes ?? this.#parts.capBytes, undefined);
		this.#live.set(jobId, output);
		return output;
	}

	#open(jobId: string, capBytes: number, left: Sizes | undefined): JobOutput {
		return new JobOutput({
			folder: this.#folder(jobId),
			capBytes,
			left,
			used: () => this.#used.set(jobId, this.#parts.now()),
			finished: () => this.#keepTexts(jobId),
			removed: (bytes) => {
				this.#removing.add(jobId);
				this.#parts.removed(jobId, bytes);
			},
		});
	}

	async #keepTexts(jobId: string): Promise<void> {
		const stored = this.#parts.jobs.byId(jobId);
		const live = this.#live.get(jobId);
		if (!this.#parts.keepsTexts || !stored || !live || isOver(stored.state)) return;
		this.#texts.set(jobId, await textsOf(rowOf(stored), live));
	}

	/** For the change that ends the job. */
	textsOf = (jobId: string): OutputTexts | undefined => this.#texts.get(jobId);

	/** Of any job. */
	sizesFor(stored: StoredJob): Sizes {
		if (!isOver(stored.state)) return this.sizesOf(stored.job_id);
		const sizes = sizesOf(stored);
		if (!this.#removing.has(stored.job_id)) return sizes;
		const gone = ({ total }: Sizes['stdout']) => ({ total, stored: 0 });
		return { stdout: gone(sizes.stdout), stderr: gone(sizes.stderr), hasFiles: false, isKept: false };
	}

	/** The removal is on record, or could not be written. */
	removalIsOver(jobId: string): void {
		this.#removing.delete(jobId);
	}

	/** Of a job that is not over. */
	sizesOf = (jobId: string): Sizes => this.#live.get(jobId)?.sizes() ?? nothing;

	/** Its end is on the disk. */
	jobIsOver(jobId: string): void {
		this.#live.get(jobId)?.settle();
		this.#live.delete(jobId);
		this.#texts.delete(jobId);
	}

	/** Of a job that an earlier process ran: what reached the disk is what there is. */
	async resume(stored: StoredJob): Promise<Sizes> {
		const jobId = stored.job_id;
		const [stdout, stderr] = [sizeOf(join(this.#folder(jobId), 'stdout')), sizeOf(join(this.#folder(jobId), 'stderr'))];
		const sizes = { stdout, stderr, hasFiles: true, isKept: true };
		const output = this.#open(jobId, 0, sizes);
		if (this.#parts.keepsTexts) this.#texts.set(jobId, await textsOf(rowOf(stored), output));
		return sizes;
	}

	/** Lets go of jobs that were announced and never recorded; those of the last minute may still be. */
	dropUnknown(): void {
		for (const jobId of this.#unknown) if (!this.#parts.jobs.byId(jobId)) this.#live.delete(jobId);
		this.#unknown = [...this.#live.keys()].filter((jobId) => !this.#parts.jobs.byId(jobId));
	}

	/** What was read since the last call. */
	takeUsed(): [jobId: string, at: number][] {
		const used = [...this.#used];
		this.#used.clear();
		return used;
	}

	lastUsed = (jobId: string): number => this.#used.get(jobId) ?? 0;

	async deleteFiles(jobId: string): Promise<void> {
		await rm(this.#folder(jobId), { recursive: true, force: true });
	}

	/** Folders of jobs that the database does not know, or whose output it calls removed. */
	async deleteStrangers(): Promise<void> {
		for (const name of await readdir(this.#root)) {
			const stored = plainId.test(name) ? this.#parts.jobs.byId(name) : undefined;
			const isKept = stored && (!isOver(stored.state) || stored.has_output === 1);
			if (!isKept) await rm(join(this.#root, name), { recursive: true, force: true });
		}
	}

	close(): void {
		for (const output of this.#live.values()) output.close().catch(() => {});
	}
}

function sizeOf(path: string): { total: number; stored: number } {
	const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
	return { total: size, stored: size };
}

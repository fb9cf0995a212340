/** The one way in for every face: takes jobs, sends each through the story, and answers whoever asks about it later. */
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import {
	type FaceName,
	isOver,
	type JobDraft,
	type JobEvent,
	type JobState,
	type JobView,
} from '../../contract/device-job.ts';
import { KnownError } from '../../contract/error.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import { may, type Principal } from '../../contract/principal.ts';
import type { OutputStream } from '../../core/sandbox/backend.ts';
import { admit } from './admission.ts';
import { Feed, type FeedPlace } from './feed.ts';
import { JobRun, type RunParts } from './job-run.ts';
import type { Compat, GrepHit, JobRow, Jobs, OutputPage, Rates, Submission } from './ports.ts';
import { isSameJob } from './same-job.ts';

export interface DeskParts extends Omit<RunParts, 'onState'> {
	readonly rates: Rates;
	/** Hears every job whose state changed, after it was written. */
	onChange(job: JobView): void;
	/** Hears of every request that came before. */
	onReplay?(): void;
}

export class JobDesk implements Jobs {
	readonly #parts: DeskParts;
	readonly #live = new Map<string, JobRun>();
	/** Jobs that are being recorded, by what would make another one the same job. */
	readonly #arriving = new Map<string, Promise<JobView>>();
	/** Stories that are being read again. */
	readonly #told = new Map<string, { readonly feed: Promise<Feed>; watchers: number }>();
	readonly #changed = new EventEmitter().setMaxListeners(0);
	#isStopping = false;
	/** Jobs that are not on record yet, and so not in the queue. */
	#coming = 0;

	constructor(parts: DeskParts) {
		this.#parts = parts;
	}

	/** Goes on with what an earlier process accepted and never began; the policy of now decides again. */
	async resume(): Promise<void> {
		const rows = await this.#parts.store.recover();
		// Whoever asks from now on finds each of them, and can cancel it.
		await Promise.all(rows.map((row) => this.#start(row, false).catch(() => {})));
	}

	async submit(principal: Principal, submission: Submission): Promise<JobView> {
		if (this.#isStopping) throw new KnownError('AGENT_STOPPING');
		const key = submission.draft.idempotencyKey;
		if (key === undefined) return this.#accept(principal, submission);
		const job = await this.#once(`${principal.name}\0${key}`, async () => {
			const same = this.#parts.store.jobByIdempotencyKey(principal.name, key);
			return same ?? this.#accept(principal, submission);
		});
		const row = this.#parts.store.jobRow(job.jobId);
		if (row && !isSameJob(row.draft, submission.draft))
			throw new KnownError('REQUEST_REPLAYED', { details: 'its idempotency key belongs to another job' });
		return job;
	}

	get(principal: Principal, jobId: string): JobView | undefined {
		const job = this.#parts.store.job(jobId);
		return job && mayRead(principal, job) ? job : undefined;
	}

	findByClientId(principal: Principal, face: FaceName, clientId: string): JobView | undefined {
		return this.#parts.store.jobByClientId(principal.name, face, clientId);
	}

	findOfAnybody(principal: Principal, face: FaceName, clientId: string): JobView | undefined {
		const job = this.#parts.store.latestJobByClientId(face, clientId);
		return job && mayRead(principal, job) ? job : undefined;
	}

	list(principal: Principal, filter: { state?: JobState; limit: number; before?: string }): JobView[] {
		const own = seesAll(principal) ? {} : { principal: principal.name };
		return this.#parts.store.jobs({ ...filter, ...own });
	}

	compatOf(jobId: string): Compat | undefined {
		return this.#parts.store.jobRow(jobId)?.compat;
	}

	peerOf(jobId: string): string | null {
		return this.#parts.store.jobRow(jobId)?.principal.peer ?? null;
	}

	async settle(jobId: string, ms: number): Promise<JobView> {
		const signal = AbortSignal.timeout(Math.max(0, ms));
		while (true) {
			const job = this.#require(jobId);
			const isSettled = isOver(job.state) || job.state === 'awaiting_approval';
			if (isSettled || signal.aborted || !this.#live.has(jobId)) return job;
			await once(this.#changed, jobId, { signal }).catch(() => {});
		}
	}

	async *watch(jobId: string, afterSeq: number, signal: AbortSignal): AsyncGenerator<JobEvent> {
		const live = this.#live.get(jobId)?.feed;
		if (live) yield* live.watch(afterSeq, signal);
		else yield* this.#retell(jobId, afterSeq, signal);
	}

	async cancel(principal: Principal, jobId: string): Promise<JobView> {
		const job = this.get(principal, jobId);
		if (!job || !mayChange(principal, job)) throw new KnownError('JOB_NOT_FOUND');
		await this.#end(jobId);
		return this.#require(jobId);
	}

	read(jobId: string, stream: OutputStream, offset: number, limit: number): Promise<OutputPage> {
		return this.#parts.store.output(jobId).read(stream, offset, limit);
	}

	tail(jobId: string, stream: OutputStream, lines: number): Promise<OutputPage> {
		return this.#parts.store.output(jobId).tail(stream, lines);
	}

	grep(jobId: string, stream: OutputStream, pattern: string, most: number): Promise<GrepHit[]> {
		return this.#parts.store.output(jobId).grep(stream, pattern, most);
	}

	forget(principal: Principal, jobId: string): boolean {
		const job = this.get(principal, jobId);
		if (!job || !isOver(job.state) || !mayChange(principal, job)) return false;
		this.#parts.store.output(jobId).remove();
		return true;
	}

	explain(principal: Principal, draft: JobDraft): Promise<PolicyDecision> {
		return this.#parts.decide(principal, draft);
	}

	/** Jobs of a principal that are not over. */
	runningJobs(principal: string): number {
		return [...this.#live.values()].filter(({ row }) => row.principal.name === principal).length;
	}

	/** Takes no more jobs; what runs may go on for so long and is cancelled then. What waits stays in the store for the next start. */
	async stop(graceMs: number): Promise<void> {
		this.#isStopping = true;
		this.#parts.queue.pause();
		const deadline = AbortSignal.timeout(graceMs);
		const isRunning = ({ row }: JobRun) => this.#parts.store.job(row.jobId)?.state === 'running';
		const running = [...this.#live.values()].filter(isRunning);
		await Promise.all(
			running.map(async ({ row }) => {
				while (this.#live.has(row.jobId) && !deadline.aborted)
					await once(this.#changed, row.jobId, { signal: deadline }).catch(() => {});
				await this.#end(row.jobId);
			}),
		);
	}

	/** Two that are the same become one job. */
	#once(key: string, act: () => Promise<JobView>): Promise<JobView> {
		const arriving = this.#arriving.get(key);
		if (arriving) return arriving;
		const job = act().finally(() => this.#arriving.delete(key));
		this.#arriving.set(key, job);
		return job;
	}

	#accept(principal: Principal, submission: Submission): Promise<JobView> {
		this.#refuseWhenFull();
		this.#admit(principal, submission);
		const { face, clientId, draft, compat } = submission;
		const row: JobRow = {
			jobId: randomUUID(),
			face,
			clientId: clientId ?? null,
			idempotencyKey: draft.idempotencyKey ?? null,
			principal,
			draft,
			decision: null,
			acceptedAt: this.#parts.now(),
			...(compat && { compat }),
		};
		return this.#start(row, true);
	}

	/** Before anything is recorded or counted, so that the same request may come again. */
	#refuseWhenFull(): void {
		const { queue } = this.#parts;
		if (queue.room <= this.#coming) throw new KnownError('QUEUE_FULL', { waiting: queue.waiting });
	}

	#admit(principal: Principal, submission: Submission): void {
		const { store, rates, now } = this.#parts;
		try {
			admit({ store, rates, now, runningJobs: (name) => this.runningJobs(name) }, principal, submission);
		} catch (error) {
			if (KnownError.is(error) && error.code === 'REQUEST_REPLAYED') this.#parts.onReplay?.();
			throw error;
		}
	}

	/** Resolves when the job is on record; it runs on by itself. */
	async #start(row: JobRow, isNew: boolean): Promise<JobView> {
		const feed = isNew ? Feed.begin(this.#feedPlace(row.jobId)) : await Feed.resume(this.#feedPlace(row.jobId));
		const onState = (jobId: string, state: JobState) => this.#tell(jobId, state);
		const run = new JobRun({ ...this.#parts, onState }, row, feed, isNew);
		this.#live.set(row.jobId, run);
		void this.#finish(run);
		this.#coming++;
		await run.recorded.finally(() => this.#coming--);
		return this.#require(row.jobId);
	}

	async #finish(run: JobRun): Promise<void> {
		const { jobId } = run.row;
		await run.run().catch((error: Error) => {
			this.#parts.log.error({ jobId, error: error.message }, 'the end of a job could not be recorded');
		});
		this.#live.delete(jobId);
		this.#changed.emit(jobId);
	}

	#tell(jobId: string, state: JobState): void {
		const job = this.#parts.store.job(jobId);
		if (job) this.#parts.onChange({ ...job, state });
		this.#changed.emit(jobId);
	}

	async #end(jobId: string): Promise<void> {
		this.#live.get(jobId)?.cancel();
		while (this.#live.has(jobId)) await once(this.#changed, jobId);
	}

	/** The story of a job that is over is read once for all who watch it at the same time. */
	async *#retell(jobId: string, afterSeq: number, signal: AbortSignal): AsyncGenerator<JobEvent> {
		const told = this.#told.get(jobId) ?? { feed: Feed.resume(this.#feedPlace(jobId)), watchers: 0 };
		this.#told.set(jobId, told);
		told.watchers++;
		try {
			yield* (await told.feed).watch(afterSeq, signal);
		} finally {
			if (--told.watchers === 0) this.#told.delete(jobId);
		}
	}

	#feedPlace(jobId: string): FeedPlace {
		const { store, now, config } = this.#parts;
		return {
			output: store.output(jobId, config.limits.outputBytes),
			view: () => store.job(jobId),
			now,
		};
	}

	#require(jobId: string): JobView {
		const job = this.#parts.store.job(jobId);
		if (!job) throw new KnownError('JOB_NOT_FOUND');
		return job;
	}
}

const seesAll = ({ roles }: Principal): boolean => roles.some((role) => role !== 'executor');

const mayRead = (principal: Principal, job: JobView): boolean =>
	may(principal, 'read') && (seesAll(principal) || job.principal === principal.name);

/** A role that lets a key look at the jobs of others lets nobody end them. */
const mayChange = (principal: Principal, job: JobView): boolean =>
	may(principal, 'cancel') && (may(principal, 'administer') || job.principal === principal.name);

/** A stand-in for the pipeline of the agent: a test says for each job what the policy answers and what the command does. */
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import {
	type FaceName,
	isOver,
	type JobDraft,
	type JobEvent,
	type JobState,
	type JobView,
	jobDraftSchema,
} from '../../src/contract/device-job.ts';
import { KnownError, problemFor } from '../../src/contract/error.ts';
import type { JobResult } from '../../src/contract/job.ts';
import type { PolicyDecision } from '../../src/contract/policy.ts';
import { may, type Principal } from '../../src/contract/principal.ts';
import { withoutRun } from '../../src/core/result.ts';
import type { OutputStream } from '../../src/core/sandbox/backend.ts';
import type { GrepHit, Jobs, OutputPage, Submission } from '../../src/device/agent/ports.ts';
import { isSameJob } from '../../src/device/agent/same-job.ts';

/** One job in the hands of a test. */
export class MemoryJob {
	readonly jobId = randomUUID();
	readonly principal: Principal;
	readonly submission: Submission;
	readonly changed = new EventEmitter().setMaxListeners(0);
	readonly events: JobEvent[] = [];
	readonly acceptedAt: number;
	state: JobState = 'queued';
	result: JobResult | null = null;
	approvalId: string | null = null;
	startedAt: number | null = null;
	endedAt: number | null = null;
	isKept = true;
	/** What was printed and not kept. */
	lost: Record<OutputStream, number> = { stdout: 0, stderr: 0 };
	readonly bytes: Record<OutputStream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
	readonly #now: () => number;

	constructor(principal: Principal, submission: Submission, now: () => number) {
		this.principal = principal;
		this.submission = submission;
		this.#now = now;
		this.acceptedAt = now();
	}

	enter(state: JobState): this {
		if (isOver(this.state)) return this;
		this.state = state;
		if (state === 'running') this.startedAt = this.#now();
		if (isOver(state)) this.endedAt = this.#now();
		this.events.push({ seq: this.events.length + 1, at: this.#now(), type: 'state', state });
		if (isOver(state))
			this.events.push({ seq: this.events.length + 1, at: this.#now(), type: 'end', job: this.view() });
		this.changed.emit('change');
		return this;
	}

	ask(approvalId: string): this {
		this.approvalId = approvalId;
		return this.enter('awaiting_approval');
	}

	print(stream: OutputStream, data: string | Buffer): this {
		const chunk = Buffer.from(data);
		const offset = this.bytes[stream].length;
		this.bytes[stream] = Buffer.concat([this.bytes[stream], chunk]);
		const base64 = chunk.toString('base64');
		this.events.push({ seq: this.events.length + 1, at: this.#now(), type: 'output', stream, offset, base64 });
		this.changed.emit('change');
		return this;
	}

	end(result: Partial<JobResult>): this {
		this.result ??= {
			...withoutRun(result.status ?? 'succeeded', problemFor('JOB_CANCELLED')),
			problem: null,
			...result,
		};
		return this.enter('ended');
	}

	exit(exitCode: number): this {
		return this.end({ status: exitCode === 0 ? 'succeeded' : 'failed', exitCode });
	}

	deny(why: string): this {
		return this.end(withoutRun('denied', problemFor('POLICY_DENIED', { why, rule: 'test/rule' })));
	}

	view(): JobView {
		const { face, clientId, draft } = this.submission;
		return {
			...{ jobId: this.jobId, deviceId: 'device-1', face, clientId: clientId ?? null, principal: this.principal.name },
			...{ capability: draft.capability, command: draft.command, cwd: draft.cwd ?? null, state: this.state },
			...{ approvalId: this.approvalId, decision: null, result: this.result, isConfirmedDead: null },
			output: { stdout: this.#stateOf('stdout'), stderr: this.#stateOf('stderr'), isKept: this.isKept },
			...{ labels: {}, acceptedAt: this.acceptedAt, startedAt: this.startedAt, endedAt: this.endedAt, auditHash: '' },
		};
	}

	#stateOf(stream: OutputStream) {
		const storedBytes = this.isKept ? this.bytes[stream].length : 0;
		return { storedBytes, totalBytes: storedBytes + this.lost[stream], isComplete: isOver(this.state) };
	}
}

export class MemoryJobs implements Jobs {
	readonly jobs: MemoryJob[] = [];
	/** What the clock says; a test may move it. */
	now = (): number => Date.now();
	/** Every wait that was asked for, in milliseconds; a test may make them shorter. */
	readonly waits: number[] = [];
	shorten = (ms: number): number => ms;
	decision: PolicyDecision['decision'] = 'allow';
	readonly explained: JobDraft[] = [];
	readonly #act: (job: MemoryJob) => unknown;

	/** @param act what becomes of a job; it is on record when this returns, and may go on */
	constructor(act: (job: MemoryJob) => unknown) {
		this.#act = act;
	}

	async submit(principal: Principal, submission: Submission): Promise<JobView> {
		jobDraftSchema.parse(submission.draft);
		if (!may(principal, 'submit')) throw new KnownError('AUTH_FORBIDDEN', { details: 'it has not the role' });
		const same = this.#sameAs(principal, submission);
		if (same) return same;
		const job = new MemoryJob(principal, submission, this.now);
		this.jobs.push(job);
		this.#act(job);
		return job.view();
	}

	get(principal: Principal, jobId: string): JobView | undefined {
		const job = this.#find(jobId);
		const seesAll = principal.roles.some((role) => role !== 'executor');
		return job && (seesAll || job.principal.name === principal.name) ? job.view() : undefined;
	}

	findByClientId(principal: Principal, face: FaceName, clientId: string): JobView | undefined {
		return this.jobs
			.find(
				({ principal: { name }, submission }) =>
					name === principal.name && submission.face === face && submission.clientId === clientId,
			)
			?.view();
	}

	findOfAnybody(principal: Principal, face: FaceName, clientId: string): JobView | undefined {
		const isIt = ({ submission }: MemoryJob) => submission.face === face && submission.clientId === clientId;
		const job = this.jobs.findLast(isIt);
		return job && this.get(principal, job.jobId);
	}

	compatOf(jobId: string) {
		return this.#find(jobId)?.submission.compat;
	}

	peerOf(jobId: string): string | null {
		return this.#find(jobId)?.principal.peer ?? null;
	}

	list(_principal: Principal, { state }: { state?: JobState }): JobView[] {
		return this.jobs.filter((job) => state === undefined || job.state === state).map((job) => job.view());
	}

	async settle(jobId: string, ms: number): Promise<JobView> {
		const job = this.#require(jobId);
		this.waits.push(ms);
		const signal = AbortSignal.timeout(this.shorten(ms));
		while (!isOver(job.state) && job.state !== 'awaiting_approval' && !signal.aborted)
			await once(job.changed, 'change', { signal }).catch(() => {});
		return job.view();
	}

	async *watch(jobId: string, afterSeq: number, signal: AbortSignal): AsyncGenerator<JobEvent> {
		const job = this.#require(jobId);
		for (let seq = afterSeq; !signal.aborted; ) {
			const event = job.events[seq];
			if (event) yield event;
			if (event?.type === 'end') return;
			if (event) seq++;
			else await once(job.changed, 'change', { signal }).catch(() => {});
		}
	}

	async cancel(principal: Principal, jobId: string): Promise<JobView> {
		if (!this.get(principal, jobId)) throw new KnownError('JOB_NOT_FOUND');
		return this.#require(jobId)
			.end({ status: 'cancelled', signal: 'SIGKILL', problem: problemFor('JOB_CANCELLED') })
			.view();
	}

	async read(jobId: string, stream: OutputStream, offset: number, limit: number): Promise<OutputPage> {
		const job = this.#require(jobId);
		const stored = job.isKept ? job.bytes[stream] : Buffer.alloc(0);
		const bytes = stored.subarray(offset, offset + limit);
		const nextOffset = offset + bytes.length;
		const eof = isOver(job.state) && nextOffset >= stored.length;
		return { bytes, offset, nextOffset, eof, totalBytes: stored.length + job.lost[stream], storedBytes: stored.length };
	}

	tail(): Promise<OutputPage> {
		throw new Error('not used');
	}

	grep(): Promise<GrepHit[]> {
		throw new Error('not used');
	}

	forget(principal: Principal, jobId: string): boolean {
		const job = this.#find(jobId);
		if (!job?.isKept || !isOver(job.state) || !this.get(principal, jobId)) return false;
		job.isKept = false;
		return true;
	}

	async explain(_principal: Principal, draft: JobDraft): Promise<PolicyDecision> {
		this.explained.push(draft);
		return {
			decision: this.decision,
			reasons: [{ rule: 'test/rule', class: 'program', decision: this.decision, why: 'the test says so' }],
			...{ plan: null, profile: null, limits: {}, isHighRisk: false, policyHash: '' },
		};
	}

	/** The job of the same key; the same id of a client for another one is refused. */
	#sameAs({ name }: Principal, { face, clientId, draft }: Submission): JobView | undefined {
		const { idempotencyKey } = draft;
		const own = this.jobs.filter(({ principal }) => principal.name === name);
		const same = own.find(({ submission }) => submission.draft.idempotencyKey === idempotencyKey);
		if (idempotencyKey !== undefined && same) {
			if (isSameJob(same.submission.draft, draft)) return same.view();
			throw new KnownError('REQUEST_REPLAYED', { details: 'its idempotency key belongs to another job' });
		}
		if (own.some(({ submission }) => clientId !== undefined && submission.clientId === clientId))
			throw new KnownError('REQUEST_REPLAYED', { details: `its id was used for ${face}` });
		return undefined;
	}

	#find(jobId: string): MemoryJob | undefined {
		return this.jobs.find((job) => job.jobId === jobId);
	}

	#require(jobId: string): MemoryJob {
		const job = this.#find(jobId);
		if (!job) throw new KnownError('JOB_NOT_FOUND');
		return job;
	}
}

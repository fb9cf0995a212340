/** The story of one job, read from top to bottom: check, decide, approve, wait for a turn, record, run, record. Written once, for code and for devices. */
import { problemFor } from '../contract/error.ts';
import type { JobResult } from '../contract/job.ts';
import type { DecisionWord } from '../contract/policy.ts';
import type { FairQueue } from './queue.ts';
import { withoutRun } from './result.ts';

/** A job that ends before it begins. */
export interface Refusal {
	readonly refused: JobResult;
}

/** Who has the last word on a job: `ask` is followed by `approve`. */
export interface Ruling {
	readonly decision: DecisionWord;
}

/**
 * What each kind of job does at each stage. A stage that refuses says so in a result; a stage that throws means that a
 * person must act, and nothing after it happens.
 */
export interface Stages<Seen, Decided extends Ruling> {
	/** What would run. */
	check(): Promise<Seen | Refusal>;
	/** A job that is denied comes as a refusal. */
	decide(seen: Seen): Promise<Decided | Refusal>;
	/** Resolves when somebody has answered, or when nobody did in time. */
	approve(seen: Seen, decided: Decided): Promise<Refusal | undefined>;
	/** Where the job waits for its turn, and what is known of it when it does not get one. */
	readonly turn: { readonly queue: FairQueue; readonly key: string; readonly signal: AbortSignal | undefined };
	known(seen: Seen): Pick<JobResult, 'language' | 'findings'>;
	/** No record, no run. The last moment to refuse: an approval may have expired while the job waited for its turn. */
	recordStart(seen: Seen, decided: Decided): Promise<Refusal | undefined>;
	run(seen: Seen, decided: Decided): Promise<JobResult>;
	recordEnd(result: JobResult): Promise<void>;
}

const isRefusal = (value: unknown): value is Refusal =>
	typeof value === 'object' && value !== null && 'refused' in value;

export async function execute<Seen, Decided extends Ruling>(stages: Stages<Seen, Decided>): Promise<JobResult> {
	const seen = await stages.check();
	if (isRefusal(seen)) return seen.refused;
	const decided = await stages.decide(seen);
	if (isRefusal(decided)) return decided.refused;
	const refusal = decided.decision === 'allow' ? undefined : await stages.approve(seen, decided);
	if (refusal) return refusal.refused;
	return runInTurn(stages, seen, decided);
}

async function runInTurn<Seen, Decided extends Ruling>(
	stages: Stages<Seen, Decided>,
	seen: Seen,
	decided: Decided,
): Promise<JobResult> {
	const { queue, key, signal } = stages.turn;
	const turn = await queue.enter(key, signal);
	if (!turn.granted) return notGranted(turn.reason, turn.waiting, stages.known(seen));
	try {
		const tooLate = await stages.recordStart(seen, decided);
		if (tooLate) return tooLate.refused;
		const result = { ...(await stages.run(seen, decided)), queuedMs: Math.round(turn.waitedMs) };
		await stages.recordEnd(result);
		return result;
	} finally {
		turn.release();
	}
}

type Known = Pick<JobResult, 'language' | 'findings'>;

function notGranted(reason: 'full' | 'cancelled', waiting: number, known: Known): JobResult {
	if (reason === 'full') return withoutRun('denied', problemFor('QUEUE_FULL', { waiting }), known);
	return withoutRun('cancelled', problemFor('JOB_CANCELLED'), known);
}

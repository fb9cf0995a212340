/** What the routes of Ogent do: hand a command in, wait for it, tell how it stands, cancel it, and say what is allowed. */
import { isOver, type JobView } from '../../../contract/device-job.ts';
import { KnownError } from '../../../contract/error.ts';
import { holds, may, type Principal } from '../../../contract/principal.ts';
import {
	encodeOgentAllowed,
	encodeOgentExecution,
	encodeOgentRun,
	encodeOgentValidation,
	isOgentExecutionId,
	type OgentExecution,
	type OgentSubmit,
} from '../../wire/ogent.ts';
import type { FaceParts } from '../face.ts';
import { failureOf, Refusal, refuse } from './http.ts';
import { ogentCapability, ogentDraft } from './ogent-draft.ts';
import type { OgentPushes } from './ogent-push.ts';
import { ogentExecution } from './ogent-state.ts';
import { ogentTexts } from './ogent-texts.ts';

/** How long the LangChain client is kept waiting; it gives up after five minutes. */
const runMs = 290_000;

/** Sees all that is there, so that another's execution can be told from none. */
const seer: Principal = { name: 'ogent', roles: ['viewer'], capabilities: [], keyId: null, peer: null };

type Body = Record<string, unknown>;

const mayRun = (principal: Principal): boolean => may(principal, 'submit') && holds(principal, ogentCapability);

/** The id that the caller knows it by. */
export const executionIdOf = ({ clientId, jobId }: JobView): string => clientId ?? jobId;

export class OgentCalls {
	readonly #parts: FaceParts;
	readonly #pushes: OgentPushes | undefined;

	constructor(parts: FaceParts, pushes: OgentPushes | undefined) {
		this.#parts = parts;
		this.#pushes = pushes;
	}

	/** Answers as soon as the command is on record. */
	async queue(principal: Principal, submit: OgentSubmit): Promise<Body> {
		const job = await this.#submit(principal, submit);
		const execution = ogentExecution(job, executionIdOf(job), null, Date.now());
		const { kind, executionId, message } = execution;
		return encodeOgentExecution({
			...execution,
			kind,
			executionId,
			status: isOver(job.state) ? execution.status : 'queued',
			message: message ?? 'Command scheduled for execution',
			command: null,
		});
	}

	/** Answers when the command has ended, waits for approval, or takes longer than the caller waits. */
	async run(principal: Principal, submit: OgentSubmit): Promise<Body> {
		const { jobId } = await this.#submit(principal, submit);
		const job = await this.#parts.jobs.settle(jobId, runMs);
		this.#refuseDenied(job);
		return encodeOgentRun(await this.#execution(job), job.result?.durationMs ?? null);
	}

	async status(principal: Principal, id: string): Promise<Body> {
		const job = this.#find(principal, id);
		if (!job) return this.#refuseUnseen(id, 'view', 'Execution not found');
		return encodeOgentExecution(await this.#execution(job));
	}

	async cancel(principal: Principal, id: string): Promise<Body> {
		const gone = 'Execution not found or already completed';
		const job = this.#find(principal, id);
		if (!job) return this.#refuseUnseen(id, 'cancel', gone);
		if (!may(principal, 'cancel')) return refuse(403, 'Insufficient permissions');
		if (isOver(job.state)) return refuse(404, gone);
		const ended = await this.#parts.jobs.cancel(principal, job.jobId);
		if (ended.result?.status !== 'cancelled') return refuse(404, gone);
		const executionId = executionIdOf(job);
		return { executionId, execution_id: executionId, status: 'cancelled', message: 'Execution cancelled' };
	}

	async validate(principal: Principal, submit: OgentSubmit): Promise<Body> {
		const draft = ogentDraft(submit, this.#parts.config);
		if ('why' in draft) return encodeOgentValidation({ isValid: false, reason: draft.why });
		if (!mayRun(principal)) return encodeOgentValidation({ isValid: false, reason: 'This key may not run commands' });
		const { decision, reasons } = await this.#parts.jobs.explain(principal, draft);
		const why = reasons.filter((reason) => reason.decision === decision).map((reason) => reason.why);
		if (decision === 'deny') return encodeOgentValidation({ isValid: false, reason: why.join('; ') });
		const reason = decision === 'ask' ? `It needs approval: ${why.join('; ')}` : '';
		return encodeOgentValidation({ isValid: true, reason });
	}

	async allowed(): Promise<Body> {
		return encodeOgentAllowed(this.#parts.programs(ogentCapability));
	}

	async #submit(principal: Principal, submit: OgentSubmit): Promise<JobView> {
		if (!mayRun(principal)) return refuse(403, 'Insufficient permissions');
		const draft = ogentDraft(submit, this.#parts.config);
		if ('why' in draft) return refuse(403, 'Command not allowed', draft.why);
		const { executionId } = submit;
		const isNew = executionId === undefined || !this.#parts.jobs.findByClientId(principal, 'ogent', executionId);
		const submission = { face: 'ogent', clientId: executionId, draft } as const;
		const job = await this.#parts.jobs.submit(principal, submission).catch(refuseOther);
		this.#refuseDenied(job);
		if (isNew && !isOver(job.state)) void this.#pushes?.follow(executionIdOf(job), job.jobId);
		return job;
	}

	#refuseDenied({ result }: JobView): void {
		if (result?.status !== 'denied') return;
		if (!result.problem) refuse(403, 'Command not allowed');
		throw new Refusal(failureOf(result.problem));
	}

	/** By the id that the caller chose, by ours, or by one that somebody else chose. */
	#find(principal: Principal, id: string): JobView | undefined {
		if (!isOgentExecutionId(id)) return undefined;
		const { jobs } = this.#parts;
		const own = jobs.findByClientId(principal, 'ogent', id) ?? jobs.get(principal, id);
		return own?.face === 'ogent' ? own : jobs.findOfAnybody(principal, 'ogent', id);
	}

	#refuseUnseen(id: string, what: 'view' | 'cancel', gone: string): never {
		if (this.#find(seer, id)) return refuse(403, `Not authorized to ${what} this execution`);
		return refuse(404, gone);
	}

	async #execution(job: JobView): Promise<OgentExecution> {
		const hasBegun = job.startedAt !== null || isOver(job.state);
		const texts = hasBegun ? await ogentTexts(this.#parts.jobs, job) : null;
		return ogentExecution(job, executionIdOf(job), texts, Date.now());
	}
}

/** The same id is the same execution; another command under it is none. */
function refuseOther(error: unknown): never {
	if (!KnownError.is(error) || error.code !== 'REQUEST_REPLAYED') throw error;
	return refuse(409, 'Execution already exists', 'another command has this executionId');
}

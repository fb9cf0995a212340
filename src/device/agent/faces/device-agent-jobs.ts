/** Requests to device_agent as jobs: run and waited for, fetched later, cancelled. */
import { isOver, type JobDraft, type JobView } from '../../../contract/device-job.ts';
import { KnownError, knownErrors } from '../../../contract/error.ts';
import { may, type Principal } from '../../../contract/principal.ts';
import { type DeviceAgentEnvelope, type DeviceAgentRequest, deviceAgentKindOf } from '../../wire/device-agent.ts';
import { type DeviceAgentAnswer, type DeviceAgentFailed, deviceAgentFailed } from '../../wire/device-agent-answer.ts';
import { type DeviceAgentCall, decodeDeviceAgentCall } from '../../wire/device-agent-call.ts';
import type { FaceParts } from '../face.ts';
import type { Submission } from '../ports.ts';
import { deviceAgentAgeMs } from './device-agent-auth.ts';
import { deviceAgentCompat, deviceAgentDraft, fileLimit } from './device-agent-draft.ts';
import {
	type DeviceAgentTexts,
	deviceAgentAnswerOf,
	deviceAgentCodeOf,
	deviceAgentWaiting,
} from './device-agent-outcome.ts';
import { lastText, textFrom } from './stored-text.ts';

/** Of each stream, in an answer. */
const streamBytes = 4 * 1024 * 1024;
/** Beyond the time of the command: for its turn, and for its end. */
const graceMs = 30_000;
/** How long a nonce of a request without a time is remembered. */
const nonceMs = 86_400_000;

/** Which bytes of a file somebody asks for; `limit` null: as many as are given unasked. */
interface Part {
	readonly offset: number;
	readonly limit: number | null;
}

/** The same, as it stands in an address. */
export type PageWords = Readonly<Record<string, string | undefined>>;

const unknownRequest = (id: string) =>
	deviceAgentFailed('unknown_request', 'There is no such request on this device.', { requestId: id });

export const invalidRequest = (requestId: string | null, details: string): DeviceAgentFailed =>
	deviceAgentFailed('invalid_request', `The request does not fit: ${details}.`, { requestId });

type JobsParts = Pick<FaceParts, 'jobs' | 'config' | 'recordRefusal'>;

export class DeviceAgentJobs {
	readonly #parts: JobsParts;

	constructor(parts: JobsParts) {
		this.#parts = parts;
	}

	/** Answers when the command has ended, or waits for approval. */
	async run(principal: Principal, { request, proof }: DeviceAgentEnvelope): Promise<DeviceAgentAnswer> {
		const asked = askedIn(request, proof ? 'signed' : 'plain');
		if ('code' in asked) return this.#refused(principal, request, asked);
		const { jobs, config } = this.#parts;
		try {
			const { jobId } = await jobs.submit(principal, {
				...{ face: 'device', clientId: request.requestId, draft: asked.draft, compat: deviceAgentCompat(request) },
				freshness: freshnessOf(request),
			});
			const job = await jobs.settle(jobId, config.limits.timeoutMs + graceMs);
			return await this.#answer(job, asked.call.kind === 'fs.read' ? asked.call : undefined);
		} catch (error) {
			return this.#refused(principal, request, refusedBy(error, request.requestId));
		}
	}

	/** What was no job has a line of the audit, too, but for what was only too much. */
	async #refused(
		principal: Principal,
		request: DeviceAgentRequest,
		failed: DeviceAgentFailed,
	): Promise<DeviceAgentFailed> {
		const { code } = failed;
		if (code === 'overloaded' || code === 'internal') return failed;
		const { requestId, capability } = request;
		const { argsHash } = deviceAgentCompat(request);
		const refused = { face: 'device', requestId, capability, argsHash, code } as const;
		return { ...failed, auditHash: await this.#parts.recordRefusal(principal, refused) };
	}

	async #answer(job: JobView, part: Part | undefined): Promise<DeviceAgentAnswer> {
		return isOver(job.state) ? deviceAgentAnswerOf(job, await this.#textsOf(job, part)) : deviceAgentWaiting(job);
	}

	async #textsOf(job: JobView, part: Part | undefined): Promise<DeviceAgentTexts> {
		const { jobs } = this.#parts;
		const { stdout, stderr } = job.output;
		const err = await lastText(jobs, job.jobId, 'stderr', stderr.storedBytes, streamBytes);
		if (part) {
			const { text, nextOffset } = await textFrom(jobs, job.jobId, 'stdout', part.offset, fileLimit(part.limit));
			const hasMore = nextOffset < stdout.storedBytes;
			const isEnd = !hasMore && job.result?.status !== 'output_exceeded';
			const page = { offset: part.offset, nextOffset, isEnd };
			return { stdout: text, stderr: err.text, isCut: false, page, hasMore };
		}
		const out = await lastText(jobs, job.jobId, 'stdout', stdout.storedBytes, streamBytes);
		return { stdout: out.text, stderr: err.text, isCut: out.isCut || err.isCut, page: null, hasMore: false };
	}

	/** What became of an earlier request. */
	async result(principal: Principal, id: string, query: PageWords): Promise<DeviceAgentAnswer> {
		const job = this.#jobOf(principal, id);
		return job ? this.#answer(job, partOf(job, query)) : unknownRequest(id);
	}

	/** Answers when nothing of the command is left. */
	async cancel(principal: Principal, id: string): Promise<DeviceAgentAnswer> {
		const job = may(principal, 'cancel') ? this.#jobOf(principal, id) : undefined;
		if (!job) return unknownRequest(id);
		const ended = isOver(job.state) ? job : await this.#parts.jobs.cancel(principal, job.jobId);
		return this.#answer(ended, partOf(ended, {}));
	}

	#jobOf(principal: Principal, id: string): JobView | undefined {
		return may(principal, 'read') ? this.#parts.jobs.findByClientId(principal, 'device', id) : undefined;
	}
}

/** What a request asks for, or why it is none. */
function askedIn(
	request: DeviceAgentRequest,
	from: 'plain' | 'signed',
): { readonly call: DeviceAgentCall; readonly draft: JobDraft } | DeviceAgentFailed {
	const { requestId, capability, args } = request;
	const kind = deviceAgentKindOf(capability);
	if (!kind) return deviceAgentFailed('unknown_capability', `There is no capability ${capability}.`, { requestId });
	const reading = decodeDeviceAgentCall(kind, args, from);
	if ('details' in reading) return invalidRequest(requestId, reading.details);
	const drafting = deviceAgentDraft(request, reading.call);
	if ('details' in drafting) return invalidRequest(requestId, drafting.details);
	return { call: reading.call, draft: drafting.draft };
}

/** A nonce is good once; a request without a time could come back whenever its nonce is forgotten, but for its id. */
function freshnessOf({ nonce, ts }: DeviceAgentRequest): Submission['freshness'] {
	if (nonce === undefined) return undefined;
	return { nonce, expiresAt: ts === undefined ? Date.now() + nonceMs : ts + 2 * deviceAgentAgeMs };
}

/** Which bytes of a file are asked for by whoever fetches them later. */
function partOf({ capability }: JobView, query: PageWords): Part | undefined {
	if (deviceAgentKindOf(capability) !== 'fs.read') return undefined;
	const number = (text: string | undefined) => (/^\d{1,15}$/.test(text ?? '') ? Number(text) : undefined);
	return { offset: number(query.offset) ?? 0, limit: number(query.limit) ?? null };
}

/** What the pipeline threw before there was a job. */
function refusedBy(error: unknown, requestId: string): DeviceAgentFailed {
	if (!KnownError.is(error)) throw error;
	const code = deviceAgentCodeOf(error.problem);
	const { http } = knownErrors[error.code];
	const httpStatus = error.code === 'REQUEST_TOO_LARGE' || error.code === 'AGENT_STOPPING' ? { httpStatus: http } : {};
	return deviceAgentFailed(code, error.problem.message, { requestId, ...httpStatus });
}

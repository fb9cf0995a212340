/** Devices that speak the native protocol: signed, resumable, idempotent; what a person approves is asked for here as well. */
import type { z } from 'zod';
import type { Approval, ApprovalAnswer } from '../../../contract/approval.ts';
import type { JobDraftInput, JobView } from '../../../contract/device-job.ts';
import { KnownError, problemFor } from '../../../contract/error.ts';
import type { PolicyDecision } from '../../../contract/policy.ts';
import { policyDecisionSchema } from '../../../contract/policy.ts';
import { isRemoteOver, type RemoteCommand, type RemoteOutput, type RemoteResult } from '../../../contract/remote.ts';
import {
	approvalListSchema,
	approvalSchema,
	capabilitiesSchema,
	hitsSchema,
	jobViewSchema,
	nativeLimits,
	pageSchema,
} from '../../wire/native.ts';
import { decodeAnswer, pageBytes } from '../../wire/native-codec.ts';
import { nativePath } from '../../wire/native-routes.ts';
import type { Abilities, DeviceClient, DeviceHealth, ReadRequest, Watch } from '../client.ts';
import type { DeviceHttp } from '../http.ts';
import { type Place, remoteResult } from '../remote-result.ts';
import { follow } from './native-watch.ts';
import { type Call, type NativeProof, NativeWire } from './native-wire.ts';

const abilities: Abilities = {
	argv: true,
	cancel: true,
	streams: true,
	exitCode: true,
	pages: true,
	search: true,
	validates: true,
	approvals: true,
	later: true,
	idempotent: true,
};

const usualCapability = 'shell.run';

export class NativeClient implements DeviceClient {
	readonly protocol = 'native';
	readonly abilities = abilities;
	readonly #wire: NativeWire;
	readonly #place: Place;

	constructor(device: string, http: DeviceHttp, proof: NativeProof) {
		this.#place = { device, protocol: 'native' };
		this.#wire = new NativeWire(http, proof);
	}

	/** Handed in first and waited for then, so that an abort always knows what to cancel. */
	async run(asked: RemoteCommand, watch: Watch = {}): Promise<RemoteResult> {
		watch.signal?.throwIfAborted();
		const submitted = await this.#submit(asked);
		if (isSettled(submitted)) return this.#ofJob(submitted);
		return this.#untilSettled(submitted.jobId, Number.POSITIVE_INFINITY, watch);
	}

	async submit(asked: RemoteCommand): Promise<RemoteResult> {
		return this.#ofJob(await this.#submit(asked));
	}

	async status(jobId: string): Promise<RemoteResult> {
		return this.#ofJob(await this.#job(jobId));
	}

	wait(jobId: string, ms: number, watch: Watch = {}): Promise<RemoteResult> {
		return this.#untilSettled(jobId, ms, watch);
	}

	async read(jobId: string, request: ReadRequest): Promise<RemoteOutput> {
		const { stream } = request;
		if (request.how === 'search') return this.#search(jobId, request);
		const path =
			request.how === 'tail'
				? nativePath('tailOutput', { jobId, stream }, { lines: request.lines })
				: nativePath('readOutput', { jobId, stream }, { offset: request.offset, limit: request.limit });
		const page = await this.#get(path, pageSchema);
		const { offset, nextOffset, eof, totalBytes } = page;
		const text = new TextDecoder().decode(pageBytes(page));
		return {
			device: this.#place.device,
			jobId,
			stream,
			text,
			offset,
			nextOffset,
			eof,
			totalBytes,
			hits: null,
			notes: [],
		};
	}

	async cancel(jobId: string): Promise<RemoteResult> {
		return this.#ofJob(await this.#call({ method: 'POST', path: nativePath('cancelJob', { jobId }) }, jobViewSchema));
	}

	async capabilities(): Promise<Readonly<Record<string, unknown>>> {
		return await this.#get(nativePath('getCapabilities'), capabilitiesSchema);
	}

	async health(): Promise<DeviceHealth> {
		const { status, deviceId, version } = await this.#wire.health();
		return { device: this.#place.device, isHealthy: status === 'ok', details: { deviceId, version } };
	}

	validate(asked: RemoteCommand): Promise<PolicyDecision> {
		const body = JSON.stringify({ job: draftOf(asked) });
		return this.#call({ method: 'POST', path: nativePath('explainJob'), body }, policyDecisionSchema);
	}

	async approvals(): Promise<readonly Approval[]> {
		const path = nativePath('listApprovals', {}, { state: 'pending', limit: nativeLimits.listed });
		return (await this.#get(path, approvalListSchema)).approvals;
	}

	approval(approvalId: string): Promise<Approval> {
		return this.#get(nativePath('getApproval', { approvalId }), approvalSchema);
	}

	answer(approvalId: string, answer: ApprovalAnswer): Promise<Approval> {
		const path = nativePath('answerApproval', { approvalId });
		return this.#call({ method: 'POST', path, body: JSON.stringify(answer) }, approvalSchema);
	}

	close(): Promise<void> {
		return this.#wire.close();
	}

	async #submit(asked: RemoteCommand): Promise<JobView> {
		const answer = await this.#wire.submit(draftOf(asked));
		return this.#decode(answer.body, jobViewSchema);
	}

	#job(jobId: string): Promise<JobView> {
		return this.#get(nativePath('getJob', { jobId }), jobViewSchema);
	}

	/** An abort is passed on as a cancel, over a new connection if need be; a device that restarts is waited for. */
	async #untilSettled(jobId: string, ms: number, watch: Watch): Promise<RemoteResult> {
		try {
			const job = await follow(
				{
					job: (left) => this.#waitFor(jobId, left, watch.signal),
					events: (after, signal) => this.#wire.events(jobId, after, signal),
				},
				isSettled,
				ms,
				watch,
			);
			return this.#ofJob(job);
		} catch (error) {
			if (!watch.signal?.aborted) throw error;
			return await this.cancel(jobId);
		}
	}

	#waitFor(jobId: string, ms: number, signal?: AbortSignal): Promise<JobView> {
		const path = nativePath(
			'waitForJob',
			{ jobId },
			{ ms: Math.min(nativeLimits.waitMs, Math.max(0, Math.round(ms))) },
		);
		return this.#call({ method: 'GET', path, waits: true }, jobViewSchema, signal);
	}

	async #search(
		jobId: string,
		{ stream, pattern, most }: Extract<ReadRequest, { how: 'search' }>,
	): Promise<RemoteOutput> {
		const limit = Math.min(nativeLimits.hits, most);
		const { hits, isCut } = await this.#get(
			nativePath('searchOutput', { jobId, stream }, { pattern, limit }),
			hitsSchema,
		);
		const nothing = { text: '', offset: 0, nextOffset: 0, eof: true, totalBytes: null };
		return {
			device: this.#place.device,
			jobId,
			stream,
			...nothing,
			hits,
			notes: isCut ? ['There are more lines than these.'] : [],
		};
	}

	#get<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> {
		return this.#call({ method: 'GET', path }, schema);
	}

	async #call<T extends z.ZodType>(call: Call, schema: T, signal?: AbortSignal): Promise<z.output<T>> {
		return this.#decode((await this.#wire.call(call, signal)).body, schema);
	}

	#decode<T extends z.ZodType>(body: Buffer, schema: T): z.output<T> {
		const answer = decodeAnswer(schema, body);
		if (!answer.ok)
			throw new KnownError('AGENT_UNREACHABLE', {
				details: `${this.#place.device} answered with something else: ${answer.why}`,
			});
		return answer.value;
	}

	#ofJob(job: JobView): RemoteResult {
		const { jobId, approvalId, state, result, output } = job;
		const known = {
			jobId,
			outputBytes: { stdout: output.stdout.totalBytes, stderr: output.stderr.totalBytes },
			approval:
				approvalId !== null && state === 'awaiting_approval'
					? { approvalId, message: `waiting for approval ${approvalId}` }
					: null,
		};
		if (state === 'ended' && result) return remoteResult(this.#place, { ...result, ...known });
		if (state === 'lost')
			return remoteResult(this.#place, { status: 'lost', problem: problemFor('JOB_LOST'), ...known });
		return remoteResult(this.#place, { status: state === 'ended' ? 'broken' : state, ...known });
	}
}

const isSettled = ({ state }: JobView): boolean =>
	state === 'awaiting_approval' || isRemoteOver(state === 'ended' ? 'succeeded' : state);

function draftOf({
	command,
	capability,
	cwd,
	env,
	stdin,
	timeoutMs,
	labels,
	idempotencyKey,
}: RemoteCommand): JobDraftInput {
	return {
		capability: capability ?? usualCapability,
		command,
		env,
		labels,
		idempotencyKey,
		...(cwd !== undefined && { cwd }),
		...(stdin !== undefined && { stdin }),
		...(timeoutMs !== undefined && { timeoutMs }),
	};
}

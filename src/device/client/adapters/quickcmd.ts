/** Devices that speak QuickCMD's protocol, ours and originals: signed jobs that are asked for until they are over, and one stream at most. */
import { setTimeout as sleep } from 'node:timers/promises';
import { KnownError } from '../../../contract/error.ts';
import {
	isRemoteOver,
	isRemoteSettled,
	type RemoteCommand,
	type RemoteOutput,
	type RemoteResult,
} from '../../../contract/remote.ts';
import { encodeQuickCmdRequest, type QuickCmdPayload, quickCmdCancel, quickCmdPaths } from '../../wire/quickcmd.ts';
import {
	decodeQuickCmdAccepted,
	decodeQuickCmdFrame,
	decodeQuickCmdJob,
	type QuickCmdJob,
	type QuickCmdRefused,
} from '../../wire/quickcmd-answer.ts';
import type { Abilities, DeviceClient, DeviceHealth, ReadRequest, Watch } from '../client.ts';
import { commandLine, refuseParts, unsupported } from '../command-line.ts';
import { type DeviceHttp, isNeverSent } from '../http.ts';
import { jobIdFor } from '../job-id.ts';
import { poll } from '../poll.ts';
import { resultOfRefusal } from '../refusal.ts';
import { type Place, remoteProblem, remoteResult } from '../remote-result.ts';
import { quickCmdEnd } from './quickcmd-end.ts';

const abilities: Abilities = {
	argv: false,
	cancel: true,
	streams: true,
	exitCode: true,
	pages: false,
	search: false,
	validates: false,
	approvals: false,
	later: true,
	idempotent: false,
};

const askMs = 30_000;
const runMs = 3_600_000 + 60_000;
/** How long a signed job may be on its way. */
const ttlSeconds = 300;
/** How long a stream may go on after the job is over. */
const lastWordsMs = 2_000;
/** An original says that a job is over a moment before it has the result. */
const resultMs = 200;
const noCancel = 'An original agent cannot cancel; the command goes on until its own limit.';
const cutStream = 'The stream ended before the job did; what was shown live is not all of it.';

export interface QuickCmdProof {
	readonly secret: string;
	readonly controllerId: string;
	readonly origin?: string | undefined;
}

export class QuickCmdClient implements DeviceClient {
	readonly protocol = 'quickcmd';
	readonly abilities = abilities;
	readonly #http: DeviceHttp;
	readonly #proof: QuickCmdProof;
	readonly #place: Place;

	constructor(device: string, http: DeviceHttp, proof: QuickCmdProof) {
		this.#place = { device, protocol: 'quickcmd' };
		this.#http = http;
		this.#proof = proof;
	}

	async run(asked: RemoteCommand, watch: Watch = {}): Promise<RemoteResult> {
		const submitted = await this.submit(asked);
		if (submitted.jobId === null || isRemoteSettled(submitted.status)) return submitted;
		return this.wait(submitted.jobId, runMs, watch);
	}

	async submit(asked: RemoteCommand): Promise<RemoteResult> {
		refuseParts(asked, 'QuickCMD', ['env', 'stdin', 'capability', 'shell', 'timeoutMs']);
		const payload = this.#payload(commandLine(asked), jobIdFor(asked));
		const answer = await this.#post(quickCmdPaths.jobs, payload).catch((error: unknown) => this.#unanswered(error));
		if ('device' in answer) return answer;
		const accepted = decodeQuickCmdAccepted(answer.status, answer.body);
		if (!accepted) throw this.#stranger();
		if (accepted.kind === 'refused')
			return isThereAlready(accepted) ? this.status(payload.jobId) : this.#ofRefused(accepted);
		return this.#ofJob({
			...accepted,
			kind: 'job',
			result: null,
			status: accepted.status === 'running' ? 'running' : 'pending',
		});
	}

	async status(jobId: string): Promise<RemoteResult> {
		const job = await this.#job(jobId);
		if (job.result !== null || job.status === 'pending' || job.status === 'running') return this.#ofJob(job);
		await sleep(resultMs);
		return this.#ofJob(await this.#job(jobId));
	}

	/** Shows what the stream tells and believes what the status says. */
	async wait(jobId: string, ms: number, watch: Watch = {}): Promise<RemoteResult> {
		const stream = watch.onOutput && this.#stream(jobId, watch.onOutput);
		try {
			const result = await poll(
				() => this.status(jobId),
				({ status }) => isRemoteSettled(status),
				ms,
				watch.signal,
			);
			const isCut = stream !== undefined && isRemoteOver(result.status) && !(await endedSoon(stream.ended));
			return isCut ? { ...result, notes: [...result.notes, cutStream] } : result;
		} catch (error) {
			if (!watch.signal?.aborted) throw error;
			return await this.cancel(jobId);
		} finally {
			stream?.close();
		}
	}

	async read(jobId: string, request: ReadRequest): Promise<RemoteOutput> {
		if (request.how !== 'page') throw unsupported(request.how, 'QuickCMD');
		const { stdout, stderr, status } = await this.status(jobId);
		const bytes = Buffer.from(request.stream === 'stdout' ? stdout : stderr);
		const page = bytes.subarray(request.offset, request.offset + request.limit);
		const nextOffset = request.offset + page.length;
		return {
			device: this.#place.device,
			jobId,
			stream: request.stream,
			text: page.toString(),
			offset: request.offset,
			nextOffset,
			eof: isRemoteOver(status) && nextOffset >= bytes.length,
			totalBytes: bytes.length,
			hits: null,
			notes: [],
		};
	}

	async cancel(jobId: string): Promise<RemoteResult> {
		const now = Math.floor(Date.now() / 1000);
		const { controllerId } = this.#proof;
		const payload = quickCmdCancel({ jobId, controllerId, timestamp: now, ttl: now + ttlSeconds });
		const { status, body } = await this.#post(path('cancel', jobId), payload);
		if (status === 404 || status === 405)
			return remoteProblem(
				this.#place,
				'cancelled',
				'JOB_CANCELLED',
				{},
				{ jobId, reliability: 'best_effort', notes: [noCancel] },
			);
		const accepted = decodeQuickCmdAccepted(status, body);
		if (!accepted) throw this.#stranger();
		if (accepted.kind === 'refused') return this.#ofRefused(accepted);
		return poll(
			() => this.status(jobId),
			(result) => isRemoteOver(result.status),
			askMs,
		);
	}

	async capabilities(): Promise<Readonly<Record<string, unknown>>> {
		return { protocol: 'quickcmd', controllerId: this.#proof.controllerId };
	}

	async health(): Promise<DeviceHealth> {
		const { status, body } = await this.#http.send({ method: 'GET', path: '/health', timeoutMs: askMs });
		return {
			device: this.#place.device,
			isHealthy: status === 200,
			details: { answer: body.toString().slice(0, 200) },
		};
	}

	async validate(): Promise<never> {
		throw unsupported('validate', 'QuickCMD');
	}

	async approvals(): Promise<never> {
		throw unsupported('approvals', 'QuickCMD');
	}

	async approval(): Promise<never> {
		throw unsupported('approval', 'QuickCMD');
	}

	async answer(): Promise<never> {
		throw unsupported('answer', 'QuickCMD');
	}

	close(): Promise<void> {
		return this.#http.close();
	}

	async #job(jobId: string): Promise<QuickCmdJob> {
		const { status, body } = await this.#http.send({ method: 'GET', path: path('job', jobId), timeoutMs: askMs });
		const job = decodeQuickCmdJob(status, body);
		if (!job) throw this.#stranger();
		if (job.kind === 'refused') throw refusedRead(job);
		return job;
	}

	#withoutResult(jobId: string): RemoteResult {
		const context = { details: 'it tells no result', ran: 'How the command ended is not known' };
		return remoteProblem(this.#place, 'broken', 'DEVICE_FAILED', context, { jobId, reliability: 'best_effort' });
	}

	#payload(command: string, jobId: string): QuickCmdPayload {
		const now = Math.floor(Date.now() / 1000);
		return {
			jobId,
			prompt: '',
			command,
			candidateMetadata: {},
			pluginMetadata: {},
			requiredScopes: [],
			snapshotMetadata: '',
			ttl: now + ttlSeconds,
			timestamp: now,
			controllerId: this.#proof.controllerId,
		};
	}

	async #post(where: string, payload: QuickCmdPayload) {
		const body = encodeQuickCmdRequest(payload, this.#proof.secret);
		const headers = { 'content-type': 'application/json' };
		return await this.#http.send({ method: 'POST', path: where, headers, body, timeoutMs: askMs });
	}

	#unanswered(error: unknown): RemoteResult {
		if (!KnownError.is(error) || error.code !== 'AGENT_UNREACHABLE' || isNeverSent(error)) throw error;
		const notes = ['The answer never came; the command may run, so it was not sent again.'];
		return remoteResult(this.#place, {
			status: 'unreachable',
			problem: error.problem,
			reliability: 'best_effort',
			notes,
		});
	}

	#stranger(): KnownError {
		return new KnownError('AGENT_UNREACHABLE', { details: 'what answers there does not speak QuickCMD' });
	}

	/** The policy has no word at this place; who is refused here may not send the job. */
	#ofRefused({ httpStatus, error, details }: QuickCmdRefused): RemoteResult {
		if (httpStatus === 401) throw new KnownError('AUTH_REQUIRED', {}, { cause: new Error(details ?? error) });
		if (httpStatus === 403) throw new KnownError('AUTH_FORBIDDEN', { details: (details ?? error).replace(/\.$/, '') });
		return resultOfRefusal(this.#place, { httpStatus, why: details ?? error, protocol: 'QuickCMD' });
	}

	/** `completed` says only that it ran; the exit code says how. */
	#ofJob({ jobId, status, result, message }: QuickCmdJob): RemoteResult {
		const approvalId = /^approval required: (\S+)$/.exec(message ?? '')?.[1];
		if (status === 'pending' && approvalId !== undefined)
			return remoteResult(this.#place, {
				...{ status: 'awaiting_approval', jobId },
				approval: { approvalId, message: `waiting for approval ${approvalId}` },
			});
		if (status === 'pending' || status === 'running')
			return remoteResult(this.#place, { status: status === 'pending' ? 'queued' : 'running', jobId });
		if (!result) return this.#withoutResult(jobId);
		return remoteResult(this.#place, {
			...quickCmdEnd({ ...result, status }),
			jobId,
			stdout: result.stdout,
			stderr: result.stderr,
			durationMs: result.durationMs,
			truncated: { stdout: result.isTruncated === true, stderr: false },
		});
	}

	/** One stream for each job: two would share its frames with an original. */
	#stream(jobId: string, onOutput: NonNullable<Watch['onOutput']>) {
		const { origin, controllerId } = this.#proof;
		const socket = this.#http.socket(path('stream', jobId), { origin: origin ?? controllerId });
		const ended = new Promise<boolean>((resolve) => {
			socket.addEventListener('message', ({ data }) => {
				const frame = decodeQuickCmdFrame(String(data));
				if (frame?.isFinal) resolve(true);
				else if (frame && frame.stream !== '') onOutput(frame.stream, frame.data);
			});
			// An original drops the connection after its last frame, without a word.
			socket.addEventListener('close', () => resolve(false));
			socket.addEventListener('error', () => resolve(false));
		});
		return { ended, close: () => socket.terminate() };
	}
}

/** What was printed is told before the end is; a device that keeps its stream open keeps nobody waiting. */
const endedSoon = (ended: Promise<boolean>): Promise<boolean> =>
	Promise.race([ended, sleep(lastWordsMs, false, { ref: false })]);

/** Signed again a second later it is another payload to the device; under this id it can be no other command. */
const isThereAlready = ({ httpStatus }: QuickCmdRefused): boolean => httpStatus === 409;

const path = (name: 'job' | 'cancel' | 'stream', jobId: string): string =>
	quickCmdPaths[name].replace(':id', encodeURIComponent(jobId));

function refusedRead({ httpStatus, error }: QuickCmdRefused): KnownError {
	if (httpStatus === 404) return new KnownError('JOB_NOT_FOUND');
	if (httpStatus === 401 || httpStatus === 403) return new KnownError('AUTH_REQUIRED');
	return new KnownError('AGENT_UNREACHABLE', { details: `it answered with ${httpStatus}: ${error}` });
}

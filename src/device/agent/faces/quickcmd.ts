/** The face that speaks QuickCMD's Remote Agent: signed jobs, their status, their stream, health and four figures. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isOver, type JobDraft, type JobView } from '../../../contract/device-job.ts';
import { KnownError } from '../../../contract/error.ts';
import { may, type Principal } from '../../../contract/principal.ts';
import {
	decodeQuickCmdRequest,
	isQuickCmdCancel,
	type QuickCmdPayload,
	quickCmdPaths,
	quickCmdSignedText,
} from '../../wire/quickcmd.ts';
import {
	encodeQuickCmdAccepted,
	encodeQuickCmdHealth,
	encodeQuickCmdJob,
	encodeQuickCmdMetrics,
	encodeQuickCmdRefused,
	type QuickCmdHttpAnswer,
	type QuickCmdRefused,
	type QuickCmdStatus,
	quickCmdRefusals,
	quickCmdRefused,
	quickCmdText,
} from '../../wire/quickcmd-answer.ts';
import type { Face, FaceParts } from '../face.ts';
import { answerFailures, bodyOf, type Failure, ignoreContentType, takeBytes } from './http.ts';
import { peerOf } from './peer.ts';
import { checkQuickCmd } from './quickcmd-check.ts';
import { QuickCmdReads } from './quickcmd-reads.ts';
import { quickCmdMessageOf, quickCmdResultOf, quickCmdStatusOf } from './quickcmd-status.ts';
import { QuickCmdStreams } from './quickcmd-stream.ts';
import { lastText } from './stored-text.ts';

/** Of each stream, in the result of a job; the stream of the job has all of it. */
const resultBytes = 4 * 1024 * 1024;

export const quickCmdFace: Face = {
	name: 'quickcmd',
	routes: [
		`POST ${quickCmdPaths.jobs}`,
		`POST ${quickCmdPaths.cancel}`,
		`GET ${quickCmdPaths.job}`,
		`GET ${quickCmdPaths.stream}`,
		'ANY /health',
		'ANY /metrics',
	],
	register(app, parts) {
		const reads = new QuickCmdReads(parts);
		app.register(async (scope) => new QuickCmdRoutes(parts, reads).addTo(scope));
		const streams = new QuickCmdStreams(parts, reads);
		return { upgrade: (...of) => streams.upgrade(...of) };
	},
};

interface Asked {
	readonly Params: { readonly id: string };
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

class QuickCmdRoutes {
	readonly #parts: FaceParts;
	readonly #reads: QuickCmdReads;

	constructor(parts: FaceParts, reads: QuickCmdReads) {
		this.#parts = parts;
		this.#reads = reads;
	}

	addTo(scope: FastifyInstance): void {
		const { log, config } = this.#parts;
		takeBytes(scope);
		answerFailures(scope, quickCmdFace, log, (reply, failure) =>
			send(reply, encodeQuickCmdRefused(refusedBy(failure))),
		);
		const options = { bodyLimit: config.limits.bodyBytes, onRequest: ignoreContentType };
		const { jobs, cancel, job, stream } = quickCmdPaths;
		scope.post(jobs, options, async (request, reply) => send(reply, await this.#submit(request)));
		scope.post<Asked>(cancel, options, async (request, reply) => send(reply, await this.#cancel(request)));
		scope.get<Asked>(job, async (request, reply) => send(reply, await this.#status(request)));
		scope.get<Asked>(stream, async (request, reply) => send(reply, this.#noUpgrade(request)));
		scope.all('/health', options, async (_request, reply) => send(reply, encodeQuickCmdHealth(nowSeconds())));
		scope.all('/metrics', options, async (request, reply) => send(reply, this.#metrics(request)));
	}

	async #submit(request: FastifyRequest): Promise<QuickCmdHttpAnswer> {
		const read = this.#readSigned(request);
		if ('refused' in read) return encodeQuickCmdRefused(read.refused);
		const { payload, principal } = read;
		if (payload.command === '') return encodeQuickCmdRefused(quickCmdRefusals.invalidJob('command is empty'));
		const { jobs } = this.#parts;
		const isResent = jobs.findByClientId(principal, 'quickcmd', payload.jobId) !== undefined;
		const job = await jobs
			.submit(principal, {
				face: 'quickcmd',
				clientId: payload.jobId,
				draft: draftOf(payload),
				compat: { prompt: payload.prompt, snapshot: payload.snapshotMetadata },
			})
			.catch(refusalOf);
		if ('kind' in job) return encodeQuickCmdRefused(job);
		return accepted(payload.jobId, job, isResent ? quickCmdStatusOf(job) : 'pending');
	}

	async #cancel(request: FastifyRequest<Asked>): Promise<QuickCmdHttpAnswer> {
		if (bodyOf(request).length === 0) return this.#unsigned(request);
		const read = this.#readSigned(request);
		if ('refused' in read) return encodeQuickCmdRefused(read.refused);
		const { payload, principal } = read;
		if (!isQuickCmdCancel(payload) || payload.jobId !== request.params.id)
			return encodeQuickCmdRefused(quickCmdRefusals.invalidJob('this is no cancel of this job'));
		const { jobs } = this.#parts;
		const job = may(principal, 'cancel') ? jobs.findByClientId(principal, 'quickcmd', payload.jobId) : undefined;
		if (!job) return encodeQuickCmdRefused(quickCmdRefusals.notFound());
		const ended = isOver(job.state) ? job : await jobs.cancel(principal, job.jobId);
		return accepted(payload.jobId, ended, quickCmdStatusOf(ended), 200);
	}

	/** What has no body has no signature. */
	#unsigned({ raw }: FastifyRequest<Asked>): QuickCmdHttpAnswer {
		this.#parts.keys.refused('quickcmd', 'signature', peerOf(raw.socket));
		return encodeQuickCmdRefused(quickCmdRefusals.invalidSignature());
	}

	#readSigned(
		request: FastifyRequest,
	): { readonly payload: QuickCmdPayload; readonly principal: Principal } | { readonly refused: QuickCmdRefused } {
		const reading = decodeQuickCmdRequest(bodyOf(request));
		if ('details' in reading) return { refused: quickCmdRefusals.invalidJson(reading.details) };
		const { keys, config, capabilities } = this.#parts;
		const peer = peerOf(request.raw.socket);
		const checked = checkQuickCmd(reading.signed, {
			keys: keys.candidates('quickcmd', 'hmac'),
			settings: config.quickcmd,
			deviceId: config.device.id,
			capabilities: capabilities().map(({ name }) => name),
			now: nowSeconds(),
		});
		if ('principal' in checked) return { payload: reading.signed.payload, principal: { ...checked.principal, peer } };
		if (checked.reason !== null) keys.refused('quickcmd', checked.reason, peer);
		return { refused: checked.refused };
	}

	async #status({ raw, params }: FastifyRequest<Asked>): Promise<QuickCmdHttpAnswer> {
		const reader = this.#reads.readerOf(raw);
		if (reader === 'nobody') return encodeQuickCmdRefused(quickCmdRefusals.unauthorized());
		const job = this.#reads.find(raw, reader, params.id);
		if (!job) return encodeQuickCmdRefused(quickCmdRefusals.notFound());
		const result = isOver(job.state) ? await this.#resultOf(job) : null;
		const [status, message] = [quickCmdStatusOf(job), quickCmdMessageOf(job)];
		return encodeQuickCmdJob({ kind: 'job', jobId: params.id, status, result, message });
	}

	/** A stream that is asked for without an upgrade: the original looks for the job first. */
	#noUpgrade({ raw, params }: FastifyRequest<Asked>): QuickCmdHttpAnswer {
		const reader = this.#reads.readerOf(raw);
		if (reader === 'nobody') return encodeQuickCmdRefused(quickCmdRefusals.unauthorized());
		const isThere = this.#reads.find(raw, reader, params.id) !== undefined;
		return isThere ? quickCmdText(400, 'Bad Request') : encodeQuickCmdRefused(quickCmdRefusals.notFound());
	}

	async #resultOf(job: JobView) {
		const read = (stream: 'stdout' | 'stderr') =>
			lastText(this.#parts.jobs, job.jobId, stream, job.output[stream].storedBytes, resultBytes);
		const [stdout, stderr] = [await read('stdout'), await read('stderr')];
		const { snapshot = '' } = this.#parts.jobs.compatOf(job.jobId) ?? {};
		const isCut = stdout.isCut || stderr.isCut;
		return quickCmdResultOf(job, { snapshot, stdout: stdout.text, stderr: stderr.text, isCut });
	}

	/** Figures without names; in the strict mode they need a proof like every read. */
	#metrics({ raw }: FastifyRequest): QuickCmdHttpAnswer {
		if (this.#reads.readerOf(raw) === 'nobody') return encodeQuickCmdRefused(quickCmdRefusals.unauthorized());
		return {
			httpStatus: 200,
			contentType: 'text/plain; version=0.0.4; charset=utf-8',
			body: encodeQuickCmdMetrics(this.#parts.counts()),
		};
	}
}

/** A job that is new has not begun, whatever became of it since. */
const accepted = (jobId: string, job: JobView, status: QuickCmdStatus, httpStatus = 202): QuickCmdHttpAnswer =>
	encodeQuickCmdAccepted({ kind: 'accepted', jobId, status, message: quickCmdMessageOf(job) }, httpStatus);

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The same payload is the same job, whenever and with whichever secret it is signed again. */
function draftOf(payload: QuickCmdPayload): JobDraft {
	const image = imageIn(payload.pluginMetadata) ?? imageIn(payload.candidateMetadata);
	return {
		capability: 'shell.run.quickcmd',
		command: { mode: 'script', script: payload.command, shell: 'auto' },
		env: {},
		...(image !== undefined && { image }),
		labels: payload.prompt === '' ? {} : { promptDigest: digestOf(payload.prompt) },
		idempotencyKey: `${payload.jobId}:${digestOf(quickCmdSignedText(payload))}`,
	};
}

/** Whether it may be used is the policy's word. */
function imageIn(metadata: QuickCmdPayload['pluginMetadata']): string | undefined {
	const image = metadata !== null && Object.hasOwn(metadata, 'image') ? metadata.image : undefined;
	return typeof image === 'string' && image !== '' ? image : undefined;
}

/** What the original's client tries again is 5xx, and only that: so a full queue is 503, and too much of one sender is not. */
function refusalOf(error: unknown): QuickCmdRefused {
	if (!KnownError.is(error)) throw error;
	const { code, problem } = error;
	if (code === 'REQUEST_REPLAYED')
		return quickCmdRefusals.replayed('job_id was used for another payload; take a new one');
	if (code === 'AUTH_FORBIDDEN') return quickCmdRefusals.insufficientScopes();
	if (code === 'QUEUE_FULL' || code === 'AGENT_STOPPING')
		return quickCmdRefused(503, 'Agent overloaded', problem.message);
	throw error;
}

function refusedBy({ httpStatus, error, reason }: Failure): QuickCmdRefused {
	if (httpStatus === 400) return quickCmdRefusals.invalidJson(reason ?? error);
	if (httpStatus === 404) return quickCmdRefused(404, '404 page not found');
	return httpStatus === 405 ? quickCmdRefusals.methodNotAllowed() : quickCmdRefused(httpStatus, error, reason);
}

function send(reply: FastifyReply, { httpStatus, contentType, body }: QuickCmdHttpAnswer): FastifyReply {
	// As bytes, so that nothing is added to the type.
	return reply.code(httpStatus).header('content-type', contentType).send(Buffer.from(body));
}

/** Signed requests of the native protocol over the connections of one device; the device's own clock is the one that counts. */
import type { JobDraftInput, JobEvent } from '../../../contract/device-job.ts';
import { jobEventSchema } from '../../../contract/device-job.ts';
import { type ErrorCode, KnownError, knownErrors } from '../../../contract/error.ts';
import { errorSchema, healthSchema } from '../../wire/native.ts';
import { decodeAnswer } from '../../wire/native-codec.ts';
import { nativePath } from '../../wire/native-routes.ts';
import { type SigningKey, signJob, signRequest } from '../../wire/native-sign.ts';
import { SseReader, sseType } from '../../wire/sse.ts';
import type { DeviceHttp, HttpAnswer } from '../http.ts';

export type NativeProof = { readonly key: SigningKey } | { readonly token: string };

export interface Call {
	readonly method: 'GET' | 'POST';
	readonly path: string;
	readonly body?: string;
	/** The device answers only when something has happened, within its longest wait. */
	readonly waits?: boolean;
}

type Health = ReturnType<typeof healthSchema.parse>;

const askMs = 30_000;
const waitingMs = 90_000;
const leastMs = 1_000;
/** What a handed in job is sent again for: the connection broke, and the key of idempotency makes both the same job. */
const tries = 3;

export class NativeWire {
	readonly #http: DeviceHttp;
	readonly #proof: NativeProof;
	#device: Promise<{ readonly id: string; readonly aheadMs: number }> | undefined;

	constructor(http: DeviceHttp, proof: NativeProof) {
		this.#http = http;
		this.#proof = proof;
	}

	async health(): Promise<Health> {
		const answer = await this.#http.send({ method: 'GET', path: nativePath('getHealth'), timeoutMs: askMs });
		const health = answer.status === 200 ? decodeAnswer(healthSchema, answer.body) : undefined;
		if (health?.ok) return health.value;
		throw new KnownError('AGENT_UNREACHABLE', { details: 'what answers there is no agent of the native protocol' });
	}

	/** The same job however often it is sent; a device that is silent is not asked for longer because it is asked again. */
	async submit(job: JobDraftInput): Promise<HttpAnswer> {
		if (!('key' in this.#proof))
			throw new KnownError('AUTH_FORBIDDEN', { details: 'jobs must be signed, and this credential holds a token' });
		const deadline = performance.now() + askMs;
		for (let attempt = 1; ; attempt++) {
			const { id, aheadMs } = await this.#knownDevice();
			const body = signJob(this.#proof.key, id, job, { now: Date.now() + aheadMs });
			try {
				return await this.#answered({
					...{ method: 'POST' as const, path: nativePath('submitJob'), body },
					headers: { 'content-type': 'application/jose' },
					timeoutMs: Math.max(leastMs, deadline - performance.now()),
				});
			} catch (error) {
				if (attempt === tries || performance.now() >= deadline || !isWorthAnother(error)) throw error;
				this.#device = undefined;
			}
		}
	}

	async call({ method, path, body, waits }: Call, signal?: AbortSignal): Promise<HttpAnswer> {
		const headers = {
			...(await this.#authorization(method, path, body)),
			...(body !== undefined && { 'content-type': 'application/json' }),
		};
		return this.#answered({ method, path, body, headers, timeoutMs: waits ? waitingMs : askMs, signal });
	}

	/** Events after a number; ends with the connection or with the job. */
	async *events(jobId: string, after: number, signal: AbortSignal): AsyncGenerator<JobEvent> {
		const path = nativePath('watchJob', { jobId }, { after });
		const headers = { ...(await this.#authorization('GET', path)), accept: sseType };
		const { status, body } = await this.#http.stream({ method: 'GET', path, headers, timeoutMs: askMs, signal });
		if (status !== 200) {
			// Whoever refuses may not end its words.
			body.on('error', () => {}).destroy();
			return;
		}
		const reader = new SseReader();
		const decoder = new TextDecoder();
		for await (const chunk of body as AsyncIterable<Buffer>)
			for (const { data } of reader.push(decoder.decode(chunk, { stream: true }))) {
				const event = decodeAnswer(jobEventSchema, Buffer.from(data));
				if (event.ok) yield event.value;
			}
	}

	close(): Promise<void> {
		return this.#http.close();
	}

	async #answered(request: Parameters<DeviceHttp['send']>[0]): Promise<HttpAnswer> {
		const answer = await this.#http.send(request);
		if (answer.status >= 200 && answer.status < 300) return answer;
		throw faultOfAnswer(answer);
	}

	async #authorization(method: 'GET' | 'POST', path: string, body?: string): Promise<{ authorization: string }> {
		if ('token' in this.#proof) return { authorization: `Bearer ${this.#proof.token}` };
		const { id, aheadMs } = await this.#knownDevice();
		return { authorization: signRequest(this.#proof.key, id, { method, path, body }, { now: Date.now() + aheadMs }) };
	}

	/** Asked once; what fails is not kept. */
	#knownDevice() {
		this.#device ??= this.health().then(
			({ deviceId, time }) => ({ id: deviceId, aheadMs: time - Date.now() }),
			(error: unknown) => {
				this.#device = undefined;
				throw error;
			},
		);
		return this.#device;
	}
}

/** A clock that was set meanwhile is asked for again; nothing else that was refused becomes right by asking again. */
const isWorthAnother = (error: unknown): boolean =>
	KnownError.is(error) && (['AGENT_UNREACHABLE', 'AUTH_STALE'] as string[]).includes(error.code);

/** The device's own words, where they are of our table. */
function faultOfAnswer({ status, body }: HttpAnswer): KnownError {
	const answer = decodeAnswer(errorSchema, body);
	const problem = answer.ok ? answer.value.error : undefined;
	if (problem && Object.hasOwn(knownErrors, problem.code))
		return new KnownError(problem.code as ErrorCode, {}, { problem });
	if (status === 401) return new KnownError('AUTH_REQUIRED');
	return new KnownError('AGENT_UNREACHABLE', { details: problem?.message ?? `it answered with ${status}` });
}

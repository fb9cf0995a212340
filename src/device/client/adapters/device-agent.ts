/** Devices that speak the capability protocol of device_agent: a call lasts as long as its command; approval is an answer like another. */
import { createHash, createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { KnownError, problemFor } from '../../../contract/error.ts';
import {
	isRemoteOver,
	isRemoteSettled,
	type RemoteCommand,
	type RemoteOutput,
	type RemoteResult,
} from '../../../contract/remote.ts';
import {
	type DeviceAgentRequest,
	deviceAgentPaths,
	encodeDeviceAgentRequest,
	signDeviceAgentRequest,
} from '../../wire/device-agent.ts';
import {
	type DeviceAgentAnswer,
	type DeviceAgentFailed,
	type DeviceAgentResult,
	decodeDeviceAgentAnswer,
	decodeDeviceAgentCapabilities,
	decodeDeviceAgentHealth,
} from '../../wire/device-agent-answer.ts';
import { encodeDeviceAgentArgs } from '../../wire/device-agent-call.ts';
import type { Abilities, DeviceClient, DeviceHealth, ReadRequest, Watch } from '../client.ts';
import { refuseParts, unsupported } from '../command-line.ts';
import { type DeviceHttp, type HttpAnswer, isNeverSent } from '../http.ts';
import { poll } from '../poll.ts';
import { deniedByPolicy, deviceFailed } from '../refusal.ts';
import { type KnownOfJob, type Place, remoteProblem, remoteResult } from '../remote-result.ts';
import { signalName } from '../signals.ts';

const abilities: Abilities = {
	argv: true,
	cancel: true,
	streams: false,
	exitCode: true,
	pages: false,
	search: false,
	validates: false,
	approvals: false,
	later: false,
	idempotent: true,
};

const askMs = 30_000;
/** A call lasts as long as its command; the device's own limit ends it before. */
const callMs = 3_600_000 + 60_000;
const goesOn = 'This device cannot cancel: the command may go on on the device until its own limit.';
const ownTime = 'This protocol has the time limit of the device; the one that was asked for could not be passed on.';

export interface DeviceAgentKeys {
	readonly token?: string | undefined;
	readonly key?: string | undefined;
	readonly keyId?: string | undefined;
}

export class DeviceAgentClient implements DeviceClient {
	readonly protocol = 'device';
	readonly abilities = abilities;
	readonly #http: DeviceHttp;
	readonly #token: string | undefined;
	readonly #signer: { readonly key: KeyObject; readonly keyId: string } | undefined;
	readonly #place: Place;

	constructor(device: string, http: DeviceHttp, { token, key, keyId }: DeviceAgentKeys) {
		this.#place = { device, protocol: 'device' };
		this.#http = http;
		this.#token = token;
		this.#signer = key ? { key: readKey(key), keyId: keyId ?? '' } : undefined;
	}

	async run(asked: RemoteCommand, { signal }: Watch = {}): Promise<RemoteResult> {
		refuseParts(asked, 'device_agent', ['env', 'stdin']);
		const request = requestFor(asked);
		const answer = await this.#post(request, signal).catch((error: unknown) =>
			signal?.aborted ? this.#withdraw(request.requestId) : this.#unanswered(error),
		);
		if ('device' in answer) return answer;
		const result = this.#ofAnswer(request.requestId, await this.#known(request, answer));
		return asked.timeoutMs === undefined ? result : { ...result, notes: [...result.notes, ownTime] };
	}

	/** There is no later in this protocol, so the command is waited for. */
	submit(asked: RemoteCommand): Promise<RemoteResult> {
		return this.run(asked);
	}

	async status(jobId: string): Promise<RemoteResult> {
		const path = deviceAgentPaths.result.replace(':id', encodeURIComponent(jobId));
		return this.#ofAnswer(jobId, this.#read(await this.#send('GET', path)));
	}

	wait(jobId: string, ms: number, { signal }: Watch = {}): Promise<RemoteResult> {
		return poll(
			() => this.status(jobId),
			({ status }) => isRemoteSettled(status),
			ms,
			signal,
		);
	}

	async read(jobId: string, request: ReadRequest): Promise<RemoteOutput> {
		if (request.how !== 'page') throw unsupported(request.how, 'device_agent');
		const { stdout, stderr, status } = await this.status(jobId);
		const bytes = Buffer.from(request.stream === 'stdout' ? stdout : stderr);
		const page = bytes.subarray(request.offset, request.offset + request.limit);
		const nextOffset = request.offset + page.length;
		const where = { device: this.#place.device, jobId, stream: request.stream };
		const eof = isRemoteOver(status) && nextOffset >= bytes.length;
		return {
			...where,
			text: page.toString(),
			offset: request.offset,
			nextOffset,
			eof,
			totalBytes: bytes.length,
			hits: null,
			notes: [],
		};
	}

	/** Our agent has a way to cancel; an original does not, and then it is said. */
	async cancel(jobId: string): Promise<RemoteResult> {
		const path = deviceAgentPaths.cancel.replace(':id', encodeURIComponent(jobId));
		const answer = await this.#send('POST', path, '{}');
		if (answer.status === 404 || answer.status === 405) throw unsupported('cancel', 'device_agent');
		return this.#ofAnswer(jobId, this.#read(answer));
	}

	async capabilities(): Promise<Readonly<Record<string, unknown>>> {
		const { status, body } = await this.#send('GET', deviceAgentPaths.capabilities);
		const capabilities = status === 200 ? decodeDeviceAgentCapabilities(body) : undefined;
		if (capabilities) return { protocol: 'device', capabilities };
		throw status === 401 ? new KnownError('AUTH_REQUIRED') : this.#stranger();
	}

	async health(): Promise<DeviceHealth> {
		const { status, body } = await this.#send('GET', deviceAgentPaths.health);
		const health = status === 200 ? decodeDeviceAgentHealth(body) : undefined;
		if (!health) throw this.#stranger();
		return {
			device: this.#place.device,
			isHealthy: health.isOk,
			details: { deviceId: health.deviceId, version: health.version },
		};
	}

	async validate(): Promise<never> {
		throw unsupported('validate', 'device_agent');
	}

	async approvals(): Promise<never> {
		throw unsupported('approvals', 'device_agent');
	}

	async approval(): Promise<never> {
		throw unsupported('approval', 'device_agent');
	}

	async answer(): Promise<never> {
		throw unsupported('answer', 'device_agent');
	}

	close(): Promise<void> {
		return this.#http.close();
	}

	#send(method: 'GET' | 'POST', path: string, body?: string, signal?: AbortSignal): Promise<HttpAnswer> {
		const headers = {
			...(this.#token && { authorization: `Bearer ${this.#token}` }),
			...(body !== undefined && { 'content-type': 'application/json' }),
		};
		return this.#http.send({ method, path, headers, body, signal, timeoutMs: method === 'POST' ? callMs : askMs });
	}

	#post(request: DeviceAgentRequest, signal?: AbortSignal): Promise<HttpAnswer> {
		const fresh = { ...request, ts: Date.now(), nonce: randomBytes(16).toString('base64url') };
		const body = this.#signer
			? signDeviceAgentRequest(fresh, this.#signer.keyId, this.#signer.key)
			: encodeDeviceAgentRequest(fresh);
		return this.#send('POST', deviceAgentPaths.submit, body, signal);
	}

	/** A retry of n8n sends the same request id: the device has the answer and runs nothing again. */
	async #known({ requestId }: DeviceAgentRequest, answer: HttpAnswer): Promise<DeviceAgentAnswer> {
		const first = this.#read(answer);
		if (first.kind !== 'failed' || first.code !== 'nonce_reused') return first;
		const path = deviceAgentPaths.result.replace(':id', encodeURIComponent(requestId));
		return this.#read(await this.#send('GET', path));
	}

	#read({ status, body }: HttpAnswer): DeviceAgentAnswer {
		const answer = decodeDeviceAgentAnswer(status, body);
		if (status === 401) throw new KnownError('AUTH_REQUIRED');
		if (!answer) throw this.#stranger();
		return answer;
	}

	#stranger(): KnownError {
		return new KnownError('AGENT_UNREACHABLE', {
			details: 'what answers there does not speak the protocol of device_agent',
		});
	}

	/** The connection of the call is gone with the abort; the cancel goes over another one. */
	#withdraw(requestId: string): Promise<RemoteResult> {
		return this.cancel(requestId).catch((error: unknown) => {
			if (!KnownError.is(error)) throw error;
			const uncertain = { jobId: requestId, reliability: 'best_effort', notes: [goesOn] } as const;
			return remoteProblem(
				this.#place,
				'cancelled',
				'JOB_CANCELLED',
				{},
				{ ...uncertain, notes: [...uncertain.notes] },
			);
		});
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

	#ofAnswer(jobId: string, answer: DeviceAgentAnswer): RemoteResult {
		if (answer.kind === 'done') return remoteResult(this.#place, { jobId, ...knownOf(answer.result) });
		return this.#ofFailed(jobId, answer);
	}

	#ofFailed(jobId: string, { code, message, approvalId, result }: DeviceAgentFailed): RemoteResult {
		const known = { jobId, ...(result && knownOf(result)) };
		if (code === 'approval_required')
			return remoteResult(this.#place, {
				status: 'awaiting_approval',
				jobId,
				approval: { approvalId: approvalId ?? '', message: `waiting for approval ${approvalId ?? ''}`.trim() },
			});
		if (code === 'timeout') return remoteResult(this.#place, { ...known, status: 'timed_out', exitCode: null });
		if (code === 'cancelled') {
			const cancelled = {
				status: 'cancelled',
				exitCode: null,
				signal: null,
				problem: problemFor('JOB_CANCELLED'),
			} as const;
			return remoteResult(this.#place, { ...known, ...cancelled });
		}
		if (code === 'overloaded')
			return remoteProblem(this.#place, 'denied', 'RATE_LIMITED', { details: message, seconds: 5 }, known);
		if (code === 'internal') return remoteResult(this.#place, { ...known, ...ofInternal(message) });
		if (code === 'expired')
			return remoteProblem(this.#place, 'denied', 'APPROVAL_EXPIRED', { approval: approvalId ?? '' }, known);
		if (code === 'invalid_request')
			return remoteProblem(this.#place, 'denied', 'REQUEST_INVALID', { details: message }, known);
		return remoteResult(this.#place, { ...known, ...deniedByPolicy(message, code) });
	}
}

/** Our agent says with it that a job was lost, too; everything else went wrong there, and nobody knows when. */
const ofInternal = (message: string): KnownOfJob =>
	message === problemFor('JOB_LOST').message
		? { status: 'lost', problem: problemFor('JOB_LOST') }
		: deviceFailed(message, false);

function readKey(pem: string): KeyObject {
	try {
		return createPrivateKey(pem);
	} catch {
		throw new KnownError('CONFIG_INVALID', {
			details: 'the signing key of the device cannot be read; it is a private Ed25519 key in PEM',
		});
	}
}

/** The same action has the same id, so that a retry asks for the answer instead of a second run. */
const requestIdFor = ({ idempotencyKey, command }: RemoteCommand): string =>
	`rs-${createHash('sha256')
		.update(JSON.stringify([idempotencyKey, command]))
		.digest('hex')
		.slice(0, 32)}`;

function requestFor(asked: RemoteCommand): DeviceAgentRequest {
	const { command, cwd } = asked;
	const requestId = requestIdFor(asked);
	if (command.mode === 'argv') {
		const args = encodeDeviceAgentArgs({ kind: 'shell.exec', argv: command.argv });
		return { requestId, capability: asked.capability ?? 'shell.exec', args, ...(cwd !== undefined && { cwd }) };
	}
	const args = encodeDeviceAgentArgs({
		kind: 'shell.eval',
		cmd: command.script,
		cwd: cwd ?? null,
		shell: command.shell,
	});
	return { requestId, capability: asked.capability ?? 'shell.eval', args };
}

function knownOf(result: DeviceAgentResult) {
	if (result.type === 'raw')
		return { status: 'succeeded', stdout: JSON.stringify(result.raw), reliability: 'best_effort' } as const;
	if (result.type === 'containers')
		return { status: 'succeeded', exitCode: 0, stdout: JSON.stringify(result.containers) } as const;
	const texts = {
		stdout: result.stdout,
		stderr: result.stderr,
		truncated: { stdout: result.isTruncated, stderr: false },
	};
	if (result.type === 'logs') return { status: 'succeeded', exitCode: 0, ...texts } as const;
	return { ...endOf(result.exitCode), ...texts, durationMs: result.durationMs ?? 0 };
}

function endOf(exitCode: number) {
	if (exitCode > 128 && exitCode < 160)
		return { status: 'killed', exitCode: null, signal: signalName(exitCode - 128) } as const;
	return { status: exitCode === 0 ? 'succeeded' : 'failed', exitCode } as const;
}

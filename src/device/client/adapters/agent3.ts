/** Devices that speak Agent3, ours and originals: a call lasts as long as the command, 45 s at most, and cannot be taken back. */
import { KnownError } from '../../../contract/error.ts';
import { isRemoteSettled, type RemoteCommand, type RemoteOutput, type RemoteResult } from '../../../contract/remote.ts';
import {
	type Agent3Answer,
	type Agent3Page,
	type Agent3Refused,
	type Agent3Request,
	type Agent3Shell,
	agent3InlineCharacters,
	agent3TimeoutMs,
	agent3TokenHeader,
	decodeAgent3Answer,
	encodeAgent3Request,
} from '../../wire/agent3.ts';
import type { Abilities, DeviceClient, DeviceHealth, ReadRequest, Watch } from '../client.ts';
import { commandLine, refuseParts, unsupported } from '../command-line.ts';
import { type DeviceHttp, isNeverSent } from '../http.ts';
import { poll } from '../poll.ts';
import { resultOfRefusal } from '../refusal.ts';
import { type Place, remoteProblem, remoteResult, statusOfExit } from '../remote-result.ts';
import { signalName } from '../signals.ts';

const abilities: Abilities = {
	argv: false,
	cancel: false,
	streams: false,
	exitCode: true,
	pages: true,
	search: false,
	validates: false,
	approvals: false,
	later: false,
	idempotent: false,
};

/** The device has its 45 s; the rest is for the way. */
const callMs = agent3TimeoutMs + 15_000;

const goesOn = 'This protocol cannot cancel: the command may go on on the device until its limit of 45 s.';
const beginningIsGone =
	'An original Agent3 keeps only the last 92160 characters of a stream; what came before is gone.';
const fixedTime =
	'This protocol has a fixed time limit of 45 s; the time limit that was asked for could not be passed on.';

type Page = Extract<ReadRequest, { how: 'page' }>;

export class Agent3Client implements DeviceClient {
	readonly protocol = 'agent3';
	readonly abilities = abilities;
	readonly #http: DeviceHttp;
	readonly #token: string;
	readonly #place: Place;

	constructor(device: string, http: DeviceHttp, token: string) {
		this.#place = { device, protocol: 'agent3' };
		this.#http = http;
		this.#token = token;
	}

	async run(asked: RemoteCommand, { signal }: Watch = {}): Promise<RemoteResult> {
		refuseParts(asked, 'Agent3', ['env', 'stdin', 'capability', 'shell']);
		const answer = await this.#call({ op: 'shell', cmd: commandLine(asked) }, signal).catch((error: unknown) =>
			this.#unanswered(error, signal),
		);
		if ('status' in answer && 'device' in answer) return answer;
		const result = this.#ofAnswer(answer);
		const notes = [...result.notes, ...(asked.timeoutMs !== undefined ? [fixedTime] : [])];
		return { ...result, notes };
	}

	/** There is no later in this protocol, so the command is waited for. */
	submit(asked: RemoteCommand): Promise<RemoteResult> {
		return this.run(asked);
	}

	async status(jobId: string): Promise<RemoteResult> {
		const page = await this.#page(jobId, 0, agent3InlineCharacters);
		return this.#ofPage(jobId, page);
	}

	wait(jobId: string, ms: number, watch: Watch = {}): Promise<RemoteResult> {
		return poll(
			() => this.status(jobId),
			({ status }) => isRemoteSettled(status),
			ms,
			watch.signal,
		);
	}

	async read(jobId: string, request: ReadRequest): Promise<RemoteOutput> {
		if (request.how === 'search') throw unsupported('search', 'Agent3');
		if (request.how === 'tail') throw unsupported('tail', 'Agent3');
		const page = await this.#page(jobId, request.offset, request.limit);
		return this.#output(jobId, request, page);
	}

	async cancel(): Promise<RemoteResult> {
		throw unsupported('cancel', 'Agent3');
	}

	async capabilities(): Promise<Readonly<Record<string, unknown>>> {
		return { protocol: 'agent3', operations: ['shell', 'read_session', 'close_session'], timeoutMs: agent3TimeoutMs };
	}

	/** The protocol has no health of its own: a session that cannot exist is asked for, which proves the key as well. */
	async health(): Promise<DeviceHealth> {
		const answer = await this.#call({ op: 'close_session', session: '00000000-0000-4000-8000-000000000000' });
		const isHealthy = answer.kind === 'closed' || (answer.kind === 'refused' && answer.httpStatus === 404);
		return { device: this.#place.device, isHealthy, details: {} };
	}

	async validate(): Promise<never> {
		throw unsupported('validate', 'Agent3');
	}

	async approvals(): Promise<never> {
		throw unsupported('approvals', 'Agent3');
	}

	async approval(): Promise<never> {
		throw unsupported('approval', 'Agent3');
	}

	async answer(): Promise<never> {
		throw unsupported('answer', 'Agent3');
	}

	close(): Promise<void> {
		return this.#http.close();
	}

	async #call(request: Agent3Request, signal?: AbortSignal): Promise<Agent3Answer> {
		const { status, body } = await this.#http.send({
			method: 'POST',
			path: '/',
			headers: { [agent3TokenHeader]: this.#token, 'content-type': 'application/json' },
			body: encodeAgent3Request(request),
			timeoutMs: callMs,
			signal,
		});
		const answer = decodeAgent3Answer(request.op, status, body);
		if (!answer) throw new KnownError('AGENT_UNREACHABLE', { details: 'what answers there does not speak Agent3' });
		if (answer.kind === 'refused' && answer.error === 'Unauthorized') throw new KnownError('AUTH_REQUIRED');
		return answer;
	}

	/** Whether a command ran whose answer never came, nobody can say in this protocol; so it is said. */
	#unanswered(error: unknown, signal: AbortSignal | undefined): RemoteResult {
		if (signal?.aborted)
			return remoteProblem(
				this.#place,
				'cancelled',
				'JOB_CANCELLED',
				{},
				{ reliability: 'best_effort', notes: [goesOn] },
			);
		if (!KnownError.is(error) || error.code !== 'AGENT_UNREACHABLE' || isNeverSent(error)) throw error;
		const notes = ['The answer never came; the command may have run, so it was not sent again.'];
		return remoteResult(this.#place, {
			status: 'unreachable',
			problem: error.problem,
			reliability: 'best_effort',
			notes,
		});
	}

	#ofAnswer(answer: Agent3Answer): RemoteResult {
		if (answer.kind === 'refused') return this.#ofRefused(answer);
		if (answer.kind !== 'shell')
			throw new KnownError('AGENT_UNREACHABLE', { details: 'what answers there does not speak Agent3' });
		return answer.status === 'approval_required' ? this.#waiting(answer) : this.#ofShell(answer);
	}

	#ofRefused({ error, reason, httpStatus }: Agent3Refused): RemoteResult {
		return resultOfRefusal(this.#place, { httpStatus, why: reason ?? error, protocol: 'Agent3' });
	}

	#waiting({ session, stderr }: Agent3Shell): RemoteResult {
		const approvalId = /approval required: (\S+)/.exec(stderr)?.[1] ?? '';
		return remoteResult(this.#place, {
			status: 'awaiting_approval',
			jobId: session,
			approval: { approvalId, message: `waiting for approval ${approvalId}` },
		});
	}

	#ofShell(answer: Agent3Shell): RemoteResult {
		const isOriginal = answer.totalCharacters === null;
		const isCut = isOriginal
			? [...answer.stdout].length >= agent3InlineCharacters || [...answer.stderr].length >= agent3InlineCharacters
			: answer.isTruncated === true;
		// An original keeps its sessions for ever and there is no more in them than was answered.
		if (isOriginal || !isCut) void this.#call({ op: 'close_session', session: answer.session }).catch(() => {});
		return remoteResult(this.#place, {
			...endOf(answer.exitCode, answer.stderr),
			stdout: answer.stdout,
			stderr: answer.stderr,
			truncated: { stdout: isCut, stderr: false },
			jobId: isOriginal || !isCut ? null : answer.session,
			notes: isOriginal && isCut ? [beginningIsGone] : [],
			...(isOriginal && { reliability: 'best_effort' }),
		});
	}

	#ofPage(jobId: string, page: Agent3Page): RemoteResult {
		if (page.status === 'running') return remoteResult(this.#place, { status: 'running', jobId, stdout: page.stdout });
		if (page.status === 'approval_required') return remoteResult(this.#place, { status: 'awaiting_approval', jobId });
		return remoteResult(this.#place, {
			...endOf(page.exitCode, page.stderr),
			stdout: page.stdout,
			stderr: page.stderr,
			truncated: { stdout: page.isEnd === false || page.isTruncated === true, stderr: false },
			jobId,
		});
	}

	async #page(session: string, offset: number, limit: number): Promise<Agent3Page> {
		const answer = await this.#call({ op: 'read_session', session, offset, limit });
		if (answer.kind === 'page') return answer;
		if (answer.kind === 'refused' && answer.httpStatus === 404) throw new KnownError('JOB_NOT_FOUND');
		const details =
			answer.kind === 'refused' ? `${answer.error} ${answer.reason ?? ''}`.trim() : 'an answer that does not fit';
		throw new KnownError('REQUEST_INVALID', { details });
	}

	#output(jobId: string, { stream, offset }: Page, page: Agent3Page): RemoteOutput {
		const isStdout = stream === 'stdout';
		// The protocol has pages of stdout alone; stderr comes whole with each.
		const text = isStdout ? page.stdout : [...page.stderr].slice(offset).join('');
		const end = offset + [...text].length;
		return {
			device: this.#place.device,
			jobId,
			stream,
			text,
			offset,
			nextOffset: isStdout ? (page.nextOffset ?? end) : end,
			eof: isStdout ? (page.isEnd ?? text === '') : true,
			totalBytes: null,
			hits: null,
			notes: ['Offsets count characters in this protocol.'],
		};
	}
}

/** A negative exit code is the number of a signal; 124 with these last words is the limit of the device. */
function endOf(exitCode: number, stderr: string) {
	if (exitCode === 124 && stderr.endsWith('Timeout')) return { status: 'timed_out', exitCode: null } as const;
	if (exitCode < 0) return { status: 'killed', exitCode: null, signal: signalName(-exitCode) } as const;
	return statusOfExit(exitCode);
}

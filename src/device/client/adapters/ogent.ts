/** Devices that speak Ogent's Command Execution Service, ours and originals, whose GET tells less than it seems to. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { KnownError } from '../../../contract/error.ts';
import {
	isRemoteOver,
	isRemoteSettled,
	type RemoteCommand,
	type RemoteOutput,
	type RemoteResult,
} from '../../../contract/remote.ts';
import {
	decodeOgentAllowed,
	decodeOgentExecution,
	decodeOgentValidation,
	encodeOgentSubmit,
	type OgentDialect,
	type OgentExecution,
	type OgentRefused,
	ogentAllowedPath,
	ogentDialects,
	ogentValidatePath,
} from '../../wire/ogent.ts';
import type { Abilities, DeviceClient, DeviceHealth, ReadRequest, Watch } from '../client.ts';
import { commandLine, refuseParts, unsupported } from '../command-line.ts';
import { cutMark, type ExitMark, markExit } from '../exit-mark.ts';
import { type DeviceHttp, type HttpAnswer, isNeverSent } from '../http.ts';
import { jobIdFor } from '../job-id.ts';
import { LatestMap } from '../latest.ts';
import { poll } from '../poll.ts';
import { resultOfRefusal } from '../refusal.ts';
import { type Place, remoteProblem, remoteResult } from '../remote-result.ts';
import { ogentEnd } from './ogent-end.ts';

const abilities: Abilities = {
	argv: false,
	cancel: true,
	streams: false,
	exitCode: false,
	pages: false,
	search: false,
	validates: true,
	approvals: false,
	later: true,
	idempotent: false,
};

const askMs = 30_000;
/** Longest time that a run is waited for; the device's own limit ends it before. */
const runMs = 3_600_000 + 60_000;
/** An original says "completed" with nothing in it before the command has begun. */
const tooEarlyMs = 2_000;

const noExitCode = 'This device tells no exit code; whether the command worked can only be read from its output.';
const lossyOutput =
	'An original service loses lines that were printed while the command ran; the output may be incomplete.';
const goesOn =
	'The service knows no execution by the id that it was given, so the command may go on until its own limit.';
const cancelledShell = 'An original service ends only the shell; programs that it started may go on.';

/** Executions whose mark and age are remembered. */
const mostRemembered = 1_000;
/** A command whose answer was not waited for may not be on record yet when it is cancelled. */
const cancelTries = 4;
const cancelAgainMs = 250;

/** What proves who we are; asked for each request, because tokens of a login end. */
export type OgentToken = () => Promise<string>;

export interface OgentOptions {
	readonly dialect: OgentDialect;
	readonly marksExit: boolean;
}

export class OgentClient implements DeviceClient {
	readonly protocol = 'ogent';
	readonly abilities: Abilities;
	readonly #http: DeviceHttp;
	readonly #token: OgentToken;
	readonly #options: OgentOptions;
	readonly #place: Place;
	/** Marks of commands of this client, by execution; also of those that are over, whose output is read later. */
	readonly #marks = new LatestMap<string, ExitMark>(mostRemembered);
	readonly #submittedAt = new LatestMap<string, number>(mostRemembered);

	constructor(device: string, http: DeviceHttp, token: OgentToken, options: OgentOptions) {
		this.#place = { device, protocol: 'ogent' };
		this.#http = http;
		this.#token = token;
		this.#options = options;
		this.abilities = { ...abilities, exitCode: options.marksExit };
	}

	async run(asked: RemoteCommand, watch: Watch = {}): Promise<RemoteResult> {
		watch.signal?.throwIfAborted();
		const submitted = await this.#submit(asked, watch.signal);
		if (submitted.jobId === null || isRemoteSettled(submitted.status)) return submitted;
		return this.wait(submitted.jobId, runMs, watch);
	}

	submit(asked: RemoteCommand): Promise<RemoteResult> {
		return this.#submit(asked);
	}

	async #submit(asked: RemoteCommand, signal?: AbortSignal): Promise<RemoteResult> {
		refuseParts(asked, 'Ogent', ['env', 'stdin', 'capability', 'shell']);
		const mark = this.#options.marksExit ? markExit(commandLine(asked)) : undefined;
		// A mark makes another command of it each time.
		const executionId = mark ? `rs-${randomUUID()}` : jobIdFor(asked);
		const timeoutSeconds = asked.timeoutMs === undefined ? undefined : Math.ceil(asked.timeoutMs / 1000);
		const body = encodeOgentSubmit({ command: mark?.command ?? commandLine(asked), executionId, timeoutSeconds });
		// What answers only when the command has ended is not waited for any longer than the caller does.
		const stop = this.#answersLate ? signal : undefined;
		const answer = await this.#post(ogentDialects[this.#options.dialect].submit, body, stop).catch((error: unknown) =>
			stop?.aborted ? this.#cancelUnanswered(executionId) : this.#unanswered(error),
		);
		if ('device' in answer) return answer;
		const execution = this.#read(answer);
		if (execution.kind === 'refused') return this.#ofRefused(execution);
		if (mark) this.#marks.set(execution.executionId, mark.mark);
		this.#submittedAt.set(execution.executionId, performance.now());
		// A retry may meet a job that is over; its output is not in an answer that says only how it stands.
		const isOver = execution.status !== 'queued' && execution.status !== 'running';
		return isOver && !this.#answersLate ? this.status(execution.executionId) : this.#ofExecution(execution);
	}

	async status(jobId: string): Promise<RemoteResult> {
		const execution = this.#read(await this.#get(this.#executionPath(jobId)));
		if (execution.kind === 'refused') throw new KnownError('JOB_NOT_FOUND');
		return this.#ofExecution(execution);
	}

	/** An abort of the signal is passed on as a cancel, over a connection of its own. */
	async wait(jobId: string, ms: number, { signal }: Watch = {}): Promise<RemoteResult> {
		try {
			return await poll(
				() => this.status(jobId),
				({ status }) => isRemoteSettled(status),
				ms,
				signal,
			);
		} catch (error) {
			if (!signal?.aborted) throw error;
			return await this.cancel(jobId);
		}
	}

	async read(jobId: string, request: ReadRequest): Promise<RemoteOutput> {
		if (request.how !== 'page') throw unsupported(request.how, 'Ogent');
		const { stdout, stderr, status, notes } = await this.status(jobId);
		const all = [...(request.stream === 'stdout' ? stdout : stderr)];
		const page = all.slice(request.offset, request.offset + request.limit);
		const nextOffset = request.offset + page.length;
		return {
			device: this.#place.device,
			jobId,
			stream: request.stream,
			text: page.join(''),
			offset: request.offset,
			nextOffset,
			eof: isRemoteOver(status) && nextOffset >= all.length,
			totalBytes: null,
			hits: null,
			notes: [...notes, 'Offsets count characters in this protocol.'],
		};
	}

	/** Ours tells what was printed until then, and that nothing is left; an original calls a cancelled command completed. */
	async cancel(jobId: string): Promise<RemoteResult> {
		const answer = this.#read(await this.#post(`${this.#executionPath(jobId)}/cancel`, '{}'));
		if (answer.kind === 'refused') return this.status(jobId);
		const ended = await this.status(jobId).catch(() => undefined);
		if (ended?.status === 'cancelled' && ended.reliability === 'exact') return ended;
		const known = { jobId, reliability: 'best_effort' as const, notes: [cancelledShell] };
		return remoteProblem(this.#place, 'cancelled', 'JOB_CANCELLED', {}, known);
	}

	/** The id is known because we chose it; whether the service took it, its answer would have said. */
	async #cancelUnanswered(executionId: string): Promise<RemoteResult> {
		for (let tries = 1; ; tries++) {
			const cancelled = await this.cancel(executionId).catch((error: unknown) => {
				if (KnownError.is(error) && error.code === 'JOB_NOT_FOUND') return undefined;
				throw error;
			});
			if (cancelled) return cancelled;
			if (tries === cancelTries) break;
			await pause(cancelAgainMs);
		}
		const known = { reliability: 'best_effort' as const, notes: [goesOn] };
		return remoteProblem(this.#place, 'cancelled', 'JOB_CANCELLED', {}, known);
	}

	async capabilities(): Promise<Readonly<Record<string, unknown>>> {
		const { status, body } = await this.#get(ogentAllowedPath);
		if (status !== 200) throw unsupported('capabilities', 'Ogent');
		return { protocol: 'ogent', allowedCommands: decodeOgentAllowed(body) ?? [] };
	}

	async health(): Promise<DeviceHealth> {
		const { status, body } = await this.#http.send({ method: 'GET', path: '/health', timeoutMs: askMs });
		return {
			device: this.#place.device,
			isHealthy: status === 200,
			details: { answer: body.toString().slice(0, 200) },
		};
	}

	async validate(asked: RemoteCommand) {
		const { status, body } = await this.#post(ogentValidatePath, encodeOgentSubmit({ command: commandLine(asked) }));
		const validation = status === 200 ? decodeOgentValidation(body) : undefined;
		if (!validation) throw unsupported('validate', 'Ogent');
		return { decision: validation.isValid ? 'allow' : 'deny', why: validation.reason };
	}

	async approvals(): Promise<never> {
		throw unsupported('approvals', 'Ogent');
	}

	async approval(): Promise<never> {
		throw unsupported('approval', 'Ogent');
	}

	async answer(): Promise<never> {
		throw unsupported('answer', 'Ogent');
	}

	close(): Promise<void> {
		return this.#http.close();
	}

	#executionPath(jobId: string): string {
		return ogentDialects[this.#options.dialect].execution.replace(':id', encodeURIComponent(jobId));
	}

	get #answersLate(): boolean {
		return this.#options.dialect === 'langchain';
	}

	async #send(method: 'GET' | 'POST', path: string, body?: string, signal?: AbortSignal): Promise<HttpAnswer> {
		const headers = {
			authorization: `Bearer ${await this.#token()}`,
			...(body && { 'content-type': 'application/json' }),
		};
		const timeoutMs = this.#answersLate && method === 'POST' ? runMs : askMs;
		const answer = await this.#http.send({ method, path, headers, body, timeoutMs, signal });
		if (answer.status === 401) throw new KnownError('AUTH_REQUIRED');
		return answer;
	}

	#get(path: string): Promise<HttpAnswer> {
		return this.#send('GET', path);
	}

	#post(path: string, body: string, signal?: AbortSignal): Promise<HttpAnswer> {
		return this.#send('POST', path, body, signal);
	}

	#read({ status, body }: HttpAnswer): OgentExecution | OgentRefused {
		const answer = decodeOgentExecution(status, body);
		if (!answer) throw new KnownError('AGENT_UNREACHABLE', { details: 'what answers there does not speak Ogent' });
		return answer;
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

	#ofRefused({ httpStatus, error, reason }: OgentRefused): RemoteResult {
		if (error === 'Insufficient permissions')
			throw new KnownError('AUTH_FORBIDDEN', { details: 'its permissions are insufficient' });
		return resultOfRefusal(this.#place, { httpStatus, why: reason ?? error, protocol: 'Ogent' });
	}

	#ofExecution(execution: OgentExecution): RemoteResult {
		const jobId = execution.executionId;
		const waiting = /^Waiting for approval (\S+)$/.exec(execution.message ?? '')?.[1];
		if (waiting !== undefined && execution.status === 'queued')
			return remoteResult(this.#place, {
				status: 'awaiting_approval',
				jobId,
				approval: { approvalId: waiting, message: `waiting for approval ${waiting}` },
			});
		if (execution.status === 'queued' || execution.status === 'running' || this.#isTooEarly(execution))
			return remoteResult(this.#place, {
				status: execution.status === 'queued' ? 'queued' : 'running',
				jobId,
				stdout: execution.output ?? '',
			});
		return this.#ended(execution);
	}

	#isTooEarly({ executionId, status, output, error, exitCode }: OgentExecution): boolean {
		const submittedAt = this.#submittedAt.get(executionId) ?? Number.NEGATIVE_INFINITY;
		const isEmpty = status === 'completed' && !output && !error && exitCode === null;
		return isEmpty && performance.now() - submittedAt < tooEarlyMs;
	}

	#ended(execution: OgentExecution): RemoteResult {
		const jobId = execution.executionId;
		const mark = this.#marks.get(jobId);
		const marked = mark ? cutMark(execution.output ?? '', mark) : { text: execution.output ?? '', exitCode: null };
		const exitCode = execution.exitCode ?? marked.exitCode;
		this.#submittedAt.delete(jobId);
		return remoteResult(this.#place, {
			...ogentEnd(execution, exitCode),
			jobId,
			stdout: marked.text,
			stderr: execution.error ?? '',
			truncated: { stdout: execution.isTruncated === true, stderr: false },
			...this.#uncertain(execution, exitCode === null ? [noExitCode, lossyOutput] : [lossyOutput]),
		});
	}

	/** Ours says when a job ended; an original does not, and then nothing that it says is exact. */
	#uncertain({ endTime }: OgentExecution, notes: string[]): Pick<RemoteResult, 'reliability' | 'notes'> {
		return endTime === null ? { reliability: 'best_effort', notes } : { reliability: 'exact', notes: [] };
	}
}

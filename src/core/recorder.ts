/** What is heard of one run, kept within bounds and without secrets, and put together as its result. */
import { problemFor } from '../contract/error.ts';
import type { JobRequest, JobResult, Problem } from '../contract/job.ts';
import { fixedLimits } from '../contract/limits.ts';
import type { JobStatus } from '../contract/status.ts';
import type { Inspected } from './inspect.ts';
import type { Gateway } from './network/gateway.ts';
import type { JobContext } from './ports.ts';
import { joinProblems } from './result.ts';
import type { BackendOutcome, BoxSocket, OutputStream, StopReason } from './sandbox/backend.ts';
import { Capture, type Captured } from './sandbox/capture.ts';
import { type Collected, collect, describeElsewhere, describeMissing, type OnRest } from './sandbox/collect.ts';
import { verdictFor } from './sandbox/verdict.ts';
import { MaskedOutput } from './secrets/live.ts';
import type { Mask, MaskStream } from './secrets/redact.ts';

/** A job's surroundings, and what hides its secrets. */
export type MaskedContext = JobContext & { readonly mask: Mask };

const mostRefusals = 5;

/** What the network refused, for a model that wonders why a host cannot be reached. */
function networkProblem({ decisions, allowed }: Gateway): Problem | null {
	const refused = decisions.filter((decision) => decision.refused !== null);
	if (refused.length === 0) return null;
	const named = refused
		.slice(0, mostRefusals)
		.map(({ host, port, refused: reason }) => `${host}${port ? `:${port}` : ''} (${reason})`);
	const more = refused.length > mostRefusals ? ` and ${refused.length - mostRefusals} more` : '';
	return problemFor('NETWORK_REFUSED', { details: named.join(', ') + more, allowed: allowed.join(', ') });
}

const unreachable = /Network is unreachable|ENETUNREACH/;
const nameless = /name resolution|Name or service not known|EAI_AGAIN|ENOTFOUND|resolve host/;

/** The kernel refuses bare addresses by itself, so only the program knows; the end of its own words is read for a hint. */
function unreachableProblem(stderr: string, { allowed }: Gateway): Problem | null {
	const end = stderr.slice(-4096);
	if (allowed.length === 0) return unreachable.test(end) || nameless.test(end) ? problemFor('NETWORK_OFF') : null;
	if (!unreachable.test(end)) return null;
	const details = 'a bare address, or something else than TCP to a name';
	return problemFor('NETWORK_REFUSED', { details, allowed: allowed.join(', ') });
}

/** In the middle of whatever it did. */
const wasStopped = (status: JobStatus): boolean =>
	(['timed_out', 'out_of_memory', 'output_exceeded', 'killed'] as JobStatus[]).includes(status);

/** What the caller should know of the files that it gets, and of those that it does not get. */
function fileProblem({ status }: Pick<JobResult, 'status'>, collected: Collected): Problem | null {
	const { files, missing, elsewhere } = collected;
	const unfinished = files.length > 0 && wasStopped(status) ? problemFor('FILES_UNFINISHED') : null;
	const incomplete =
		missing.length > 0 ? problemFor('FILES_INCOMPLETE', { details: describeMissing(collected) }) : null;
	const misplaced =
		elsewhere.length > 0 && status === 'succeeded'
			? problemFor('FILES_ELSEWHERE', { names: describeElsewhere(collected) })
			: null;
	return joinProblems(joinProblems(unfinished, incomplete), misplaced);
}

/** Listens to one run: keeps what is printed within bounds, ends a flood, and puts the result together. */
export class Recorder {
	readonly #request: JobRequest;
	readonly #context: MaskedContext;
	readonly #gateway: Gateway;
	readonly #onRest: OnRest | undefined;
	readonly #captures: Record<OutputStream, Capture>;
	readonly #masks: Record<OutputStream, MaskStream | undefined>;
	/** Of whoever watches; what is kept is masked apart, where nothing must be seen early. */
	readonly #live: MaskedOutput | undefined;
	#printed = 0;
	readonly #stop = new AbortController();
	readonly #cancel = () => this.#stop.abort('cancelled' satisfies StopReason);
	#collected: Promise<Collected> = Promise.resolve({ files: [], missing: [], more: 0, elsewhere: [] });

	/** @param onRest takes what the collector brings behind the files */
	constructor(request: JobRequest, context: MaskedContext, gateway: Gateway, onRest?: OnRest) {
		this.#request = request;
		this.#onRest = onRest;
		this.#context = context;
		this.#gateway = gateway;
		const { outputBytes } = request.limits;
		this.#captures = { stdout: new Capture(outputBytes), stderr: new Capture(outputBytes) };
		this.#masks = { stdout: context.mask.stream(), stderr: context.mask.stream() };
		this.#live = context.onOutput && new MaskedOutput(context.mask, context.onOutput);
		if (context.signal?.aborted) this.#cancel();
		context.signal?.addEventListener('abort', this.#cancel);
	}

	io(stdin: string | undefined) {
		return {
			stdin,
			signal: this.#stop.signal,
			onOutput: (stream: OutputStream, chunk: Buffer) => this.#hear(stream, chunk),
			onSocket: (port: number, socket: BoxSocket) => this.#gateway.take(port, socket),
			onCollected: (archive: NodeJS.ReadableStream) => {
				this.#collected = collect(archive as never, this.#context.outDir ?? '', this.#context.mask, this.#onRest);
			},
		};
	}

	#hear(stream: OutputStream, chunk: Buffer): void {
		this.#live?.push(stream, chunk);
		this.#keep(stream, this.#masks[stream]?.push(chunk) ?? chunk);
		this.#printed += chunk.length;
		if (this.#printed > fixedLimits.totalOutputBytes) this.#stop.abort('output' satisfies StopReason);
	}

	#keep(stream: OutputStream, masked: Buffer): void {
		if (masked.length > 0) this.#captures[stream].push(masked);
	}

	/** What a mask has held back is decided when the program is dead. */
	#finish(stream: OutputStream): Captured {
		const rest = this.#masks[stream]?.end();
		if (rest) this.#keep(stream, rest);
		return this.#captures[stream].result();
	}

	/** What the caller should know although the program is not to blame. */
	#remark(status: JobStatus, stderr: string): Problem | null {
		const { refused } = this.#context.mask;
		if (refused.length > 0) return problemFor('SECRET_UNMASKED', { names: refused.join(', ') });
		const isFailed = status !== 'succeeded';
		return networkProblem(this.#gateway) ?? (isFailed ? unreachableProblem(stderr, this.#gateway) : null);
	}

	async result(outcome: BackendOutcome, backend: string, inspected: Inspected): Promise<JobResult> {
		this.#live?.end();
		const stdout = this.#finish('stdout');
		const stderr = this.#finish('stderr');
		const { language, findings } = inspected;
		const verdict = verdictFor(outcome, { language, limits: this.#request.limits, stderr: stderr.text });
		const collected = await this.#collected;
		const problem = joinProblems(
			verdict.problem ?? this.#remark(verdict.status, stderr.text),
			fileProblem(verdict, collected),
		);
		return {
			status: verdict.status,
			exitCode: verdict.exitCode,
			signal: verdict.signal,
			stdout: stdout.text,
			stderr: stderr.text,
			truncated: { stdout: stdout.truncated, stderr: stderr.truncated },
			durationMs: Math.ceil(outcome.durationMs),
			cpuMs: Math.round(outcome.cpuMs),
			peakMemoryBytes: outcome.peakMemoryBytes,
			queuedMs: 0,
			language,
			backend,
			tier: outcome.tier,
			start: outcome.start,
			findings,
			files: collected.files,
			problem,
		};
	}

	close(): void {
		this.#live?.end();
		this.#context.signal?.removeEventListener('abort', this.#cancel);
	}
}

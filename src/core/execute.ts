/** The story of one job, read from top to bottom: refuse what cannot be, check, wait for a turn, run, tell how it ended. */
import { KnownError, problemFor } from '../contract/error.ts';
import type { JobRequest, JobResult, Problem } from '../contract/job.ts';
import { fixedLimits } from '../contract/limits.ts';
import { boxSpecFor } from './box-spec.ts';
import type { Inspected } from './inspect.ts';
import type { Boxes, Executor, Inspector, JobContext } from './ports.ts';
import type { FairQueue } from './queue.ts';
import { withoutRun } from './result.ts';
import type { BoxOutcome, OutputStream, StopReason, Tier } from './sandbox/backend.ts';
import { Capture, type Captured } from './sandbox/capture.ts';
import { type Collected, collect } from './sandbox/collect.ts';
import { verdictFor } from './sandbox/verdict.ts';
import { secretFault } from './secrets/inject.ts';
import { maskResult } from './secrets/mask-result.ts';
import { createMask, type Mask, type MaskStream } from './secrets/redact.ts';

export interface Parts {
	readonly boxes: Boxes;
	readonly queue: FairQueue;
	readonly inspect: Inspector;
}

export function createExecutor(parts: Parts): Executor {
	return { run: (request, context = {}) => execute(parts, request, context) };
}

/** Whatever is said about a job, no value of a secret is in it. */
async function execute(parts: Parts, request: JobRequest, context: JobContext): Promise<JobResult> {
	const mask = createMask(context.secretValues ?? {});
	return maskResult(await decide(parts, request, context, mask), mask);
}

async function decide(parts: Parts, request: JobRequest, context: JobContext, mask: Mask): Promise<JobResult> {
	const unsupported = refuseUnsupported(request, context);
	if (unsupported) return unsupported;
	const inspected = await parts.inspect(request);
	if ('refused' in inspected) return inspected.refused;

	const turn = await parts.queue.enter(request.labels.workflow ?? '', context.signal);
	if (!turn.granted) return notGranted(turn.reason, turn.waiting, inspected);
	try {
		const result = await runInBox(parts.boxes, request, { ...context, mask }, inspected);
		return { ...result, queuedMs: Math.round(turn.waitedMs) };
	} finally {
		turn.release();
	}
}

/** Nothing that was asked for is silently left out. */
function refuseUnsupported(request: JobRequest, context: JobContext): JobResult | undefined {
	const refuse = (field: string, details: string) =>
		withoutRun('denied', problemFor('JOB_UNSUPPORTED', { field, details }));
	if (request.session !== undefined) return refuse('session', 'no sessions are kept here');
	const fault = secretFault(request.secrets, context.secretValues);
	if (fault !== undefined) return refuse('secrets', fault);
	if (request.network !== 'none' && request.network.length > 0)
		throw new KnownError('NETWORK_UNAVAILABLE', { details: String(request.network) });
	return undefined;
}

function notGranted(reason: 'full' | 'cancelled', waiting: number, { language, findings }: Inspected): JobResult {
	if (reason === 'full') return withoutRun('denied', problemFor('QUEUE_FULL', { waiting }), { language, findings });
	return withoutRun('cancelled', problemFor('JOB_CANCELLED'), { language, findings });
}

/** A job's surroundings, and what hides its secrets. */
type MaskedContext = JobContext & { readonly mask: Mask };

async function runInBox(
	boxes: Boxes,
	request: JobRequest,
	context: MaskedContext,
	inspected: Inspected,
): Promise<JobResult> {
	const runtime = inspected.language === null ? null : await boxes.runtimeFor(inspected.language);
	const inputs = await boxes.shareInputs(request);
	const recorder = new Recorder(request, context);
	try {
		const spec = boxSpecFor(request, {
			inspected,
			runtime,
			secretValues: context.secretValues ?? {},
			inFolder: inputs?.path,
			wantsFiles: context.outDir !== undefined,
			packages: boxes.packagesFor(inspected.language),
		});
		const outcome = await boxes.backend.run(spec, recorder.io(request.stdin));
		return await recorder.result(outcome, boxes.backend.name, inspected);
	} finally {
		recorder.close();
		inputs?.remove();
	}
}

/** Listens to one run: keeps what is printed within bounds, ends a flood, and puts the result together. */
class Recorder {
	readonly #request: JobRequest;
	readonly #context: MaskedContext;
	readonly #captures: Record<OutputStream, Capture>;
	readonly #masks: Record<OutputStream, MaskStream | undefined>;
	#printed = 0;
	readonly #stop = new AbortController();
	readonly #cancel = () => this.#stop.abort('cancelled' satisfies StopReason);
	#collected: Promise<Collected> = Promise.resolve({ files: [], missing: [] });

	constructor(request: JobRequest, context: MaskedContext) {
		this.#request = request;
		this.#context = context;
		const { outputBytes } = request.limits;
		this.#captures = { stdout: new Capture(outputBytes), stderr: new Capture(outputBytes) };
		this.#masks = { stdout: context.mask.stream(), stderr: context.mask.stream() };
		if (context.signal?.aborted) this.#cancel();
		context.signal?.addEventListener('abort', this.#cancel);
	}

	io(stdin: string | undefined) {
		return {
			stdin,
			signal: this.#stop.signal,
			onOutput: (stream: OutputStream, chunk: Buffer) => this.#hear(stream, chunk),
			onCollected: (archive: NodeJS.ReadableStream) => {
				this.#collected = collect(archive as never, this.#context.outDir ?? '', this.#context.mask);
			},
		};
	}

	#hear(stream: OutputStream, chunk: Buffer): void {
		this.#keep(stream, this.#masks[stream]?.push(chunk) ?? chunk);
		this.#printed += chunk.length;
		if (this.#printed > fixedLimits.totalOutputBytes) this.#stop.abort('output' satisfies StopReason);
	}

	#keep(stream: OutputStream, masked: Buffer): void {
		if (masked.length === 0) return;
		this.#captures[stream].push(masked);
		this.#context.onOutput?.(stream, masked);
	}

	/** What a mask has held back is decided when the program is dead. */
	#finish(stream: OutputStream): Captured {
		const rest = this.#masks[stream]?.end();
		if (rest) this.#keep(stream, rest);
		return this.#captures[stream].result();
	}

	/** What the caller should know although the program is not to blame. */
	#remark(missing: readonly string[]): Problem | null {
		if (missing.length > 0) return problemFor('FILES_INCOMPLETE', { details: missing.join(', ') });
		const { refused } = this.#context.mask;
		return refused.length > 0 ? problemFor('SECRET_UNMASKED', { names: refused.join(', ') }) : null;
	}

	async result(outcome: BoxOutcome & { tier: Tier }, backend: string, inspected: Inspected): Promise<JobResult> {
		const stdout = this.#finish('stdout');
		const stderr = this.#finish('stderr');
		const { language, findings } = inspected;
		const verdict = verdictFor(outcome, { language, limits: this.#request.limits, stderr: stderr.text });
		const { files, missing } = await this.#collected;
		return {
			...verdict,
			problem: verdict.problem ?? this.#remark(missing),
			stdout: stdout.text,
			stderr: stderr.text,
			truncated: { stdout: stdout.truncated, stderr: stderr.truncated },
			durationMs: Math.round(outcome.durationMs),
			cpuMs: Math.round(outcome.cpuMs),
			peakMemoryBytes: outcome.peakMemoryBytes,
			queuedMs: 0,
			language,
			backend,
			tier: outcome.tier,
			start: 'cold',
			findings,
			files,
		};
	}

	close(): void {
		this.#context.signal?.removeEventListener('abort', this.#cancel);
	}
}

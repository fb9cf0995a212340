/** The story of one job, read from top to bottom: refuse what cannot be, check, wait for a turn, run, tell how it ended. */
import { KnownError, problemFor } from '../contract/error.ts';
import type { JobRequest, JobResult } from '../contract/job.ts';
import { fixedLimits } from '../contract/limits.ts';
import { boxSpecFor } from './box-spec.ts';
import type { Inspected } from './inspect.ts';
import type { Boxes, Executor, Inspector, JobContext } from './ports.ts';
import type { FairQueue } from './queue.ts';
import { withoutRun } from './result.ts';
import type { BoxOutcome, OutputStream, StopReason, Tier } from './sandbox/backend.ts';
import { Capture } from './sandbox/capture.ts';
import { type Collected, collect } from './sandbox/collect.ts';
import { verdictFor } from './sandbox/verdict.ts';

export interface Parts {
	readonly boxes: Boxes;
	readonly queue: FairQueue;
	readonly inspect: Inspector;
}

export function createExecutor(parts: Parts): Executor {
	return { run: (request, context = {}) => execute(parts, request, context) };
}

async function execute(parts: Parts, request: JobRequest, context: JobContext): Promise<JobResult> {
	const unsupported = refuseUnsupported(request, context);
	if (unsupported) return unsupported;
	const inspected = await parts.inspect(request);
	if ('refused' in inspected) return inspected.refused;

	const turn = await parts.queue.enter(request.labels.workflow ?? '', context.signal);
	if (!turn.granted) return notGranted(turn.reason, turn.waiting, inspected);
	try {
		const result = await runInBox(parts.boxes, request, context, inspected);
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
	const unknown = request.secrets.find((name) => context.secretValues?.[name] === undefined);
	if (unknown !== undefined) return refuse('secrets', `there is no secret called ${unknown}`);
	if (request.network !== 'none' && request.network.length > 0)
		throw new KnownError('NETWORK_UNAVAILABLE', { details: String(request.network) });
	return undefined;
}

function notGranted(reason: 'full' | 'cancelled', waiting: number, { language, findings }: Inspected): JobResult {
	if (reason === 'full') return withoutRun('denied', problemFor('QUEUE_FULL', { waiting }), { language, findings });
	return withoutRun('cancelled', problemFor('JOB_CANCELLED'), { language, findings });
}

async function runInBox(
	boxes: Boxes,
	request: JobRequest,
	context: JobContext,
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
	readonly #context: JobContext;
	readonly #captures: Record<OutputStream, Capture>;
	readonly #stop = new AbortController();
	readonly #cancel = () => this.#stop.abort('cancelled' satisfies StopReason);
	#collected: Promise<Collected> = Promise.resolve({ files: [], missing: [] });

	constructor(request: JobRequest, context: JobContext) {
		this.#request = request;
		this.#context = context;
		const { outputBytes } = request.limits;
		this.#captures = { stdout: new Capture(outputBytes), stderr: new Capture(outputBytes) };
		if (context.signal?.aborted) this.#cancel();
		context.signal?.addEventListener('abort', this.#cancel);
	}

	io(stdin: string | undefined) {
		return {
			stdin,
			signal: this.#stop.signal,
			onOutput: (stream: OutputStream, chunk: Buffer) => this.#hear(stream, chunk),
			onCollected: (archive: NodeJS.ReadableStream) => {
				this.#collected = collect(archive as never, this.#context.outDir ?? '');
			},
		};
	}

	#hear(stream: OutputStream, chunk: Buffer): void {
		this.#captures[stream].push(chunk);
		this.#context.onOutput?.(stream, chunk);
		const total = this.#captures.stdout.total + this.#captures.stderr.total;
		if (total > fixedLimits.totalOutputBytes) this.#stop.abort('output' satisfies StopReason);
	}

	async result(outcome: BoxOutcome & { tier: Tier }, backend: string, inspected: Inspected): Promise<JobResult> {
		const stdout = this.#captures.stdout.result();
		const stderr = this.#captures.stderr.result();
		const { language, findings } = inspected;
		const verdict = verdictFor(outcome, { language, limits: this.#request.limits, stderr: stderr.text });
		const { files, missing } = await this.#collected;
		const incomplete = missing.length > 0 ? problemFor('FILES_INCOMPLETE', { details: missing.join(', ') }) : null;
		return {
			...verdict,
			problem: verdict.problem ?? incomplete,
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

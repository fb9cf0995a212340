/** Listens to one run on a device and puts its result together: head and tail of what it printed, and the verdict. */
import { problemFor } from '../../contract/error.ts';
import type { JobResult, Problem } from '../../contract/job.ts';
import { defaultLimits, fixedLimits } from '../../contract/limits.ts';
import type { DeviceJob, RunnerOutcome } from '../../core/runner/runner.ts';
import type { OutputStream } from '../../core/sandbox/backend.ts';
import { Capture } from '../../core/sandbox/capture.ts';
import { type Verdict, verdictFor } from '../../core/sandbox/verdict.ts';

const MiB = 1024 * 1024;

export class Listener {
	readonly #captures: Record<OutputStream, Capture> = {
		stdout: new Capture(fixedLimits.modelTextBytes),
		stderr: new Capture(fixedLimits.modelTextBytes),
	};

	/** @param dropped bytes behind the chunk that are not kept */
	hear(stream: OutputStream, chunk: Buffer, dropped: number): void {
		this.#captures[stream].push(chunk);
		this.#captures[stream].drop(dropped);
	}

	get bytes(): { stdout: number; stderr: number } {
		return { stdout: this.#captures.stdout.total, stderr: this.#captures.stderr.total };
	}

	result(job: DeviceJob, outcome: RunnerOutcome): JobResult {
		const stdout = this.#captures.stdout.result();
		const stderr = this.#captures.stderr.result();
		const verdict = verdictOf(job, outcome, stderr.text);
		return {
			...verdict,
			stdout: stdout.text,
			stderr: stderr.text,
			truncated: { stdout: stdout.truncated, stderr: stderr.truncated },
			durationMs: Math.round(outcome.durationMs),
			cpuMs: Math.round(outcome.cpuMs),
			peakMemoryBytes: outcome.peakMemoryBytes,
			queuedMs: 0,
			language: null,
			backend: outcome.backend,
			tier: outcome.tier,
			start: 'cold',
			findings: [],
			files: [],
		};
	}
}

function verdictOf({ limits }: DeviceJob, outcome: RunnerOutcome, stderr: string): Verdict {
	const { timeoutMs, idleTimeoutMs, memoryBytes, processes, floodBytes } = limits;
	const verdict = verdictFor(outcome, {
		language: null,
		limits: { ...defaultLimits, timeoutMs, memoryBytes, processes },
		idleTimeoutMs: idleTimeoutMs ?? undefined,
		stderr,
	});
	if (outcome.stopped !== 'output') return verdict;
	const problem: Problem = problemFor('LIMIT_OUTPUT', { limit: Number((floodBytes / MiB).toFixed(3)) });
	return { ...verdict, problem };
}

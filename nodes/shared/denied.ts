/** The result of a call that never became a job. */
import type { JobResult, Problem } from '../../src/contract/job.ts';

export function deniedResult(problem: Problem): JobResult {
	return {
		status: 'denied',
		exitCode: null,
		signal: null,
		stdout: '',
		stderr: '',
		truncated: { stdout: false, stderr: false },
		durationMs: 0,
		cpuMs: 0,
		peakMemoryBytes: 0,
		queuedMs: 0,
		language: null,
		backend: null,
		tier: null,
		start: null,
		findings: [],
		files: [],
		problem,
	};
}

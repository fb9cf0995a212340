/** Builds the one shape in which every job ends. Pure. */
import type { Finding } from '../contract/finding.ts';
import type { JobResult, Problem } from '../contract/job.ts';
import type { Language } from '../contract/language.ts';
import type { JobStatus } from '../contract/status.ts';

const nothingRan = {
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
} satisfies Partial<JobResult>;

/** Of a program that may have done just what it should. */
const isRemark = ({ code }: Problem): boolean => code === 'FILES_ELSEWHERE';

/** Nothing is left out: what comes second is said even where there is something more important to say. */
export function joinProblems(first: Problem | null, second: Problem | null): Problem | null {
	if (first === null || second === null) return first ?? second;
	if (isRemark(first) && !isRemark(second)) return joinProblems(second, first);
	return { ...first, message: `${first.message} ${second.message}` };
}

export const withProblem = (result: JobResult, problem: Problem): JobResult => ({
	...result,
	problem: joinProblems(result.problem, problem),
});

/** The result of a job of which nothing ran. */
export function withoutRun(
	status: JobStatus,
	problem: Problem,
	known: { language?: Language | null; findings?: Finding[]; queuedMs?: number } = {},
): JobResult {
	return { status, ...nothingRan, ...known, problem };
}

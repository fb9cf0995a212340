import { expect, it } from 'vitest';
import { problemFor } from '../../../src/contract/error.ts';
import { jobResultSchema } from '../../../src/contract/job.ts';
import { joinProblems, withoutRun } from '../../../src/core/result.ts';

it('fills every field of a job of which nothing ran', () => {
	const problem = problemFor('JOB_CANCELLED');
	const result = withoutRun('cancelled', problem, { language: 'bash', queuedMs: 3 });
	expect(jobResultSchema.parse(result)).toEqual({
		status: 'cancelled',
		exitCode: null,
		signal: null,
		stdout: '',
		stderr: '',
		truncated: { stdout: false, stderr: false },
		durationMs: 0,
		cpuMs: 0,
		peakMemoryBytes: 0,
		queuedMs: 3,
		language: 'bash',
		backend: null,
		tier: null,
		start: null,
		findings: [],
		files: [],
		problem,
	});
});

it('says what is only a remark last, whenever it was noticed', () => {
	const [full, elsewhere] = [problemFor('SESSION_FULL'), problemFor('FILES_ELSEWHERE')];
	const joined = { ...full, message: `${full.message} ${elsewhere.message}` };
	expect([joinProblems(full, elsewhere), joinProblems(elsewhere, full)]).toEqual([joined, joined]);
});

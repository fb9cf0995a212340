/** What a test expects of a job, and what an execution says about our nodes. */
import { expect } from 'vitest';
import type { Execution, Item, NodeRun } from '../../../scripts/n8n/n8n-client.ts';
import type { JobResult } from '../../../src/contract/job.ts';
import { stepNode, toolNode } from './workflows.ts';

const measured = expect.any(Number);

/** A whole result; what differs between two runs of one program may be any number. */
export const ranWith = (fields: Partial<JobResult>): unknown => ({
	status: 'succeeded',
	exitCode: 0,
	signal: null,
	stdout: '',
	stderr: '',
	truncated: { stdout: false, stderr: false },
	durationMs: measured,
	cpuMs: measured,
	peakMemoryBytes: measured,
	queuedMs: measured,
	language: 'python',
	backend: 'nsjail',
	tier: expect.stringMatching(/^(full|reduced)$/),
	start: expect.stringMatching(/^(warm|cold)$/),
	findings: [],
	files: [],
	problem: null,
	...fields,
});

/** A whole result of a call that was refused before anything ran. */
export const refusedWith = (problem: JobResult['problem']): unknown =>
	ranWith({
		status: 'denied',
		exitCode: null,
		durationMs: 0,
		cpuMs: 0,
		peakMemoryBytes: 0,
		queuedMs: 0,
		language: null,
		backend: null,
		tier: null,
		start: null,
		problem,
	});

export const runsOf = (execution: Execution, node: string): readonly NodeRun[] =>
	execution.data.resultData.runData[node] ?? [];

const itemsOf = (run: NodeRun | undefined, kind: string): readonly Item[] => run?.data?.[kind]?.[0] ?? [];

/** What our tool gave back, call by call. */
export const toolResults = (execution: Execution): unknown[] =>
	runsOf(execution, toolNode).flatMap((run) => itemsOf(run, 'ai_tool').map(({ json }) => json));

export const stepItems = (execution: Execution): readonly Item[] => itemsOf(runsOf(execution, stepNode)[0], 'main');

/** The three programs of every test that must hold for each language, and the whole result of each. */
export const programs = [
	{
		language: 'python',
		code: 'import math\nprint(math.sqrt(256))',
		result: ranWith({ language: 'python', stdout: '16.0\n' }),
	},
	{
		language: 'javascript',
		code: 'console.log([3, 1, 2].sort().join("-"));',
		result: ranWith({ language: 'javascript', stdout: '1-2-3\n' }),
	},
	{
		language: 'bash',
		code: 'for n in 1 2 3; do echo "line $n"; done | wc -l',
		result: ranWith({ language: 'bash', stdout: '3\n' }),
	},
] as const;

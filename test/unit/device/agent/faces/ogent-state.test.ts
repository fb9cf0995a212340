import { describe, expect, it } from 'vitest';
import type { JobView } from '../../../../../src/contract/device-job.ts';
import { problemFor } from '../../../../../src/contract/error.ts';
import type { JobResult } from '../../../../../src/contract/job.ts';
import { ogentExecution, ogentState } from '../../../../../src/device/agent/faces/ogent-state.ts';

const job = (view: Partial<JobView>, result: Partial<JobResult> | null = null): JobView =>
	({
		...{ approvalId: null, acceptedAt: 0, startedAt: 0, endedAt: null, state: 'ended', result },
		...{ command: { mode: 'script', script: 'ls', shell: 'auto' }, ...view },
	}) as JobView;

const problem = problemFor('LIMIT_MEMORY', { limit: 1 });
const state = (
	status: string,
	why: string | null = null,
	exitCode: number | null = null,
	message: string | null = null,
) => ({
	...{ status, message, why, exitCode },
});

describe('a job in the words of Ogent', () => {
	it.each([
		['queued', job({ state: 'queued' }), state('queued', null, null, 'Command scheduled for execution')],
		[
			'awaiting approval',
			job({ state: 'awaiting_approval', approvalId: 'apr-1' }),
			state('queued', null, null, 'Waiting for approval apr-1'),
		],
		['running', job({ state: 'running' }), state('running')],
		['exited 0', job({}, { status: 'succeeded', exitCode: 0, signal: null }), state('completed', null, 0)],
		['exited n', job({}, { status: 'failed', exitCode: 7, signal: null }), state('failed', null, 7)],
		[
			'signalled',
			job({}, { status: 'killed', exitCode: null, signal: 'SIGSEGV', problem }),
			state('failed', problem.message, 139),
		],
		[
			'out of memory',
			job({}, { status: 'out_of_memory', signal: 'SIGKILL', problem }),
			state('failed', problem.message, 137),
		],
		['too loud', job({}, { status: 'output_exceeded', problem }), state('failed', problem.message)],
		['timed out', job({}, { status: 'timed_out' }), state('failed', 'Execution timed out')],
		['cancelled', job({}, { status: 'cancelled' }), state('cancelled', null, null, 'Execution cancelled')],
		['denied', job({}, { status: 'denied', problem }), state('failed', problem.message)],
		['broken', job({}, { status: 'broken', problem }), state('failed', problem.message)],
		['lost', job({ state: 'lost' }), state('failed', 'agent restarted')],
	])('%s', (_name, view, expected) => {
		expect(ogentState(view)).toEqual(expected);
	});
});

describe('an execution', () => {
	const texts = { output: 'o', error: 'e', isTruncated: true };

	it('tells times in UTC and how long it took', () => {
		const view = job({ startedAt: 1_000, endedAt: 4_999 }, { status: 'timed_out' });
		expect(ogentExecution(view, 'e-1', texts, 9_000)).toEqual({
			...{ kind: 'execution', executionId: 'e-1', status: 'failed', message: null, command: 'ls' },
			...{ output: 'o', error: 'e\nExecution timed out', exitCode: null, isTruncated: true },
			...{ startTime: '1970-01-01T00:00:01.000Z', endTime: '1970-01-01T00:00:04.999Z', elapsedSeconds: 3 },
		});
	});

	it('has no output before it began, and counts on while it runs', () => {
		const waiting = ogentExecution(job({ state: 'queued', startedAt: null }), 'e-1', texts, 9_000);
		expect([waiting.output, waiting.error, waiting.startTime, waiting.elapsedSeconds]).toEqual([
			null,
			null,
			null,
			null,
		]);
		const running = ogentExecution(job({ state: 'running', startedAt: 2_000 }), 'e-1', texts, 9_500);
		expect([running.output, running.elapsedSeconds, running.endTime]).toEqual(['o', 7, null]);
	});
});

import { describe, expect, it } from 'vitest';
import type { JobView } from '../../../../../src/contract/device-job.ts';
import { problemFor } from '../../../../../src/contract/error.ts';
import type { JobResult } from '../../../../../src/contract/job.ts';
import { agent3Outcome } from '../../../../../src/device/agent/faces/agent3-outcome.ts';

const job = (view: Partial<JobView>, result: Partial<JobResult> | null = null): JobView =>
	({ approvalId: null, acceptedAt: 0, endedAt: 1, state: 'ended', ...view, result }) as JobView;

const problem = problemFor('LIMIT_MEMORY', { limit: 1 });
const done = (exitCode: number, note: string | null = null) => ({ status: 'done', exitCode, note });

describe('a job in the words of Agent3', () => {
	it.each([
		['exited 0', job({}, { status: 'succeeded', exitCode: 0 }), done(0)],
		['exited n', job({}, { status: 'failed', exitCode: 7 }), done(7)],
		['signalled', job({}, { status: 'killed', exitCode: null, signal: 'SIGSEGV' }), done(-11)],
		['ended by a signal without a name', job({}, { status: 'killed', signal: 'SIGWHAT' }), done(-9)],
		['timed out', job({}, { status: 'timed_out', signal: 'SIGKILL' }), done(124, 'Timeout')],
		['cancelled', job({}, { status: 'cancelled' }), done(-15)],
		[
			'cancelled because its caller could wait no longer',
			job({ endedAt: 45_000 }, { status: 'cancelled' }),
			done(124, 'Timeout'),
		],
		[
			'cancelled long after it was approved',
			job({ endedAt: 99_000, approvalId: 'a' }, { status: 'cancelled' }),
			done(-15),
		],
		['out of memory', job({}, { status: 'out_of_memory', signal: 'SIGKILL', problem }), done(-9, problem.message)],
		[
			'out of memory by a part of it',
			job({}, { status: 'out_of_memory', exitCode: 3, signal: null, problem }),
			done(3, problem.message),
		],
		['too loud', job({}, { status: 'output_exceeded', signal: 'SIGKILL', problem }), done(-9, problem.message)],
		['broken', job({}, { status: 'broken', problem }), done(125, problem.message)],
		['lost', job({ state: 'lost' }), done(125, problemFor('JOB_LOST').message)],
		['queued', job({ state: 'queued' }), { status: 'running', exitCode: 126, note: null }],
		['running', job({ state: 'running' }), { status: 'running', exitCode: 126, note: null }],
		[
			'awaiting approval',
			job({ state: 'awaiting_approval', approvalId: 'apr-1' }),
			{ status: 'approval_required', exitCode: 126, note: 'approval required: apr-1' },
		],
		['denied', job({}, { status: 'denied', problem }), { denied: problem }],
	])('%s', (_name, view, outcome) => {
		expect(agent3Outcome(view)).toEqual(outcome);
	});
});

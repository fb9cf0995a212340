import { describe, expect, it } from 'vitest';
import { problemFor } from '../../../../../src/contract/error.ts';
import type { JobResult } from '../../../../../src/contract/job.ts';
import { quickCmdResultOf, quickCmdStatusOf } from '../../../../../src/device/agent/faces/quickcmd-status.ts';
import { MemoryJob } from '../../../../helpers/memory-jobs.ts';

const principal = { name: 'controller-1', roles: [], capabilities: [], keyId: null, peer: null };
const submission = {
	face: 'quickcmd' as const,
	draft: {
		...{ capability: 'shell.run.quickcmd', env: {}, labels: {} },
		command: { mode: 'script' as const, script: 'ls', shell: 'auto' as const },
	},
};
let clock = 1000;
const job = () => {
	clock = 1000;
	return new MemoryJob(principal, submission, () => clock++);
};
const texts = { snapshot: '', stdout: 'o', stderr: 'e', isCut: false };

const ended = (result: Partial<JobResult>) => quickCmdResultOf(job().enter('running').end(result).view(), texts);

describe('the status of a job in QuickCMD', () => {
	it.each([
		['queued', job(), 'pending'],
		['awaiting_approval', job().ask('apr-1'), 'pending'],
		['running', job().enter('running'), 'running'],
		['lost', job().enter('running').enter('lost'), 'failed'],
	])('%s is told as %s', (_, one, status) => {
		expect(quickCmdStatusOf(one.view())).toBe(status);
	});

	it.each([
		[
			{ status: 'succeeded', exitCode: 0 },
			{ status: 'completed', exitCode: 0, error: null },
		],
		[
			{ status: 'failed', exitCode: 3 },
			{ status: 'completed', exitCode: 3, error: null },
		],
		[
			{ status: 'killed', signal: 'SIGSEGV' },
			{ status: 'completed', exitCode: 139, error: null },
		],
		[
			{ status: 'out_of_memory', signal: 'SIGKILL', problem: problemFor('LIMIT_MEMORY', { limit: 16 }) },
			{ status: 'completed', exitCode: 137, error: problemFor('LIMIT_MEMORY', { limit: 16 }).message },
		],
		[
			{ status: 'output_exceeded', signal: 'SIGKILL', problem: problemFor('LIMIT_OUTPUT', { limit: 1 }) },
			{ status: 'completed', exitCode: 137, error: problemFor('LIMIT_OUTPUT', { limit: 1 }).message },
		],
		[
			{ status: 'timed_out', durationMs: 300_012 },
			{ status: 'failed', exitCode: 124, error: 'execution timeout after 300s' },
		],
		[{ status: 'cancelled' }, { status: 'failed', exitCode: 143, error: 'cancelled' }],
		[
			{ status: 'broken', problem: problemFor('SANDBOX_BROKEN', { details: 'x' }) },
			{ status: 'failed', exitCode: 125, error: problemFor('SANDBOX_BROKEN', { details: 'x' }).message },
		],
	] as [Partial<JobResult>, object][])('a job that ended as %j is told as %j', (result, told) => {
		expect(ended(result)).toMatchObject(told);
	});

	it('is never "rejected": a refusal failed, in the year one, with the reason', () => {
		expect(quickCmdResultOf(job().deny('it is forbidden').view(), { ...texts, stdout: '', stderr: '' })).toEqual({
			...{ status: 'failed', sandboxId: '', exitCode: 126, stdout: '', stderr: '', startedAt: 1000, endedAt: null },
			...{ durationMs: 0, snapshot: null, isTruncated: null },
			error: 'The command was not run: it is forbidden (rule test/rule).',
		});
	});

	it('of a job whose agent died is that nobody knows', () => {
		expect(quickCmdResultOf(job().enter('running').enter('lost').view(), texts)).toMatchObject({
			...{ status: 'failed', exitCode: 125, error: problemFor('JOB_LOST').message },
		});
	});

	it('gives the snapshot back that came with the job', () => {
		const one = job().enter('running').exit(0).view();
		expect(quickCmdResultOf(one, { ...texts, snapshot: '{"git":"abc"}' }).snapshot).toBe('{"git":"abc"}');
	});

	it('says that output is missing, and nothing when none is', () => {
		const lossy = job().enter('running').print('stdout', 'x');
		lossy.lost.stdout = 5;
		const forgotten = job().enter('running').exit(0);
		forgotten.isKept = false;
		expect([
			quickCmdResultOf(lossy.exit(0).view(), texts).isTruncated,
			quickCmdResultOf(forgotten.view(), texts).isTruncated,
			quickCmdResultOf(job().enter('running').exit(0).view(), { ...texts, isCut: true }).isTruncated,
			quickCmdResultOf(job().enter('running').exit(0).view(), texts).isTruncated,
		]).toEqual([true, true, true, null]);
	});
});

import { describe, expect, it } from 'vitest';
import { problemFor } from '../../../../../src/contract/error.ts';
import { quickCmdEnd } from '../../../../../src/device/client/adapters/quickcmd-end.ts';
import type { QuickCmdResult } from '../../../../../src/device/wire/quickcmd-answer.ts';

const ended: QuickCmdResult = {
	status: 'completed',
	sandboxId: 'abc',
	exitCode: 0,
	stdout: '',
	stderr: '',
	startedAt: 1,
	endedAt: 2,
	durationMs: 1,
	error: null,
	snapshot: null,
	isTruncated: null,
};
const early = { status: 'failed', sandboxId: '', endedAt: null } as const;

const end = (more: Partial<QuickCmdResult>): unknown[] => {
	const { status, problem, reliability = 'exact' } = quickCmdEnd({ ...ended, ...more });
	return [status, problem?.code ?? null, reliability];
};

describe('an original of QuickCMD', () => {
	it.each<[string, Partial<QuickCmdResult>, unknown[]]>([
		['a word of its policy', { ...early, error: 'Command not in allowlist' }, ['denied', 'POLICY_DENIED', 'exact']],
		['a plugin', { ...early, error: 'plugin denied: protected branch' }, ['denied', 'POLICY_DENIED', 'exact']],
		['a broken plugin', { ...early, error: 'plugin not found: k8s' }, ['broken', 'DEVICE_FAILED', 'exact']],
		['nothing', early, ['broken', 'DEVICE_FAILED', 'exact']],
		['an image that is not there', { error: 'failed to pull image x: EOF' }, ['broken', 'DEVICE_FAILED', 'exact']],
		['a lost container', { error: 'container wait error: EOF' }, ['broken', 'DEVICE_FAILED', 'best_effort']],
		['a failure later', { status: 'failed', error: 'gone' }, ['broken', 'DEVICE_FAILED', 'best_effort']],
		['its limit', { exitCode: 124, error: 'execution timeout after 5m0s' }, ['timed_out', null, 'best_effort']],
		['an exit code like that of a limit', { exitCode: 124 }, ['failed', null, 'exact']],
	])('that names %s', (_what, more, expected) => {
		expect(end(more)).toEqual(expected);
	});

	it('that never started a command says so, and one that may have does not say that it did not', () => {
		const messages = [
			quickCmdEnd({ ...ended, error: 'failed to start container: x' }),
			quickCmdEnd({ ...ended, error: 'container wait error: x' }),
		].map(({ problem }) => problem?.message);
		expect(messages).toEqual([
			'The device could not do the job: failed to start container: x. The command was not run.',
			'The device could not do the job: container wait error: x. Whether the command ran is not known.',
		]);
	});
});

describe('our agent behind the protocol of QuickCMD', () => {
	it.each<[string, Partial<QuickCmdResult>, unknown[]]>([
		['cancelled', { status: 'failed', exitCode: 143, error: 'cancelled' }, ['cancelled', 'JOB_CANCELLED', 'exact']],
		[
			'timed out',
			{ status: 'failed', exitCode: 124, error: 'execution timeout after 2s' },
			['timed_out', null, 'exact'],
		],
		['lost', { status: 'failed', exitCode: 125, error: problemFor('JOB_LOST').message }, ['lost', 'JOB_LOST', 'exact']],
		[
			'denied by a person',
			{ ...early, exitCode: 126, error: problemFor('APPROVAL_DENIED', { who: 'ann', why: 'no' }).message },
			['denied', 'POLICY_DENIED', 'exact'],
		],
		[
			'not started',
			{ status: 'failed', exitCode: 125, error: problemFor('SANDBOX_BROKEN', { details: 'x' }).message },
			['broken', 'DEVICE_FAILED', 'best_effort'],
		],
		['out of memory', { exitCode: 137, error: 'needed more' }, ['killed', null, 'exact']],
	])('says that a job was %s', (_what, more, expected) => {
		expect(end(more)).toEqual(expected);
	});

	it('refuses in whole sentences, which are not wrapped into another one', () => {
		const why = problemFor('APPROVAL_DENIED', { who: 'ann', why: 'no' }).message;
		expect(quickCmdEnd({ ...ended, ...early, exitCode: 126, error: why }).problem?.message).toBe(why);
	});
});

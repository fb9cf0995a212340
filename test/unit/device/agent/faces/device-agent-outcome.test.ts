import { describe, expect, it } from 'vitest';
import type { JobDraft } from '../../../../../src/contract/device-job.ts';
import { problemFor } from '../../../../../src/contract/error.ts';
import type { JobResult } from '../../../../../src/contract/job.ts';
import type { PolicyDecision, PolicyReason } from '../../../../../src/contract/policy.ts';
import { withoutRun } from '../../../../../src/core/result.ts';
import { deviceAgentAnswerOf } from '../../../../../src/device/agent/faces/device-agent-outcome.ts';
import { encodeDeviceAgentAnswer } from '../../../../../src/device/wire/device-agent-answer.ts';
import { MemoryJob } from '../../../../helpers/memory-jobs.ts';

const principal = { name: 'bot', roles: [], capabilities: [], keyId: null, peer: null };
const job = (draft: Partial<JobDraft> = {}) =>
	new MemoryJob(
		principal,
		{
			...{ face: 'device', clientId: 'r-1' },
			draft: {
				...{ capability: 'shell.exec', command: { mode: 'argv', argv: ['ls'] }, env: {}, labels: {} },
				...draft,
			},
		},
		Date.now,
	);
const texts = { stdout: 'o', stderr: 'e', isCut: false, page: null, hasMore: false };
const told = (one: MemoryJob, more: object = {}) =>
	encodeDeviceAgentAnswer(deviceAgentAnswerOf({ ...one.view(), auditHash: 'ab', ...more }, texts));
const ended = (result: Partial<JobResult>) => told(job().enter('running').end(result));

const run = { stdout: 'o', stderr: 'e', exit_code: 0, truncated: false, duration_ms: 0, encoding: 'utf8-lossy' };
const ok = (result: object) => ({
	...{ httpStatus: 200, body: { ok: true, result: { ...run, ...result }, request_id: 'r-1', audit_hash: 'ab' } },
});
const failed = (httpStatus: number, error: string, message: unknown, more: object = {}) => ({
	httpStatus,
	body: { ok: false, error, message, request_id: 'r-1', audit_hash: 'ab', ...more },
});

describe('what device_agent answers to a job', () => {
	it.each([
		[{ status: 'succeeded', exitCode: 0 }, ok({})],
		[{ status: 'failed', exitCode: 3 }, ok({ exit_code: 3 })],
		[{ status: 'killed', signal: 'SIGTERM' }, ok({ exit_code: 143 })],
		[
			{ status: 'out_of_memory', signal: 'SIGKILL', problem: problemFor('LIMIT_MEMORY', { limit: 16 }) },
			ok({ exit_code: 137, stderr: `e\n${problemFor('LIMIT_MEMORY', { limit: 16 }).message}` }),
		],
		[{ status: 'output_exceeded', signal: 'SIGKILL' }, ok({ exit_code: 137, truncated: true })],
		[
			{ status: 'timed_out', problem: problemFor('LIMIT_TIME', { limit: 60 }) },
			failed(200, 'timeout', problemFor('LIMIT_TIME', { limit: 60 }).message, { result: { ...run, exit_code: 124 } }),
		],
		[
			{ status: 'cancelled', problem: problemFor('JOB_CANCELLED') },
			failed(200, 'cancelled', problemFor('JOB_CANCELLED').message, { result: { ...run, exit_code: 143 } }),
		],
		[
			withoutRun('denied', problemFor('APPROVAL_DENIED', { who: 'eve', why: 'no' })),
			failed(403, 'denied', expect.any(String)),
		],
		[withoutRun('denied', problemFor('APPROVAL_EXPIRED')), failed(403, 'expired', expect.any(String))],
		[withoutRun('denied', problemFor('APPROVALS_FULL')), failed(429, 'overloaded', expect.any(String))],
		[withoutRun('denied', problemFor('QUEUE_FULL')), failed(429, 'overloaded', expect.any(String))],
		[withoutRun('denied', problemFor('JOB_INVALID')), failed(400, 'invalid_request', expect.any(String))],
		[withoutRun('broken', problemFor('SANDBOX_BROKEN')), failed(500, 'internal', expect.any(String))],
		[withoutRun('broken', problemFor('PROFILE_UNUSABLE')), failed(500, 'internal', expect.any(String))],
	] as [Partial<JobResult>, object][])('that ended as %j', (result, answer) => {
		expect(ended(result)).toEqual(answer);
	});

	it.each([
		['awaiting_approval', job().ask('apr-1'), 'approval_required', { approval_id: 'apr-1' }],
		['queued', job(), 'running', {}],
		['running', job().enter('running'), 'running', {}],
	])('that is %s', (_, one, error, more) => {
		expect(told(one)).toEqual(failed(202, error, expect.any(String), more));
	});

	it('that is lost', () => {
		const { message } = problemFor('JOB_LOST');
		expect(told(job().enter('running').enter('lost'))).toEqual(failed(500, 'internal', message));
	});

	const refusedBy = (stage: PolicyReason['class'], rule: string) => {
		const reasons = [{ rule, class: stage, decision: 'deny' as const, why: 'w' }];
		const decision: Partial<PolicyDecision> = { decision: 'deny', reasons };
		return told(job().deny('w'), { decision });
	};

	it.each([
		['kill-list', 'blocked'],
		['operator-deny', 'blocked'],
		['program', 'binary_not_allowed'],
		['default', 'binary_not_allowed'],
		['capability', 'denied'],
		['role', 'denied'],
		['path', 'denied'],
		['script', 'denied'],
		['syntax', 'denied'],
		['limit', 'denied'],
		['environment', 'denied'],
		['hook', 'denied'],
	] as const)('that the stage %s refused', (stage, error) => {
		expect(refusedBy(stage, 'some/rule')).toEqual(failed(403, error, 'The command was not run: w (rule test/rule).'));
	});

	it.each([
		[{ mode: 'script', script: 'dir', shell: 'auto' }, null, 'bash'],
		[{ mode: 'script', script: 'dir', shell: 'powershell' }, null, 'powershell'],
		[{ mode: 'script', script: 'dir', shell: 'auto' }, { mode: 'script', script: 'dir', shell: 'sh' }, 'sh'],
	] as const)('of shell.eval names the shell: %j, planned as %j: %s', (command, plan, shell) => {
		const one = job({ capability: 'shell.eval', command, cwd: '/repo' }).enter('running').exit(0);
		expect(told(one, { decision: plan && { plan } })).toEqual(ok({ shell, cwd: '/repo' }));
	});

	it('says that output is missing', () => {
		const lossy = job().enter('running');
		lossy.lost.stdout = 5;
		const forgotten = job().enter('running').exit(0);
		forgotten.isKept = false;
		expect([told(lossy.exit(0)), told(forgotten)]).toEqual([ok({ truncated: true }), ok({ truncated: true })]);
	});

	it('of fs.read says where its bytes lie in the file, and has no other exit code for a page of a longer one', () => {
		const page = { offset: 5, nextOffset: 15, isEnd: false };
		const one = job({ capability: 'fs.read' }).enter('running').end({ status: 'output_exceeded', signal: 'SIGKILL' });
		const answer = (hasMore: boolean) =>
			encodeDeviceAgentAnswer(deviceAgentAnswerOf({ ...one.view(), auditHash: 'ab' }, { ...texts, page, hasMore }));
		const told = { truncated: true, offset: 5, next_offset: 15, eof: false };
		expect([answer(true), answer(false)]).toEqual([ok(told), ok({ ...told, exit_code: 137 })]);
	});
});

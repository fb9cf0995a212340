import { describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../../../src/contract/agent-config.ts';
import { type JobDraftInput, jobDraftSchema } from '../../../../src/contract/device-job.ts';
import type { PolicyDecision } from '../../../../src/contract/policy.ts';
import type { DeviceJob } from '../../../../src/core/runner/runner.ts';
import { approvalDigest, commandDigest, freeze, planned } from '../../../../src/device/agent/freeze.ts';

const config = agentConfigSchema.parse({
	version: 1,
	device: { id: 'device-1' },
	listeners: [{ faces: ['native'], port: 0 }],
	limits: { timeoutMs: 60_000, outputBytes: 4096, memoryBytes: 64 * 1024 * 1024, processes: 32 },
});

const decision = (more: Partial<PolicyDecision> = {}): PolicyDecision => ({
	decision: 'allow',
	reasons: [{ rule: 'program/ls', class: 'program', decision: 'allow', why: 'it reads' }],
	plan: { mode: 'argv', argv: ['/usr/bin/ls', '-l'] },
	profile: 'default',
	limits: {},
	isHighRisk: false,
	policyHash: 'p'.repeat(64),
	...more,
});

const draft = (more: Partial<JobDraftInput> = {}) =>
	jobDraftSchema.parse({ capability: 'shell.run', command: { mode: 'argv', argv: ['ls', '-l'] }, ...more });

function frozen(more: Partial<JobDraftInput> = {}, decided = decision()): DeviceJob {
	const plan = planned(decided);
	if (!plan) throw new Error('nothing may run');
	return freeze('job-1', draft(more), plan, config);
}

describe('a frozen job', () => {
	it('carries what the policy planned, not what was asked for, and the limits of the agent', () => {
		expect(frozen()).toEqual({
			jobId: 'job-1',
			plan: { mode: 'argv', argv: ['/usr/bin/ls', '-l'] },
			profile: 'default',
			cwd: null,
			env: {},
			stdin: null,
			network: null,
			image: null,
			container: null,
			limits: {
				timeoutMs: 60_000,
				idleTimeoutMs: null,
				outputBytes: 4096,
				floodBytes: 4096,
				memoryBytes: 64 * 1024 * 1024,
				processes: 32,
			},
		});
	});

	it('takes the least of what agent, policy and caller allow', () => {
		const decided = decision({ limits: { timeoutMs: 30_000, outputBytes: 8192 } });
		const { limits } = frozen({ timeoutMs: 90_000, outputBytes: 100, memoryBytes: 32 * 1024 * 1024 }, decided);
		expect([limits.timeoutMs, limits.outputBytes, limits.memoryBytes]).toEqual([30_000, 100, 32 * 1024 * 1024]);
		expect(frozen({ memoryBytes: 2 ** 40 }).limits.memoryBytes).toBe(64 * 1024 * 1024);
	});

	it('may print more than is kept of it, unless it is asked to end there', () => {
		const decided = decision({ limits: { outputBytes: 1000 } });
		const bytes = ({ limits }: DeviceJob) => [limits.outputBytes, limits.floodBytes];
		expect(bytes(frozen({}, decided))).toEqual([1000, 4096]);
		expect(bytes(frozen({ excessOutput: 'drop', outputBytes: 100 }))).toEqual([100, 4096]);
		expect(bytes(frozen({ excessOutput: 'end' }, decided))).toEqual([1000, 1000]);
		expect(bytes(frozen({ outputBytes: 9999 }))).toEqual([4096, 4096]);
	});

	it.each([
		['a denial', decision({ decision: 'deny', plan: null, profile: null })],
		['a decision without a plan', decision({ plan: null })],
		['a decision without a profile', decision({ profile: null })],
	])('is not made of %s', (_what, decided) => {
		expect(planned(decided)).toBeUndefined();
	});
});

describe('the digest of an approval', () => {
	const digest = (job: DeviceJob, device = 'device-1', capability = 'shell.run', policy = 'p') =>
		approvalDigest(device, capability, policy, job);

	it('is the same for the same job under another id, in whatever order its environment is written', () => {
		const one = { ...frozen({ env: { A: '1', B: '2' } }), jobId: 'job-2' };
		expect(digest(one)).toBe(digest(frozen({ env: { B: '2', A: '1' } })));
	});

	it.each<[string, string]>([
		['another word', digest(frozen({}, decision({ plan: { mode: 'argv', argv: ['/usr/bin/ls', '-a'] } })))],
		['words cut elsewhere', digest(frozen({}, decision({ plan: { mode: 'argv', argv: ['/usr/bin/ls -l'] } })))],
		['another folder', digest(frozen({ cwd: '/etc' }))],
		['another environment', digest(frozen({ env: { LANG: 'C' } }))],
		['other input', digest(frozen({ stdin: 'x' }))],
		['no network', digest(frozen({ network: 'none' }))],
		['more time', digest(frozen({ timeoutMs: 1000 }))],
		['another profile', digest(frozen({}, decision({ profile: 'direct' })))],
		['another container', digest(frozen({ container: 'web' }))],
		['another device', digest(frozen(), 'device-2')],
		['another capability', digest(frozen(), 'device-1', 'shell.exec')],
		['another policy', digest(frozen(), 'device-1', 'shell.run', 'q')],
	])('differs for %s', (_what, other) => {
		expect(other).not.toBe(digest(frozen()));
	});
});

describe('the digest of a command', () => {
	it('is SHA-256 over the compact JSON of argv, or over the script', () => {
		expect([
			commandDigest({ mode: 'argv', argv: ['ls', '-la'] }),
			commandDigest({ mode: 'script', script: 'ls -la', shell: 'auto' }),
		]).toEqual([
			'f77a57d61be9280480eba9e49f789995d6817c07cea996b4c77cf7b956c41304',
			'1de700c29687cae34561545f50d3c8b3d9afe88e04cc11069f8a6dc6e4ce9464',
		]);
	});
});

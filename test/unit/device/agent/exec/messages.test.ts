import { describe, expect, it } from 'vitest';
import type { DeviceJob } from '../../../../../src/core/runner/runner.ts';
import { fromExecSchema, fromFrontSchema, pieceBytes } from '../../../../../src/device/agent/exec/messages.ts';

const job: DeviceJob = {
	jobId: 'j-1',
	plan: { mode: 'argv', argv: ['ls', '-la'] },
	profile: 'default',
	cwd: null,
	env: { A: 'b' },
	stdin: null,
	network: null,
	image: null,
	container: null,
	limits: { timeoutMs: 1, idleTimeoutMs: null, outputBytes: 1, floodBytes: 1, memoryBytes: 1, processes: 1 },
};

describe('what the front says', () => {
	it.each([{ type: 'run', job }, { type: 'probe' }, { type: 'stop', reason: 'cancelled' }])('may be %j', (message) => {
		expect(fromFrontSchema.parse(message)).toEqual(message);
	});

	it.each([
		['a word of its own', { type: 'profile', profile: {} }],
		['a profile inside the job', { type: 'run', job: { ...job, rules: { backend: 'direct', user: 'root' } } }],
		['a job without limits', { type: 'run', job: { ...job, limits: undefined } }],
		['a limit of nothing', { type: 'run', job: { ...job, limits: { ...job.limits, timeoutMs: 0 } } }],
		['a limit without end', { type: 'run', job: { ...job, limits: { ...job.limits, memoryBytes: 1e300 } } }],
		['a variable with an odd name', { type: 'run', job: { ...job, env: { 'A=B': 'c' } } }],
		['a folder with a NUL', { type: 'run', job: { ...job, cwd: '/a\0b' } }],
		['an empty plan', { type: 'run', job: { ...job, plan: { mode: 'argv', argv: [] } } }],
		['an odd reason', { type: 'stop', reason: 'because' }],
	])('may not be %s', (_name, message) => {
		expect(fromFrontSchema.safeParse(message).success).toBe(false);
	});
});

describe('what the exec side says', () => {
	const outcome = {
		stopped: null,
		exit: { code: 0, signal: null },
		fault: null,
		oomKills: 0,
		processLimitHits: 0,
		peakMemoryBytes: 1,
		cpuMs: 0.5,
		durationMs: 1.5,
		backend: 'nsjail',
		tier: 'full',
		isConfirmedDead: true,
	};
	const piece = Buffer.alloc(pieceBytes).toString('base64');

	it.each([
		{ type: 'started' },
		{ type: 'output', stream: 'stdout', base64: piece },
		{ type: 'outcome', outcome },
		{ type: 'refused', problem: { code: 'JOB_INVALID', message: 'm', next: 'n' } },
		{ type: 'steps', steps: [{ name: 'a', status: 'ok', detail: 'b', fix: null }] },
	])('may be $type', (message) => {
		expect(fromExecSchema.parse(message)).toEqual(message);
	});

	it.each([
		['too much at a time', { type: 'output', stream: 'stdout', base64: `${piece}AAAA` }],
		['a third stream', { type: 'output', stream: 'log', base64: '' }],
		['no base64', { type: 'output', stream: 'stdout', base64: '%' }],
		['an exit code that is none', { type: 'outcome', outcome: { ...outcome, exit: { code: 256, signal: null } } }],
		['more than was asked', { type: 'outcome', outcome: { ...outcome, note: 'x' } }],
	])('may not be %s', (_name, message) => {
		expect(fromExecSchema.safeParse(message).success).toBe(false);
	});
});

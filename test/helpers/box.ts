/** Small complete values for tests of what surrounds a box. */
import { type JobRequest, type JobRequestInput, jobRequestSchema } from '../../src/contract/job.ts';
import { defaultLimits } from '../../src/contract/limits.ts';
import type { BoxOutcome, BoxSpec } from '../../src/core/sandbox/backend.ts';

export const request = (input: JobRequestInput): JobRequest => jobRequestSchema.parse(input);

/** A program that ended well. */
export const goodOutcome: BoxOutcome = {
	stopped: null,
	exit: { code: 0, signal: null },
	fault: null,
	oomKills: 0,
	processLimitHits: 0,
	peakMemoryBytes: 9_437_184,
	cpuMs: 14.4,
	durationMs: 20.6,
};

export const emptySpec: BoxSpec = {
	argv: ['/usr/bin/true'],
	env: {},
	secretEnv: {},
	limits: defaultLimits,
	files: [],
	binds: [],
	ports: [],
	limitAddressSpace: false,
	collector: [],
};

/** What the front and the exec side say to each other. One connection is one job; what does not fit is refused. Pure. */
import { z } from 'zod';
import { commandPlanSchema } from '../../../contract/policy.ts';

const MiB = 1024 * 1024;

/** Of the front: a job with its stdin. Of the exec side: pieces of output and outcomes. */
export const mostBytes = { fromFront: 64 * MiB, fromExec: MiB } as const;

/** Output travels in pieces of at most so many bytes. */
export const pieceBytes = 64 * 1024;

const count = z.int().positive();

const deviceJobSchema = z.strictObject({
	jobId: z.string().min(1).max(200),
	plan: commandPlanSchema,
	profile: z.string().min(1).max(200),
	cwd: z
		.string()
		.max(4096)
		.regex(/^[^\0]*$/)
		.nullable(),
	env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()),
	stdin: z.string().nullable(),
	network: z.literal('none').nullable(),
	image: z.string().max(300).nullable(),
	container: z.string().max(300).nullable(),
	limits: z.strictObject({
		timeoutMs: count,
		idleTimeoutMs: count.nullable(),
		outputBytes: count,
		floodBytes: count,
		memoryBytes: count,
		processes: count,
	}),
});

export const fromFrontSchema = z.discriminatedUnion('type', [
	z.strictObject({ type: z.literal('run'), job: deviceJobSchema }),
	z.strictObject({ type: z.literal('probe') }),
	/** Only after "run"; closing the connection does the same and hears no outcome. */
	z.strictObject({ type: z.literal('stop'), reason: z.enum(['timeout', 'idle', 'memory', 'output', 'cancelled']) }),
]);
export type FromFront = z.infer<typeof fromFrontSchema>;

const figure = z.number().nonnegative();

const outcomeSchema = z.strictObject({
	stopped: z.enum(['timeout', 'idle', 'memory', 'output', 'cancelled']).nullable(),
	exit: z.strictObject({ code: z.int().min(0).max(255).nullable(), signal: z.string().max(20).nullable() }).nullable(),
	fault: z.string().max(20_000).nullable(),
	oomKills: figure,
	processLimitHits: figure,
	peakMemoryBytes: figure,
	cpuMs: figure,
	durationMs: figure,
	backend: z.string().max(40),
	tier: z.enum(['full', 'reduced']),
	isConfirmedDead: z.boolean(),
});

const stepSchema = z.strictObject({
	name: z.string().max(1_000),
	status: z.enum(['ok', 'reduced', 'failed']),
	detail: z.string().max(10_000),
	fix: z.string().max(10_000).nullable(),
});

export const fromExecSchema = z.discriminatedUnion('type', [
	z.strictObject({ type: z.literal('started') }),
	z.strictObject({
		type: z.literal('output'),
		stream: z.enum(['stdout', 'stderr']),
		base64: z.base64().max(Math.ceil(pieceBytes / 3) * 4),
	}),
	z.strictObject({ type: z.literal('outcome'), outcome: outcomeSchema }),
	/** Nothing was run; the sentences are those of a known error. */
	z.strictObject({
		type: z.literal('refused'),
		problem: z.strictObject({
			code: z.string().max(100),
			message: z.string().max(10_000),
			next: z.string().max(10_000),
		}),
	}),
	z.strictObject({ type: z.literal('steps'), steps: z.array(stepSchema).max(1_000) }),
]);
export type FromExec = z.infer<typeof fromExecSchema>;

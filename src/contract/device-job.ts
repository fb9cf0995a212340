/** One job on a device: what is asked for whatever the protocol, and what is known of it from then on. */
import { z } from 'zod';
import { jobResultSchema } from './job.ts';
import { policyDecisionSchema } from './policy.ts';

/** `kind` or `kind.label`; a label only selects another entry of the policy, with its own programs and its own approval. */
export const capabilityPattern = /^[a-z]+(?:\.[a-z0-9_-]+){0,4}$/;

export const shells = ['auto', 'bash', 'sh', 'powershell'] as const;

/** What is to be run: a command that no shell reads, or a script. */
export const commandSchema = z.discriminatedUnion('mode', [
	z.strictObject({ mode: z.literal('argv'), argv: z.array(z.string()).min(1).max(500) }),
	z.strictObject({ mode: z.literal('script'), script: z.string().min(1), shell: z.enum(shells).default('auto') }),
]);
export type Command = z.infer<typeof commandSchema>;

const environmentSchema = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string());

/** Labels say for whom a job runs; they never change what a job may do. */
export const deviceLabelsSchema = z.strictObject({
	workflow: z.string().max(200).optional(),
	execution: z.string().max(200).optional(),
	item: z.string().max(200).optional(),
	promptDigest: z.string().max(200).optional(),
});

/** No jail stands in less. */
export const leastMemoryBytes = 16 * 1024 * 1024;

/** What a protocol was decoded into. Absent numbers: the policy's; a number only narrows what the policy allows. */
export const jobDraftSchema = z.strictObject({
	capability: z.string().max(100).regex(capabilityPattern),
	command: commandSchema,
	cwd: z.string().max(4096).optional().describe('Absent: a workspace of the job itself.'),
	env: environmentSchema.default({}),
	stdin: z.string().optional(),
	timeoutMs: z.int().positive().optional().describe('Wall time from the start of the command.'),
	idleTimeoutMs: z.int().positive().optional().describe('Time without output after which the job is ended.'),
	outputBytes: z.int().positive().optional().describe('What is kept of stdout and stderr together.'),
	excessOutput: z
		.enum(['drop', 'end'])
		.optional()
		.describe(
			'What becomes of a command that prints more than is kept: it goes on unheard (also when absent), or is ended.',
		),
	memoryBytes: z.int().min(leastMemoryBytes).optional().describe('Memory of the command and all its processes.'),
	network: z.literal('none').optional().describe('Not even the network that the profile of the policy has.'),
	paths: z
		.array(
			z
				.string()
				.max(4096)
				.regex(/^\/[^\0]*$/),
		)
		.max(100)
		.optional()
		.describe('Of the paths that the policy opens, only what lies below these. []: none but the workspace.'),
	image: z.string().max(300).optional().describe('Container image, for profiles that run in containers.'),
	container: z.string().max(300).optional().describe('Running container that the command is for (docker.container.*).'),
	labels: deviceLabelsSchema.prefault({}),
	/** The same key from the same principal is the same job: a resend answers with the job that is there. */
	idempotencyKey: z.string().min(1).max(200).optional(),
});
export type JobDraft = z.infer<typeof jobDraftSchema>;
export type JobDraftInput = z.input<typeof jobDraftSchema>;

/**
 * awaiting_approval -> queued -> running -> ended; every state may go to `ended` at once (denied, cancelled). `lost`: the
 * agent died while the job ran; nobody knows how it ended, and it is never run again.
 */
export const jobStates = ['awaiting_approval', 'queued', 'running', 'ended', 'lost'] as const;
export type JobState = (typeof jobStates)[number];

export const isOver = (state: JobState): boolean => state === 'ended' || state === 'lost';

export const faceNames = ['agent3', 'ogent', 'quickcmd', 'device', 'native'] as const;
export type FaceName = (typeof faceNames)[number];

/** Where the bytes of one stream stand. Offsets count bytes of the stored stream. */
export const streamStateSchema = z.strictObject({
	totalBytes: z.int().describe('What the command printed.'),
	storedBytes: z.int().describe('What is kept and can be read; less than totalBytes when the cap was reached.'),
	isComplete: z.boolean().describe('Nothing will be added any more.'),
});

/** All that is known of a job. Times are milliseconds since 1970. */
export const jobViewSchema = z.strictObject({
	jobId: z.string(),
	deviceId: z.string(),
	face: z.enum(faceNames),
	/** Id that the client chose; null where it chose none. */
	clientId: z.string().nullable(),
	principal: z.string(),
	capability: z.string(),
	command: commandSchema,
	cwd: z.string().nullable(),
	state: z.enum(jobStates),
	approvalId: z.string().nullable(),
	decision: policyDecisionSchema.nullable(),
	/** Null until the job is over, and for a lost job. */
	result: jobResultSchema.nullable(),
	/** Whether the host proved that no process of the job is left; null while it runs and for jobs that never ran. */
	isConfirmedDead: z.boolean().nullable(),
	output: z.strictObject({
		stdout: streamStateSchema,
		stderr: streamStateSchema,
		isKept: z.boolean().describe('False once the output was deleted, by its owner or because its time was over.'),
	}),
	labels: deviceLabelsSchema,
	acceptedAt: z.int(),
	startedAt: z.int().nullable(),
	endedAt: z.int().nullable(),
	/** Seal of the last audit record about the job. */
	auditHash: z.string(),
});
export type JobView = z.infer<typeof jobViewSchema>;

/** What a watcher of a job hears, in order; `seq` counts from 1 and has no gap. Output is base64 of the stored bytes. */
export const jobEventSchema = z.discriminatedUnion('type', [
	z.strictObject({ seq: z.int(), at: z.int(), type: z.literal('state'), state: z.enum(jobStates) }),
	z.strictObject({
		seq: z.int(),
		at: z.int(),
		type: z.literal('output'),
		stream: z.enum(['stdout', 'stderr']),
		offset: z.int(),
		base64: z.base64(),
	}),
	z.strictObject({ seq: z.int(), at: z.int(), type: z.literal('end'), job: jobViewSchema }),
]);
export type JobEvent = z.infer<typeof jobEventSchema>;

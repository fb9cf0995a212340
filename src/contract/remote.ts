/** What Remote Shell asks of a device and answers with: the shape of every other job, and where it ran. */
import { z } from 'zod';
import { capabilityPattern, commandSchema, faceNames } from './device-job.ts';
import { jobResultSchema } from './job.ts';
import { jobStatuses } from './status.ts';

/** What the author lets be run, decided; the model fills in no more than the command and the alias of a device. */
export const remoteCommandSchema = z.strictObject({
	command: commandSchema,
	/** Absent: what the protocol has for ordinary commands. */
	capability: z.string().max(100).regex(capabilityPattern).optional(),
	cwd: z.string().optional(),
	env: z.record(z.string(), z.string()).default({}),
	stdin: z.string().optional(),
	/** Wall time on the device. Absent: the device's own limit. */
	timeoutMs: z.int().positive().optional(),
	labels: z.record(z.string(), z.string()).default({}),
	/** The same key is the same job, where the protocol knows such keys: a retry never runs it twice. */
	idempotencyKey: z.string(),
});
export type RemoteCommand = z.infer<typeof remoteCommandSchema>;

/**
 * Beyond the words of a finished job: it waits, it runs, nobody knows how it ended (`lost`), or the device gave no answer
 * (`unreachable`: nothing was run, or nobody knows; the problem says which).
 */
export const remoteStatuses = [
	...jobStatuses,
	'awaiting_approval',
	'queued',
	'running',
	'lost',
	'unreachable',
] as const;
export type RemoteStatus = (typeof remoteStatuses)[number];

export const isRemoteOver = (status: RemoteStatus): boolean =>
	!(['awaiting_approval', 'queued', 'running'] as RemoteStatus[]).includes(status);

/** Over, or in the hands of a person: what a caller waits for. */
export const isRemoteSettled = (status: RemoteStatus): boolean =>
	status === 'awaiting_approval' || isRemoteOver(status);

export const remoteResultSchema = jobResultSchema.extend({
	status: z.enum(remoteStatuses),
	/** Alias of the device in the author's list. */
	device: z.string(),
	protocol: z.enum(faceNames),
	/** What "read output", "status" and "cancel" take; null when the device never gave one. */
	jobId: z.string().nullable(),
	approval: z.strictObject({ approvalId: z.string(), message: z.string() }).nullable(),
	/** exact: the device said so. best_effort: the protocol cannot say it exactly; `notes` says what. */
	reliability: z.enum(['exact', 'best_effort']),
	/** What this protocol or this device could not do, one sentence each. */
	notes: z.array(z.string()),
	/** Bytes of each stream on the device; null where the protocol does not tell. */
	outputBytes: z.strictObject({ stdout: z.int().nullable(), stderr: z.int().nullable() }),
});
export type RemoteResult = z.infer<typeof remoteResultSchema>;

/** A piece of the output of a job. Offsets are in the unit of the protocol; a caller only hands `nextOffset` back. */
export const remoteOutputSchema = z.strictObject({
	device: z.string(),
	jobId: z.string(),
	stream: z.enum(['stdout', 'stderr']),
	text: z.string(),
	offset: z.int(),
	nextOffset: z.int(),
	eof: z.boolean(),
	totalBytes: z.int().nullable(),
	/** Lines found by a search, with their numbers; null for other reads. */
	hits: z.array(z.strictObject({ line: z.int(), offset: z.int(), text: z.string() })).nullable(),
	notes: z.array(z.string()),
});
export type RemoteOutput = z.infer<typeof remoteOutputSchema>;

/** What the Command Execution Service tells the socket service while a command runs, which passes it on to browsers. Pure. */
import { z } from 'zod';
import { readJson } from './json.ts';
import { type OgentStatus, ogentStatuses } from './ogent.ts';

export const ogentPushPath = '/api/execution-status';

/** Lines of output that an update of a running command carries: its last ones. */
export const ogentPushLines = 10;

/** An update. A running one carries the last lines, the last one carries all. */
export interface OgentPush {
	readonly executionId: string;
	readonly status: OgentStatus;
	/** 1 at the start, then one for every 10 lines up to 99, so that it is 0 after the first; 100 at the end. */
	readonly progress: number;
	/** Empty: nothing to say. */
	readonly output: string;
	readonly error: string;
	readonly isTruncated: boolean;
}

export const ogentProgress = (lines: number): number => Math.min(99, Math.floor(lines / 10));

/** All lines with a line end between them, as those of an update while the command runs. */
export const ogentLines = (text: string): string => text.replaceAll('\r\n', '\n').replace(/\n$/, '');

export function encodeOgentPush({ executionId, status, progress, output, error, isTruncated }: OgentPush): string {
	return JSON.stringify({
		executionId,
		status,
		progress,
		output: output === '' ? undefined : output,
		error: error === '' ? undefined : error,
		truncated: isTruncated ? true : undefined,
	});
}

const pushSchema = z.object({
	executionId: z.string(),
	status: z.preprocess((word) => (word === 'canceled' ? 'cancelled' : word), z.enum(ogentStatuses)),
	progress: z.number(),
	output: z.string().nullish(),
	error: z.string().nullish(),
	truncated: z.boolean().nullish(),
});

/** @returns undefined when it is no update; the same shape arrives as the event "execution-status" of the socket */
export function decodeOgentPush(body: Uint8Array): OgentPush | undefined {
	const json = readJson(body);
	const { data } = pushSchema.safeParse(json.ok ? json.value : undefined);
	if (!data) return undefined;
	const { executionId, status, progress, output, error, truncated } = data;
	return { executionId, status, progress, output: output ?? '', error: error ?? '', isTruncated: truncated ?? false };
}

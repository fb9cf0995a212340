/** What a caller of Ogent asks for, as a job. Whatever stands beside the command can only make it smaller. Pure. */
import type { AgentConfig } from '../../../contract/agent-config.ts';
import { type JobDraft, leastMemoryBytes } from '../../../contract/device-job.ts';
import type { OgentSubmit } from '../../wire/ogent.ts';

export const ogentCapability = 'shell.run.ogent';

const MiB = 1024 * 1024;

/** @returns the job, or why there is none */
export function ogentDraft(submit: OgentSubmit, { ogent }: AgentConfig): JobDraft | { readonly why: string } {
	const { command, executionId, timeoutSeconds, memoryMegabytes, allowedPaths, networkAccess } = submit;
	if (command.trim() === '') return { why: 'the command is empty' };
	const memoryBytes = memoryMegabytes === undefined ? undefined : Math.floor(memoryMegabytes * MiB);
	if (memoryBytes !== undefined && memoryBytes < leastMemoryBytes)
		return { why: `memory_limit is at least ${leastMemoryBytes / MiB}` };
	const seconds = Math.min(timeoutSeconds ?? ogent.maxExecutionSeconds, ogent.maxExecutionSeconds);
	return {
		capability: ogentCapability,
		command: { mode: 'script', script: command, shell: 'auto' },
		env: {},
		labels: {},
		timeoutMs: Math.max(1, Math.round(seconds * 1000)),
		...(memoryBytes !== undefined && { memoryBytes: Math.min(memoryBytes, Number.MAX_SAFE_INTEGER) }),
		...(allowedPaths !== undefined && { paths: [...allowedPaths] }),
		...(networkAccess === false && { network: 'none' }),
		...(executionId !== undefined && { idempotencyKey: `ogent:${executionId}` }),
	};
}

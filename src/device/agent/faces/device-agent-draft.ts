/** What a request to device_agent is as a job. Pure. */
import { createHash } from 'node:crypto';
import type { Command, JobDraft } from '../../../contract/device-job.ts';
import { containerLogs, listContainers } from '../../../core/runner/container-words.ts';
import type { DeviceAgentRequest } from '../../wire/device-agent.ts';
import type { DeviceAgentCall } from '../../wire/device-agent-call.ts';
import type { Compat } from '../ports.ts';

/** Bytes of a file in one answer: as many as hold any character, as are given unasked, and the most. */
const fileBytes = { least: 4, usual: 1024 * 1024, most: 4 * 1024 * 1024 } as const;

export const fileLimit = (limit: number | null): number =>
	Math.min(Math.max(limit ?? fileBytes.usual, fileBytes.least), fileBytes.most);

export type DeviceAgentDrafting = { readonly draft: JobDraft } | { readonly details: string };

function commandOf(call: DeviceAgentCall): Command {
	switch (call.kind) {
		case 'shell.eval':
			return { mode: 'script', script: call.cmd, shell: call.shell };
		case 'fs.read':
			return { mode: 'argv', argv: ['cat', '--', call.path] };
		case 'docker.container.list':
			return { mode: 'argv', argv: listContainers(call.isAll) };
		case 'docker.container.logs':
			return { mode: 'argv', argv: containerLogs(call.container, call.lines) };
		default:
			return { mode: 'argv', argv: [...call.argv] };
	}
}

/** Both streams count; so much is left for what `cat` has to say. */
const sayingBytes = 4096;

/** As far as somebody wants to read, and one byte more, which tells whether there is one. */
const fileEnd = (offset: number, limit: number | null): number => offset + fileLimit(limit) + 1 + sayingBytes;

export function deviceAgentDraft(request: DeviceAgentRequest, call: DeviceAgentCall): DeviceAgentDrafting {
	const own = call.kind === 'shell.eval' ? (call.cwd ?? undefined) : undefined;
	if (own !== undefined && request.cwd !== undefined && own !== request.cwd)
		return { details: 'args and cwd name two folders' };
	const cwd = own ?? request.cwd;
	return {
		draft: {
			capability: request.capability,
			command: commandOf(call),
			env: {},
			labels: {},
			...(cwd !== undefined && cwd !== '' && { cwd }),
			...('container' in call && { container: call.container }),
			...(call.kind === 'fs.read' && {
				outputBytes: fileEnd(call.offset, call.limit),
				// Nobody reads what stands behind the page.
				excessOutput: 'end' as const,
			}),
		},
	};
}

/** For the table of the audit: SHA-256 over the compact JSON of the arguments as they came, hex. */
export const deviceAgentCompat = ({ args }: DeviceAgentRequest): Compat & { readonly argsHash: string } => ({
	argsHash: createHash('sha256').update(JSON.stringify(args)).digest('hex'),
});

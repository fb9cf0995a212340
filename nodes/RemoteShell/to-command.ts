/** Turns what is to be run into the request for a device; whatever the caller passed beside it changes nothing. */
import type { Command } from '../../src/contract/device-job.ts';
import type { RemoteCommand } from '../../src/contract/remote.ts';
import type { NodeContext } from '../shared/context.ts';
import type { Settings } from './settings.ts';

function labelsFor(context: NodeContext, itemIndex: number): Record<string, string> {
	const { id } = context.getWorkflow();
	return {
		...(id && { workflow: String(id) }),
		execution: String(context.getExecutionId() ?? ''),
		item: String(itemIndex),
	};
}

/**
 * Names one action of one run of one node, so that n8n may try again without running it twice. The id of a model's call is put
 * into the item by the engine, after whatever the model passed.
 */
export function idempotencyKey(context: NodeContext, itemIndex: number): string {
	const { toolCallId } = context.getInputData(itemIndex)?.[itemIndex]?.json ?? {};
	const proxy = context.getWorkflowDataProxy(itemIndex);
	const call = typeof toolCallId === 'string' ? toolCallId : `run ${proxy.$runIndex ?? 0}`;
	return [context.getExecutionId(), context.getNode().id, call, itemIndex].join(' ').slice(0, 200);
}

export function toCommand(
	context: NodeContext,
	settings: Settings,
	command: Command,
	itemIndex: number,
	key: string,
): RemoteCommand {
	const { capability, cwd, env, stdin, timeoutMs } = settings;
	return {
		command,
		env: { ...env },
		labels: labelsFor(context, itemIndex),
		idempotencyKey: key,
		...(capability !== undefined && { capability }),
		...(cwd !== undefined && { cwd }),
		...(stdin !== undefined && { stdin }),
		...(timeoutMs !== undefined && { timeoutMs }),
	};
}

/** Turns what is to be run into the request for a device; whatever the caller passed beside it changes nothing. */
import { createHash } from 'node:crypto';
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

/** The engine puts the id of a model's call into the item, after whatever the model passed. */
export function callOfItem(context: NodeContext, itemIndex: number): string | undefined {
	const { toolCallId } = context.getInputData()[itemIndex]?.json ?? {};
	return typeof toolCallId === 'string' ? toolCallId : undefined;
}

/**
 * Names one action of one run of one node, so that n8n may try again without running it twice. Executions are counted by each
 * n8n for itself, and several may share a device.
 * @param call id of a model's call, where one run of the node serves several
 */
export function idempotencyKey(context: NodeContext, itemIndex: number, call = ''): string {
	const proxy = context.getWorkflowDataProxy(itemIndex);
	const action = [
		context.getInstanceId(),
		context.getWorkflow().id,
		context.getExecutionId(),
		context.getNode().id,
		proxy.$runIndex ?? 0,
		itemIndex,
		call,
	];
	return createHash('sha256').update(JSON.stringify(action)).digest('hex');
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

/** What the nodes can do with a device. Plain data: n8n reads it at start. */
import { KnownError } from '../../src/contract/error.ts';
import type { NodeContext } from '../shared/context.ts';
import { literal } from '../shared/literal.ts';

/** Of the tool: one for each node, fixed by the author, so that a model that may run cannot do more. */
export const toolOperations = [
	{ name: 'Cancel a Job', value: 'cancel', description: 'The model ends an earlier job', action: 'Cancel a job' },
	{
		name: 'Job Status',
		value: 'status',
		description: 'The model asks how an earlier job stands',
		action: 'Get the status of a job',
	},
	{
		name: 'Read Output',
		value: 'readOutput',
		description: 'The model reads pages, the end, or matching lines of the output of an earlier job',
		action: 'Read the output of a job',
	},
	{
		name: 'Run a Command',
		value: 'run',
		description: 'The model runs a command and reads how it ended',
		action: 'Run a command',
	},
] as const;
export type ToolOperation = (typeof toolOperations)[number]['value'];

export const stepOperations = [
	{ name: 'Cancel', value: 'cancel', description: 'End a job', action: 'Cancel a job' },
	{ name: 'Capabilities', value: 'capabilities', description: 'What the devices can do', action: 'Get capabilities' },
	{ name: 'Health', value: 'health', description: 'Whether the devices are up', action: 'Check health' },
	{
		name: 'Read Output',
		value: 'readOutput',
		description: 'Pages, end or matching lines of what a job printed',
		action: 'Read output',
	},
	{ name: 'Run', value: 'run', description: 'Run a command and wait for its end', action: 'Run a command' },
	{ name: 'Status', value: 'status', description: 'How a job stands', action: 'Get the status of a job' },
	{ name: 'Submit', value: 'submit', description: 'Hand a command in and go on', action: 'Submit a command' },
	{
		name: 'Validate',
		value: 'validate',
		description: 'What the policy of the device says, without running',
		action: 'Validate a command',
	},
	{ name: 'Wait', value: 'wait', description: 'Wait for the end of a job', action: 'Wait for a job' },
] as const;
export type StepOperation = (typeof stepOperations)[number]['value'];

export function readOperation(context: NodeContext, itemIndex: number): ToolOperation {
	const value = literal(context, 'toolOperation', itemIndex, 'run');
	const found = toolOperations.find((operation) => operation.value === value);
	if (found) return found.value;
	throw new KnownError('CONFIG_INVALID', { details: 'the parameter "toolOperation" names no operation of this node' });
}

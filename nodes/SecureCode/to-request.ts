/** From what the author allows and what was asked for to one job request. */
import type { JobRequestInput } from '../../src/contract/job.ts';
import { limits, narrow } from '../../src/contract/limits.ts';
import type { NodeContext } from '../shared/context.ts';
import type { ToolCall } from './model-arguments.ts';
import { megabyte, secondMs } from './parameters.ts';
import type { Settings } from './settings.ts';

const scaled = (amount: number | undefined, unit: number): number | undefined =>
	amount === undefined ? undefined : Math.round(amount * unit);

/** What a session may hold must fit into /work. */
const workSpace = ({ session }: Settings): { workBytes?: number } =>
	session && session.quotaBytes > limits.workBytes.default ? { workBytes: session.quotaBytes } : {};

/** The limits of a call only narrow those of the author. */
export function toRequest(
	settings: Settings,
	call: ToolCall,
	labels: NonNullable<JobRequestInput['labels']>,
): JobRequestInput {
	return {
		code: call.code,
		language: call.language ?? settings.language,
		limits: {
			timeoutMs: narrow('timeoutMs', settings.timeoutMs, scaled(call.maxTime, secondMs)),
			memoryBytes: narrow('memoryBytes', settings.memoryBytes, scaled(call.maxMemory, megabyte)),
			codeCharacters: settings.codeCharacters,
			...workSpace(settings),
		},
		network: settings.network,
		bundle: settings.bundle,
		warm: settings.isWarm,
		preload: [...settings.preload],
		...(settings.allowedImports === undefined ? {} : { allowedImports: settings.allowedImports }),
		check: settings.check,
		checkPolicy: settings.checkPolicy,
		labels,
	};
}

/** For whom a job runs; an execution that was never saved has no ids. */
export function labelsFor(context: NodeContext, itemIndex: number): NonNullable<JobRequestInput['labels']> {
	const workflow = context.getWorkflow().id;
	const execution = context.getExecutionId();
	return {
		...(workflow ? { workflow: String(workflow) } : {}),
		...(execution ? { execution: String(execution) } : {}),
		item: String(itemIndex),
	};
}

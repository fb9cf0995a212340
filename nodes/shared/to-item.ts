/** How a result leaves a node: whole for a workflow, with its long text cut for a model. */
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import type { JobResult } from '../../src/contract/job.ts';
import { fixedLimits } from '../../src/contract/limits.ts';
import { cutMiddle } from '../../src/core/text.ts';

export function itemFor(result: JobResult, itemIndex: number): INodeExecutionData {
	return { json: result as unknown as IDataObject, pairedItem: { item: itemIndex } };
}

/** n8n does not cut what a tool returns, and a model pays for every word. */
export function cutForModel(result: JobResult): JobResult {
	const stdout = cutMiddle(result.stdout, fixedLimits.modelTextBytes);
	const stderr = cutMiddle(result.stderr, fixedLimits.modelTextBytes);
	return {
		...result,
		stdout: stdout.text,
		stderr: stderr.text,
		truncated: {
			stdout: result.truncated.stdout || stdout.truncated,
			stderr: result.truncated.stderr || stderr.truncated,
		},
	};
}

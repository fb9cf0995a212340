/** Runs the step's program for each input item, one after the other. */
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import type { JobResult } from '../../src/contract/job.ts';
import { withoutRun } from '../../src/core/result.ts';
import { runJob } from '../shared/executor.ts';
import { hintFor, logJob } from '../shared/report.ts';
import { itemFor } from '../shared/to-item.ts';
import { toNodeError } from '../shared/to-node-error.ts';
import type { SecretSettings } from './secret-choice.ts';
import { secretsFor } from './secrets-for.ts';
import { readSettings } from './settings.ts';
import { labelsFor, toRequest } from './to-request.ts';

/** No model is there to ask, so the program gets every secret that is exposed. */
const alwaysGiven = (secrets: SecretSettings) => ({ secrets: { ...secrets, mode: 'always' as const } });

async function runItem(context: IExecuteFunctions, itemIndex: number): Promise<JobResult> {
	const code = context.getNodeParameter('code', itemIndex) as string;
	const settings = readSettings(context, itemIndex);
	const secrets = await secretsFor(context, settings.secrets ? alwaysGiven(settings.secrets) : {}, [], itemIndex);
	const result =
		'problem' in secrets
			? withoutRun('denied', secrets.problem)
			: await runJob(context, toRequest(settings, { code }, labelsFor(context, itemIndex)), secrets);
	logJob(context, result);
	return result;
}

/** A program that fails is an item like any other; only what a person must repair is an error. */
export async function runItems(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const items: INodeExecutionData[] = [];
	const results: JobResult[] = [];
	for (const index of context.getInputData().keys()) {
		try {
			const result = await runItem(context, index);
			results.push(result);
			items.push(itemFor(result, index));
		} catch (error) {
			const fault = toNodeError(context, error, index);
			if (!context.continueOnFail()) throw fault;
			items.push({ json: { error: fault.message }, pairedItem: { item: index } });
		}
	}
	if (results.length > 0) context.addExecutionHints(hintFor(results));
	return items;
}

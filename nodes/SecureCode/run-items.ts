/** Runs the step's program for each input item, one after the other. */
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import type { Delivery, NodeResult } from '../shared/deliver-files.ts';
import { hintFor, logJob } from '../shared/report.ts';
import { itemFor } from '../shared/to-item.ts';
import { toNodeError } from '../shared/to-node-error.ts';
import { refusedBecause, runProgram } from './run-program.ts';
import type { SecretSettings } from './secret-choice.ts';
import { secretsFor } from './secrets-for.ts';
import { readSettings } from './settings.ts';
import { labelsFor, toRequest } from './to-request.ts';

/** No model is there to ask, so the program gets every secret that is exposed. */
const alwaysGiven = (secrets: SecretSettings) => ({ secrets: { ...secrets, mode: 'always' as const } });

/** An empty field is no input, not an empty one: the program finds the same end either way. */
function stdinOf(context: IExecuteFunctions, itemIndex: number): { stdin?: string } {
	const value = context.getNodeParameter('stdin', itemIndex, '');
	const text = typeof value === 'string' ? value : JSON.stringify(value);
	return text === '' ? {} : { stdin: text };
}

async function runItem(context: IExecuteFunctions, itemIndex: number): Promise<Delivery> {
	const code = context.getNodeParameter('code', itemIndex) as string;
	const settings = readSettings(context, itemIndex);
	const secrets = await secretsFor(context, settings.secrets ? alwaysGiven(settings.secrets) : {}, [], itemIndex);
	if ('problem' in secrets) return refusedBecause(secrets.problem);
	const request = { ...toRequest(settings, { code }, labelsFor(context, itemIndex)), ...stdinOf(context, itemIndex) };
	const files = { ...settings.files, mode: 'always' as const };
	const { session, isStreamed } = settings;
	return await runProgram(context, { request, secrets, files, session, isStreamed, asked: [], spread: [] }, itemIndex);
}

/** A program that fails is an item like any other; only what a person must repair is an error. */
export async function runItems(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const items: INodeExecutionData[] = [];
	const results: NodeResult[] = [];
	for (const index of context.getInputData().keys()) {
		try {
			const delivery = await runItem(context, index);
			logJob(context, delivery.result);
			results.push(delivery.result);
			items.push(itemFor(delivery, index));
		} catch (error) {
			const fault = toNodeError(context, error, index);
			if (!context.continueOnFail()) throw fault;
			items.push({ json: { error: fault.message }, pairedItem: { item: index } });
		}
	}
	if (results.length > 0) context.addExecutionHints(hintFor(results));
	return items;
}

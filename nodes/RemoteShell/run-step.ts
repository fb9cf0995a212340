/** The step on the canvas: for each input item one action on each of its devices, one item for each device. */
import { type IDataObject, type IExecuteFunctions, type INodeExecutionData, NodeOperationError } from 'n8n-workflow';
import type { Command } from '../../src/contract/device-job.ts';
import { KnownError } from '../../src/contract/error.ts';
import type { RemoteResult } from '../../src/contract/remote.ts';
import type { DeviceClient, ReadRequest } from '../../src/device/client/client.ts';
import { withDevice } from '../shared/devices.ts';
import { splitList } from '../shared/lists.ts';
import { toNodeError } from '../shared/to-node-error.ts';
import { chooseDevices } from './choose-devices.ts';
import type { DeviceList } from './device-list.ts';
import { fanOut } from './fan-out.ts';
import { onJob, runOnDevices } from './on-device.ts';
import type { StepOperation } from './operations.ts';
import { hintFor, logResults } from './results.ts';
import { readSettings, type Settings } from './settings.ts';
import { toCommand } from './to-command.ts';

type Parameter = <T>(name: string) => T;

function commandOf(parameter: Parameter): Command {
	if (parameter<string>('commandMode') === 'argv') {
		const argv = parameter<unknown[]>('argv').map(String);
		if (argv.length === 0 || argv[0] === '')
			throw new KnownError('JOB_INVALID', { details: '"Arguments" names no program' });
		return { mode: 'argv', argv };
	}
	const script = parameter<string>('script');
	if (script.trim() === '') throw new KnownError('JOB_INVALID', { details: '"Script" is empty' });
	return { mode: 'script', script, shell: 'auto' };
}

function readOf(parameter: Parameter): ReadRequest {
	const stream = parameter<'stdout' | 'stderr'>('stream');
	const how = parameter<string>('readHow');
	if (how === 'tail') return { stream, how, lines: parameter<number>('lines') };
	if (how === 'search') return { stream, how, pattern: parameter<string>('pattern'), most: 1000 };
	return { stream, how: 'page', offset: parameter<number>('offset'), limit: parameter<number>('limit') };
}

const jobActions = {
	status: (jobId: string) => (client: DeviceClient) => client.status(jobId),
	cancel: (jobId: string) => (client: DeviceClient) => client.cancel(jobId),
} as const;

/** What answers with something else than the result of a job. */
async function ask(
	operation: StepOperation,
	client: DeviceClient,
	context: IExecuteFunctions,
	settings: Settings,
	parameter: Parameter,
	index: number,
): Promise<object> {
	if (operation === 'health') return client.health();
	if (operation === 'capabilities') return client.capabilities();
	if (operation === 'readOutput') return client.read(parameter<string>('jobId'), readOf(parameter));
	return client.validate(toCommand(context, settings, commandOf(parameter), index, 'validate'));
}

async function act(
	context: IExecuteFunctions,
	settings: Settings,
	devices: DeviceList,
	index: number,
): Promise<object[]> {
	const parameter: Parameter = (name) => context.getNodeParameter(name, index) as never;
	const operation = parameter<StepOperation>('operation');
	if (operation === 'run' || operation === 'submit')
		return runOnDevices(
			context,
			settings,
			{ command: commandOf(parameter), devices, later: operation === 'submit' },
			index,
		);
	if (operation === 'wait') {
		const ms = parameter<number>('waitSeconds') * 1000;
		return onJob(context, devices, (client, watch) => client.wait(parameter<string>('jobId'), ms, watch));
	}
	if (operation === 'status' || operation === 'cancel')
		return onJob(context, devices, jobActions[operation](parameter<string>('jobId')));
	return fanOut(devices, settings.concurrency, (alias, access) =>
		withDevice(alias, access, async (client) => ({
			device: alias,
			...(await ask(operation, client, context, settings, parameter, index)),
		})),
	);
}

const isResult = (row: object): row is RemoteResult => 'status' in row && 'protocol' in row && 'device' in row;

/** A command that ran and did not succeed fails the node, where the author wants it so; one that waits for approval does not. */
function refuseFailed(context: IExecuteFunctions, rows: readonly object[], index: number): void {
	if (context.getNodeParameter('failOnError', index, false) !== true) return;
	const failed = rows
		.filter(isResult)
		.filter(({ status }) => !['succeeded', 'queued', 'running', 'awaiting_approval'].includes(status));
	if (failed.length === 0) return;
	const { message, description } = {
		message: hintFor(failed).message,
		description: failed[0]?.stderr.slice(-2000) ?? '',
	};
	throw new NodeOperationError(context.getNode(), message, { itemIndex: index, description });
}

async function runItem(context: IExecuteFunctions, index: number): Promise<INodeExecutionData[]> {
	const stdin = context.getNodeParameter('stdin', index, '') as string;
	const settings = { ...(await readSettings(context, index)), ...(stdin !== '' && { stdin }) };
	const targets = splitList(context.getNodeParameter('targets', index, '*') as string);
	const chosen = chooseDevices(settings.devices, targets, true);
	if ('problem' in chosen) throw new KnownError('JOB_INVALID', {}, { problem: chosen.problem });
	const rows = await act(context, settings, chosen.devices, index);
	const results = rows.filter(isResult);
	if (results.length > 0) {
		logResults(context, results);
		context.addExecutionHints(hintFor(results));
	}
	refuseFailed(context, rows, index);
	return rows.map((row) => ({ json: row as IDataObject, pairedItem: { item: index } }));
}

export async function runStep(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const items: INodeExecutionData[] = [];
	for (const index of context.getInputData().keys()) {
		try {
			items.push(...(await runItem(context, index)));
		} catch (error) {
			const fault = toNodeError(context, error, index);
			if (!context.continueOnFail()) throw fault;
			items.push({ json: { error: fault.message }, pairedItem: { item: index } });
		}
	}
	return items;
}

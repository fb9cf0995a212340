/** For each input item one action on requests for approval. */
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import type { ApprovalAnswer } from '../../src/contract/approval.ts';
import { KnownError } from '../../src/contract/error.ts';
import type { DeviceClient } from '../../src/device/client/client.ts';
import { chooseDevices } from '../RemoteShell/choose-devices.ts';
import { type DeviceList, readDeviceList } from '../RemoteShell/device-list.ts';
import { withDevice } from '../shared/devices.ts';
import { toNodeError } from '../shared/to-node-error.ts';

async function targets(context: IExecuteFunctions, index: number): Promise<DeviceList> {
	const devices = readDeviceList(
		'native',
		await context.getCredentials<Record<string, unknown>>('remoteShellApproverApi', index),
	);
	const named = (context.getNodeParameter('device', index, '') as string).trim();
	const isList = context.getNodeParameter('operation', index) === 'list';
	const chosen = chooseDevices(devices, named === '' ? (isList ? ['*'] : undefined) : [named], isList);
	if ('problem' in chosen) throw new KnownError('JOB_INVALID', {}, { problem: chosen.problem });
	return chosen.devices;
}

function answerOf(context: IExecuteFunctions, operation: 'approve' | 'deny', index: number): ApprovalAnswer {
	if (operation === 'deny') return { answer: 'deny', reason: context.getNodeParameter('reason', index) as string };
	const typed = (context.getNodeParameter('typed', index, '') as string).trim();
	return { answer: 'approve', ...(typed !== '' && { typed }) };
}

async function act(context: IExecuteFunctions, client: DeviceClient, index: number): Promise<readonly object[]> {
	const operation = context.getNodeParameter('operation', index) as 'list' | 'show' | 'approve' | 'deny';
	if (operation === 'list') return client.approvals();
	const approvalId = context.getNodeParameter('approvalId', index) as string;
	if (operation === 'show') return [await client.approval(approvalId)];
	return [await client.answer(approvalId, answerOf(context, operation, index))];
}

/** One device that cannot be asked must not hide the requests of the others, nor be missed among them. */
function rowOfFault(error: unknown): object {
	if (!KnownError.is(error)) throw error;
	return { approvalId: null, state: 'unknown', problem: error.problem };
}

async function answerItem(context: IExecuteFunctions, index: number): Promise<INodeExecutionData[]> {
	const devices = [...(await targets(context, index))];
	const asked = devices.map(async ([alias, access]) => {
		const rows = withDevice(alias, access, (client) => act(context, client, index));
		const all = devices.length === 1 ? await rows : await rows.catch((error: unknown) => [rowOfFault(error)]);
		return all.map((row) => ({ device: alias, ...row }));
	});
	return (await Promise.all(asked)).flat().map((row) => ({ json: row as IDataObject, pairedItem: { item: index } }));
}

export async function answerApprovals(context: IExecuteFunctions): Promise<INodeExecutionData[]> {
	const items: INodeExecutionData[] = [];
	for (const index of context.getInputData().keys()) {
		try {
			items.push(...(await answerItem(context, index)));
		} catch (error) {
			const fault = toNodeError(context, error, index);
			if (!context.continueOnFail()) throw fault;
			items.push({ json: { error: fault.message }, pairedItem: { item: index } });
		}
	}
	return items;
}

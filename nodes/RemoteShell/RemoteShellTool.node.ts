/** The tool of an AI agent: the model sends a command for a device of the author's list and reads how it ended. */
import {
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	type ISupplyDataFunctions,
	NodeConnectionTypes,
	type SupplyData,
} from 'n8n-workflow';
import { checkDevices } from './check-devices.ts';
import { readModelArguments } from './model-arguments.ts';
import { offerRemoteShell } from './offer-tool.ts';
import { toolParameters } from './parameters.ts';
import { credentialSlots } from './protocols.ts';
import { runTool } from './run-tool.ts';
import { callOfItem } from './to-command.ts';

export class RemoteShellTool implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Remote Shell Tool',
		name: 'remoteShellTool',
		icon: { light: 'file:../../icons/remote-shell.svg', dark: 'file:../../icons/remote-shell.dark.svg' },
		group: ['transform'],
		version: [1],
		subtitle: '={{ $parameter["toolOperation"] + " on " + $parameter["allowedDevices"] }}',
		description: 'Lets an AI agent run commands on other machines, under their policy',
		defaults: { name: 'Remote Shell Tool' },
		inputs: [],
		outputs: [NodeConnectionTypes.AiTool],
		outputNames: ['Tool'],
		credentials: credentialSlots,
		properties: toolParameters,
	};

	methods = { credentialTest: { checkDevices } };

	/** Runs before every turn of the model, so it only describes. The tool itself serves callers other than Agent 3. */
	async supplyData(this: ISupplyDataFunctions, itemIndex: number): Promise<SupplyData> {
		return { response: await offerRemoteShell(this, itemIndex) };
	}

	/** The way of Agent 3: the engine runs the node with whatever the model passed. */
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const items: INodeExecutionData[] = [];
		for (const index of this.getInputData().keys()) {
			const asked = { raw: readModelArguments(this, index), call: callOfItem(this, index) };
			const json = (await runTool(this, asked, index)) as IDataObject;
			items.push({ json, pairedItem: { item: index } });
		}
		return [items];
	}
}

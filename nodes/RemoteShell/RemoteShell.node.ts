/** A step on the canvas that runs commands on devices, or asks about earlier ones. */
import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';
import { checkDevices } from './check-devices.ts';
import { stepParameters } from './parameters.ts';
import { credentialSlots } from './protocols.ts';
import { runStep } from './run-step.ts';

export class RemoteShell implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Remote Shell',
		name: 'remoteShell',
		icon: { light: 'file:../../icons/remote-shell.svg', dark: 'file:../../icons/remote-shell.dark.svg' },
		group: ['transform'],
		version: [1],
		subtitle: '={{ $parameter["operation"] + " on " + $parameter["targets"] }}',
		description: 'Runs commands on other machines, under their policy',
		defaults: { name: 'Remote Shell' },
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		// The tool is a node of its own: made from this one, it would offer the model no usable schema.
		usableAsTool: undefined as never,
		credentials: credentialSlots,
		properties: stepParameters,
	};

	methods = { credentialTest: { checkDevices } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await runStep(this)];
	}
}

/** The step of a workflow: runs one program for each item. */
import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';
import { checkSecrets } from '../shared/secret-values.ts';
import { stepParameters, whereSecretsAreUsed } from './parameters.ts';
import { runItems } from './run-items.ts';
import { checkSessionStore } from './session-for.ts';
import { whereSessionsAreInBucket } from './session-parameters.ts';

export class SecureCode implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Secure Code',
		name: 'secureCode',
		icon: { light: 'file:../../icons/secure-code.svg', dark: 'file:../../icons/secure-code.dark.svg' },
		group: ['transform'],
		version: [1],
		subtitle:
			'={{ $parameter["language"] + ", " + ($parameter["network"] === "none" ? "no network" : "network: " + $parameter["network"]) }}',
		description: 'Runs Python, JavaScript and Bash in a sandbox',
		defaults: { name: 'Secure Code' },
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		// The tool is a node of its own: made from this one, it would offer the model no usable schema.
		usableAsTool: undefined as never,
		// Optional, because a tool may live on handles alone; behind the switch, because the editor fills an empty slot by itself.
		credentials: [
			{
				name: 'secureCodeSecretsApi',
				displayName: 'Secrets',
				required: false,
				testedBy: 'checkSecrets',
				displayOptions: whereSecretsAreUsed,
			},
			{
				name: 'secureCodeSecretsSecondApi',
				displayName: 'More Secrets',
				required: false,
				testedBy: 'checkSecrets',
				displayOptions: whereSecretsAreUsed,
			},
			{
				name: 'secureCodeSessionStoreApi',
				displayName: 'Session Store',
				required: false,
				testedBy: 'checkSessionStore',
				displayOptions: whereSessionsAreInBucket,
			},
		],
		properties: stepParameters,
	};

	methods = { credentialTest: { checkSecrets, checkSessionStore } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await runItems(this)];
	}
}

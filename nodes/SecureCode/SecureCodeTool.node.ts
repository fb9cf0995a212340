/** The tool of an AI agent: the model sends a program and reads how it ended. */
import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	type ISupplyDataFunctions,
	NodeConnectionTypes,
	type SupplyData,
} from 'n8n-workflow';
import { checkSecrets } from '../shared/secret-values.ts';
import { itemFor } from '../shared/to-item.ts';
import { readModelArguments } from './model-arguments.ts';
import { offerSecureCode } from './offer-tool.ts';
import { toolParameters, whereSecretsAreUsed } from './parameters.ts';
import { runTool } from './run-tool.ts';
import { checkSessionStore } from './session-for.ts';
import { whereSessionsAreInBucket } from './session-parameters.ts';

export class SecureCodeTool implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Secure Code Tool',
		name: 'secureCodeTool',
		icon: { light: 'file:../../icons/secure-code.svg', dark: 'file:../../icons/secure-code.dark.svg' },
		group: ['transform'],
		version: [1],
		subtitle:
			'={{ $parameter["language"] + ", " + ($parameter["network"] === "none" ? "no network" : "network: " + $parameter["network"]) }}',
		description: 'Lets an AI agent run Python, JavaScript and Bash in a sandbox',
		defaults: { name: 'Secure Code Tool' },
		inputs: [],
		outputs: [NodeConnectionTypes.AiTool],
		outputNames: ['Tool'],
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
		properties: toolParameters,
	};

	methods = { credentialTest: { checkSecrets, checkSessionStore } };

	/** Runs before every turn of the model, so it only describes. The tool itself serves callers other than Agent 3. */
	async supplyData(this: ISupplyDataFunctions, itemIndex: number): Promise<SupplyData> {
		return { response: await offerSecureCode(this, itemIndex) };
	}

	/** The way of Agent 3: the engine runs the node with whatever the model passed. */
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const items: INodeExecutionData[] = [];
		for (const index of this.getInputData().keys()) {
			items.push(itemFor(await runTool(this, readModelArguments(this, index), index), index));
		}
		return [items];
	}
}

/** The tool that hands an agent secrets without showing them: names, and handles that only Secure Code opens. */
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
import { readExposedSecrets } from '../shared/exposed-secrets.ts';
import { readFromAi } from '../shared/from-ai.ts';
import { offerTool } from '../shared/offer-tool.ts';
import { exposedSecrets } from '../shared/secret-parameters.ts';
import { checkSecrets } from '../shared/secret-values.ts';
import { runVault } from './run-vault.ts';
import { describeVault, vaultArguments, vaultSchema } from './vault-call.ts';

const defaultToolDescription = `Keeps secrets such as API keys for programs. You never see a value: "list" tells which secrets there are, "getCredentialForInjection" gives a handle for one of them, and "testConnection" tells whether one exists.

To use a secret in a program, get its handle and pass it on unchanged in "credentials" when you call the tool that runs code. The program then reads the secret from the environment variable "envVarName".`;

export class CredentialVaultTool implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Credential Vault Tool',
		name: 'credentialVaultTool',
		icon: { light: 'file:../../icons/secure-code.svg', dark: 'file:../../icons/secure-code.dark.svg' },
		group: ['transform'],
		version: [1],
		subtitle: 'secrets by name',
		description: 'Lets an AI agent use secrets in programs without seeing them',
		defaults: { name: 'Credential Vault Tool' },
		inputs: [],
		outputs: [NodeConnectionTypes.AiTool],
		outputNames: ['Tool'],
		credentials: [
			{
				name: 'secureCodeSecretsApi',
				displayName: 'Secrets',
				required: false,
				testedBy: 'checkSecrets',
			},
			{
				name: 'secureCodeSecretsSecondApi',
				displayName: 'More Secrets',
				required: false,
				testedBy: 'checkSecrets',
			},
		],
		properties: [
			{
				displayName: 'Description',
				name: 'toolDescription',
				type: 'string',
				typeOptions: { rows: 6 },
				default: defaultToolDescription,
				required: true,
				description: 'Tells the model when and how to use this tool. The names of the secrets are added to it.',
			},
			exposedSecrets(),
			{
				// The editor builds the form of "Execute step" from the $fromAI calls that it finds in parameters.
				displayName: 'Operation',
				name: 'testOperation',
				type: 'hidden',
				default: "={{ $fromAI('operation', 'list, getCredentialForInjection or testConnection', 'string') }}",
			},
		],
	};

	methods = { credentialTest: { checkSecrets } };

	/** Runs before every turn of the model, so it only describes. */
	async supplyData(this: ISupplyDataFunctions, itemIndex: number): Promise<SupplyData> {
		const response = await offerTool(this, itemIndex, (z) => ({
			description: describeVault(
				this.getNodeParameter('toolDescription', itemIndex) as string,
				readExposedSecrets(this, itemIndex),
			),
			schema: vaultSchema(z),
			run: async (raw) => ({ result: await runVault(this, raw, itemIndex) }),
		}));
		return { response };
	}

	/** The way of Agent 3: the engine runs the node with whatever the model passed. */
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const items: INodeExecutionData[] = [];
		for (const index of this.getInputData().keys()) {
			const json = (await runVault(this, readFromAi(this, index, vaultArguments), index)) as IDataObject;
			items.push({ json, pairedItem: { item: index } });
		}
		return [items];
	}
}

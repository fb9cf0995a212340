/** The step of a workflow: runs one program for each item. */
import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';
import { literal } from '../shared/literal.ts';
import { checkSecrets } from '../shared/secret-values.ts';
import { manageSessions } from './manage-sessions.ts';
import { stepParameters, whereSecretsAreUsed } from './parameters.ts';
import { runItems } from './run-items.ts';
import { checkSessionStore } from './session-for.ts';
import { whereSessionsAreInBucketOfStep } from './session-operations.ts';

export class SecureCode implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Secure Code',
		name: 'secureCode',
		icon: { light: 'file:../../icons/secure-code.svg', dark: 'file:../../icons/secure-code.dark.svg' },
		group: ['transform'],
		version: [1],
		subtitle:
			'={{ { listSessions: "list sessions", deleteSessions: "delete sessions" }[$parameter["operation"]] || $parameter["language"] + ", " + ($parameter["network"] === "none" ? "no network" : "network: " + $parameter["network"]) }}',
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
				displayOptions: whereSessionsAreInBucketOfStep,
			},
		],
		properties: stepParameters,
	};

	methods = { credentialTest: { checkSecrets, checkSessionStore } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const operation = literal(this, 'operation', 0, 'run');
		return [operation === 'run' ? await runItems(this) : await manageSessions(this, operation as string)];
	}
}

/** Answers requests for approval, with a credential of its own: whoever asks for a job cannot approve it. */
import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';
import { answerApprovals } from './answer-approvals.ts';
import { checkApprover } from './check-approver.ts';
import { approvalParameters } from './parameters.ts';

export class RemoteShellApprovals implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Remote Shell Approvals',
		name: 'remoteShellApprovals',
		icon: { light: 'file:../../icons/remote-shell.svg', dark: 'file:../../icons/remote-shell.dark.svg' },
		group: ['transform'],
		version: [1],
		subtitle: '={{ $parameter["operation"] }}',
		description: 'Lists requests for approval of devices, shows the exact command, approves or denies it',
		defaults: { name: 'Remote Shell Approvals' },
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		// Never a tool: a model must not be able to approve.
		usableAsTool: undefined as never,
		credentials: [
			{ name: 'remoteShellApproverApi', displayName: 'Approver', required: true, testedBy: 'checkApprover' },
		],
		properties: approvalParameters,
	};

	methods = { credentialTest: { checkApprover } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await answerApprovals(this)];
	}
}

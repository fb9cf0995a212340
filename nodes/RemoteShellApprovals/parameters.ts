/** The parameters of the approvals node. */
import type { INodeProperties } from 'n8n-workflow';

const aboutOne = ['show', 'approve', 'deny'];

export const approvalParameters: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'Approve', value: 'approve', description: 'Let the job run, once', action: 'Approve a job' },
			{ name: 'Deny', value: 'deny', description: 'Refuse the job and say why', action: 'Deny a job' },
			{ name: 'List', value: 'list', description: 'Requests that wait, of every device', action: 'List requests' },
			{ name: 'Show', value: 'show', description: 'One request with its exact command', action: 'Show a request' },
		],
		default: 'list',
	},
	{
		displayName: 'Device',
		name: 'device',
		type: 'string',
		default: '',
		placeholder: 'web-1',
		description: 'Name of the device in the credential. Empty: the only one there is, or for a list all of them.',
	},
	{
		displayName: 'Approval ID',
		name: 'approvalId',
		type: 'string',
		default: '={{ $json.approvalId }}',
		required: true,
		displayOptions: { show: { operation: aboutOne } },
	},
	{
		displayName: 'Reason',
		name: 'reason',
		type: 'string',
		default: '',
		required: true,
		displayOptions: { show: { operation: ['deny'] } },
		description: 'What whoever asked is told',
	},
	{
		displayName: 'Typed Confirmation',
		name: 'typed',
		type: 'string',
		default: '',
		placeholder: 'APPROVE apr-…',
		displayOptions: { show: { operation: ['approve'] } },
		description: 'For dangerous commands: the words "APPROVE" and the approval ID, as a person has typed them',
	},
];

/** The parameters of the step about sessions themselves: which are listed, which are deleted. A tool does not have them. */
import type { INodeProperties } from 'n8n-workflow';
import { sessionParameters } from './session-parameters.ts';

const manages = ['listSessions', 'deleteSessions'];
const deletes = { operation: ['deleteSessions'] };

const runsProgram = { operation: ['run'] };

export const operation: INodeProperties = {
	displayName: 'Operation',
	name: 'operation',
	type: 'options',
	noDataExpression: true,
	options: [
		{
			name: 'Delete Sessions',
			value: 'deleteSessions',
			description: 'Forget what programs of this workflow have kept',
			action: 'Delete sessions',
		},
		{
			name: 'List Sessions',
			value: 'listSessions',
			description: 'What programs of this workflow have kept: an item for each session',
			action: 'List sessions',
		},
		{ name: 'Run a Program', value: 'run', description: 'Run code in a sandbox', action: 'Run a program' },
	],
	default: 'run',
};

/** The same place as in the node whose sessions they are. */
const places = sessionParameters
	.filter(({ name }) => name === 'sessionStore' || name === 'sessionFolder')
	.map(
		(parameter): INodeProperties => ({
			...parameter,
			displayOptions: {
				show: { operation: manages, ...(parameter.name === 'sessionFolder' && { sessionStore: ['folder'] }) },
			},
		}),
	);

/** Where the slot of the credential is shown: whoever keeps nothing, and manages nothing, has no such parameter. */
export const whereSessionsAreInBucketOfStep = { show: { sessionStore: ['s3'] } };

export const sessionOperations: INodeProperties[] = [
	{
		displayName: 'Of Node',
		name: 'sessionsOf',
		type: 'string',
		default: '',
		placeholder: 'Secure Code Tool',
		displayOptions: { show: { operation: manages } },
		description: 'Name of the node of this workflow whose sessions are meant. Empty: of all its nodes.',
	},
	...places,
	{
		displayName: 'Which Sessions',
		name: 'whichSessions',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'All', value: 'all', description: 'Every session of the node, or of the workflow' },
			{ name: 'By ID', value: 'id', description: 'One of those that are listed' },
			{
				name: 'By Key',
				value: 'key',
				description: 'That of a key, or of a conversation by the session ID of the chat',
			},
			{ name: 'Expired', value: 'expired', description: 'Those whose time is over' },
		],
		default: 'id',
		displayOptions: { show: deletes },
	},
	{
		displayName: 'Session ID',
		name: 'sessionId',
		type: 'string',
		default: '={{ $json.id }}',
		required: true,
		displayOptions: { show: { ...deletes, whichSessions: ['id'] } },
		description: 'As the list gives it',
	},
	{
		displayName: 'Session Key',
		name: 'deletedKey',
		type: 'string',
		default: '',
		required: true,
		placeholder: '={{ $json.sessionId }}',
		displayOptions: { show: { ...deletes, whichSessions: ['key'] } },
		description: 'The key as the node got it, or the session ID of the chat. "Of Node" must name the node.',
	},
];

/** What a parameter of running a program needs beside what it needs anyway. */
export const whenRunning = (parameter: INodeProperties): INodeProperties => ({
	...parameter,
	displayOptions: { ...parameter.displayOptions, show: { ...runsProgram, ...parameter.displayOptions?.show } },
});

/** The parameters about what is kept from one call to the next. */
import type { INodeProperties } from 'n8n-workflow';

const isKept = { show: { session: ['chat', 'key'] } };

export const sessionHours = { default: 24, least: 1, most: 8_760 } as const;
export const sessionMegabytes = { default: 64, least: 1, most: 256 } as const;

/** Also where the slot of the credential is shown. */
export const whereSessionsAreInBucket = { show: { session: ['chat', 'key'], sessionStore: ['s3'] } };

export const sessionParameters: INodeProperties[] = [
	{
		displayName: 'Session',
		name: 'session',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'None', value: 'none', description: 'Every program starts fresh' },
			{ name: 'Of the Chat', value: 'chat', description: 'Each conversation keeps its own /work' },
			{ name: 'Of a Key', value: 'key', description: 'Programs with the same key share one /work' },
		],
		default: 'none',
		description: 'Whether files in /work are kept for the next program',
	},
	{
		displayName: 'Session Key',
		name: 'sessionKey',
		type: 'string',
		default: '',
		placeholder: "={{ $('Webhook').item.json.customer }}",
		displayOptions: { show: { session: ['key'] } },
		description:
			'Who shares a session. May be an expression, but not one of <code>$json</code> or <code>$input</code>: in a tool the model can write there. Name the node instead.',
	},
	{
		displayName: 'Keep Variables (Python)',
		name: 'sessionState',
		type: 'boolean',
		noDataExpression: true,
		default: false,
		displayOptions: isKept,
		description:
			'Whether variables, functions, classes and imports are kept, too. Python only: programs in JavaScript and Bash keep files, and their results say so.',
	},
	{
		displayName: 'Expires After (Hours)',
		name: 'sessionHours',
		type: 'number',
		noDataExpression: true,
		typeOptions: { minValue: sessionHours.least, maxValue: sessionHours.most, numberPrecision: 0 },
		default: sessionHours.default,
		displayOptions: isKept,
		description: 'How long a session is kept after its last program',
	},
	{
		displayName: 'Session Quota (MB)',
		name: 'sessionQuota',
		type: 'number',
		noDataExpression: true,
		typeOptions: { minValue: sessionMegabytes.least, maxValue: sessionMegabytes.most, numberPrecision: 0 },
		default: sessionMegabytes.default,
		displayOptions: isKept,
		description: 'The most that one session may hold. It is memory while a program runs, so raise Max Memory with it.',
	},
	{
		displayName: 'Session Store',
		name: 'sessionStore',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'S3-Compatible Bucket', value: 's3', description: 'For n8n with several workers' },
			{ name: 'Shared Folder', value: 'folder', description: 'A folder that all machines of this n8n have' },
			{ name: 'This Machine', value: 'local', description: 'In the data folder of Secure Code' },
		],
		default: 'local',
		displayOptions: isKept,
		description: 'Where sessions are kept, encrypted',
	},
	{
		displayName: 'Session Folder',
		name: 'sessionFolder',
		type: 'string',
		noDataExpression: true,
		default: '',
		placeholder: '/mnt/shared/secure-code-sessions',
		displayOptions: { show: { session: ['chat', 'key'], sessionStore: ['folder'] } },
		description: 'The same folder on every machine, writable for n8n',
	},
];

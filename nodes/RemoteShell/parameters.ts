/** The parameters of both Remote Shell nodes. */
import type { INodeProperties } from 'n8n-workflow';
import { stepOperations, toolOperations } from './operations.ts';
import { protocols } from './protocols.ts';

const defaultToolDescription = `Runs a command on one of the user's machines and returns what it printed. Use it to look at or change something on a device: disks, logs, processes, services, files.

Pass the command line in "script" (as in a shell) or the program with its arguments in "argv". What may run is decided by a policy on the device. If the status is "denied", do not try to get around it: tell the user the reason. If it is "awaiting_approval", tell the user that a person must approve it, and do not send it again. Long output is cut in the middle; "jobId" names the job for reading the rest.`;

const protocol: INodeProperties = {
	displayName: 'Protocol',
	name: 'protocol',
	type: 'options',
	noDataExpression: true,
	options: protocols.map(({ name, value }) => ({ name, value })),
	default: 'native',
	description: 'What the devices speak; our agent speaks all of them',
};

const allowedDevices: INodeProperties = {
	displayName: 'Allowed Devices',
	name: 'allowedDevices',
	type: 'string',
	noDataExpression: true,
	default: '*',
	placeholder: 'web-1, web-2',
	description:
		'Comma-separated names of devices of the credential that may be used here. <code>*</code> allows all of them.',
};

/** Of what runs a command: author's matters, fixed values in a tool. */
const running: INodeProperties[] = [
	{
		displayName: 'Time Limit (Seconds)',
		name: 'timeout',
		type: 'number',
		noDataExpression: true,
		typeOptions: { minValue: 0, maxValue: 3600 },
		default: 0,
		description: 'After this time the device ends the command. 0: the limit of the device.',
	},
	{
		displayName: 'Folder',
		name: 'cwd',
		type: 'string',
		noDataExpression: true,
		default: '',
		placeholder: '/var/log',
		description: 'Where commands start. Empty: a workspace of the job itself.',
	},
	{
		displayName: 'Capability',
		name: 'capability',
		type: 'string',
		noDataExpression: true,
		default: '',
		placeholder: 'shell.exec.admin',
		description:
			'Entry of the policy of the device that commands are asked for under. Empty: the usual one of the protocol.',
	},
	{
		displayName: 'Environment',
		name: 'env',
		type: 'fixedCollection',
		noDataExpression: true,
		typeOptions: { multipleValues: true },
		default: {},
		placeholder: 'Add Variable',
		options: [
			{
				displayName: 'Variables',
				name: 'rows',
				values: [
					{ displayName: 'Name', name: 'name', type: 'string', default: '' },
					{ displayName: 'Value', name: 'value', type: 'string', default: '' },
				],
			},
		],
		description: 'Variables that the policy of the device lets through; no secrets',
	},
];

const concurrency: INodeProperties = {
	displayName: 'Devices at a Time',
	name: 'concurrency',
	type: 'number',
	noDataExpression: true,
	typeOptions: { minValue: 1, maxValue: 200 },
	default: 16,
	description: 'How many devices are asked at the same time when several are named',
};

/** Gives "Execute step" in the editor its form; never stored. */
const testForm: INodeProperties[] = [
	{
		displayName: 'Script',
		name: 'testScript',
		type: 'hidden',
		default: "={{ $fromAI('script', 'Command to run', 'string') }}",
	},
	{
		displayName: 'Device',
		name: 'testDevice',
		type: 'hidden',
		default: "={{ $fromAI('device', 'Name of the device', 'string') }}",
	},
];

const onlyWhenRunning = (parameters: readonly INodeProperties[], name: string, values: string[]): INodeProperties[] =>
	parameters.map((parameter) => ({ ...parameter, displayOptions: { show: { [name]: values } } }));

export const toolParameters: INodeProperties[] = [
	{
		displayName: 'Description',
		name: 'toolDescription',
		type: 'string',
		typeOptions: { rows: 6 },
		default: defaultToolDescription,
		required: true,
		description: 'What the model reads; names of devices and limits are added',
	},
	protocol,
	{
		displayName: 'What the Model May Do',
		name: 'toolOperation',
		type: 'options',
		noDataExpression: true,
		options: toolOperations.map(({ action: _action, ...operation }) => operation),
		default: 'run',
	},
	allowedDevices,
	{
		displayName: 'Allow Several Devices per Call',
		name: 'allowSeveral',
		type: 'boolean',
		noDataExpression: true,
		default: false,
		displayOptions: { show: { toolOperation: ['run'] } },
		description: 'Whether one call may name several devices, or all of them; each answers with a row of its own',
	},
	...onlyWhenRunning([...running, concurrency], 'toolOperation', ['run']),
	...testForm,
];

const runs = ['run', 'submit', 'validate'];
const aboutJob = ['status', 'wait', 'readOutput', 'cancel'];

export const stepParameters: INodeProperties[] = [
	protocol,
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options: [...stepOperations],
		default: 'run',
	},
	{
		displayName: 'Devices',
		name: 'targets',
		type: 'string',
		default: '*',
		placeholder: 'web-1, web-2',
		description:
			'Comma-separated names of devices of the credential; <code>*</code> is all of them. Each device gives an item of its own.',
	},
	{
		displayName: 'Command As',
		name: 'commandMode',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'Arguments', value: 'argv', description: 'A program and its arguments; no shell reads them' },
			{ name: 'Script', value: 'script', description: 'A command line or script, as in a shell' },
		],
		default: 'script',
		displayOptions: { show: { operation: runs } },
	},
	{
		displayName: 'Script',
		name: 'script',
		type: 'string',
		typeOptions: { rows: 4 },
		default: '',
		required: true,
		placeholder: 'df -h /',
		displayOptions: { show: { operation: runs, commandMode: ['script'] } },
		description: 'Do not build it from data of others: pass such data as an argument or as input',
	},
	{
		displayName: 'Arguments',
		name: 'argv',
		type: 'string',
		typeOptions: { multipleValues: true },
		default: [],
		required: true,
		displayOptions: { show: { operation: runs, commandMode: ['argv'] } },
		description: 'The program first, then one argument per row; each stays one word whatever is in it',
	},
	{
		displayName: 'Input',
		name: 'stdin',
		type: 'string',
		typeOptions: { rows: 2 },
		default: '',
		displayOptions: { show: { operation: runs } },
		description: 'What the command reads from its standard input',
	},
	...onlyWhenRunning(running, 'operation', runs),
	{ ...concurrency, displayOptions: { show: { operation: [...runs, 'health', 'capabilities'] } } },
	{
		displayName: 'Job ID',
		name: 'jobId',
		type: 'string',
		default: '={{ $json.jobId }}',
		required: true,
		displayOptions: { show: { operation: aboutJob } },
		description: '"jobId" of the result of "Run" or "Submit"',
	},
	{
		displayName: 'Wait at Most (Seconds)',
		name: 'waitSeconds',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 3600 },
		default: 60,
		displayOptions: { show: { operation: ['wait'] } },
	},
	{
		displayName: 'Stream',
		name: 'stream',
		type: 'options',
		options: [
			{ name: 'Stderr', value: 'stderr' },
			{ name: 'Stdout', value: 'stdout' },
		],
		default: 'stdout',
		displayOptions: { show: { operation: ['readOutput'] } },
	},
	{
		displayName: 'Read',
		name: 'readHow',
		type: 'options',
		options: [
			{ name: 'A Page', value: 'page' },
			{ name: 'The Last Lines', value: 'tail' },
			{ name: 'Lines That Match', value: 'search' },
		],
		default: 'page',
		displayOptions: { show: { operation: ['readOutput'] } },
	},
	{
		displayName: 'Offset',
		name: 'offset',
		type: 'number',
		typeOptions: { minValue: 0 },
		default: 0,
		displayOptions: { show: { operation: ['readOutput'], readHow: ['page'] } },
		description: '"nextOffset" of the last page; 0 is the beginning',
	},
	{
		displayName: 'Bytes',
		name: 'limit',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 1048576 },
		default: 65536,
		displayOptions: { show: { operation: ['readOutput'], readHow: ['page'] } },
	},
	{
		displayName: 'Lines',
		name: 'lines',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 10000 },
		default: 100,
		displayOptions: { show: { operation: ['readOutput'], readHow: ['tail'] } },
	},
	{
		displayName: 'Pattern',
		name: 'pattern',
		type: 'string',
		default: '',
		displayOptions: { show: { operation: ['readOutput'], readHow: ['search'] } },
		description: 'RE2 syntax',
	},
	{
		displayName: 'Fail on Non-Zero Exit',
		name: 'failOnError',
		type: 'boolean',
		noDataExpression: true,
		default: true,
		displayOptions: { show: { operation: ['run', 'wait'] } },
		description:
			'Whether the node fails when a command on a device did not succeed. Off: the result is an item like any other.',
	},
];

/** The parameters of both nodes; every number comes from the limits table. */
import type { INodeProperties } from 'n8n-workflow';
import { languageLabels } from '../../src/contract/language.ts';
import { type LimitName, limits } from '../../src/contract/limits.ts';
import { exposedSecrets, useSecrets } from '../shared/secret-parameters.ts';
import { stepFileParameters, toolFileParameters } from './file-parameters.ts';
import { operation, sessionOperations, whenRunning } from './session-operations.ts';
import { sessionParameters } from './session-parameters.ts';

/** How many of a limit's units one unit of its parameter has. */
export const secondMs = 1_000;
export const megabyte = 1024 * 1024;

const defaultToolDescription = `Runs a program in a sandbox and returns what it printed. Use it whenever code gives a better answer than thinking: calculations, dates, parsing, sorting, statistics, text and data processing.

Write the whole program in "code" as Python 3, JavaScript (or TypeScript) on Node.js, or Bash. Print every value you want to see: stdout, stderr and the files that you leave in /work/out come back, the value of the last expression does not. The working folder /work is writable, read and write files there; files that were given to you are in /work/in.

The answer tells "status", "exitCode", "stdout" and "stderr". If the status is not "succeeded", read "stderr", "problem" and "findings", correct the program and call again.`;

const range = (name: LimitName, unit: number): Pick<INodeProperties, 'type' | 'typeOptions' | 'default'> => ({
	type: 'number',
	typeOptions: {
		minValue: limits[name].floor / unit,
		maxValue: limits[name].ceiling / unit,
		numberPrecision: 0,
	},
	default: limits[name].default / unit,
});

const language: INodeProperties = {
	displayName: 'Default Language',
	name: 'language',
	type: 'options',
	options: [
		{ name: 'Auto-Detect', value: 'auto', description: 'Recognise the language by parsing the code' },
		{ name: languageLabels.bash, value: 'bash' },
		{ name: languageLabels.javascript, value: 'javascript', description: 'JavaScript or TypeScript on Node.js' },
		{ name: languageLabels.python, value: 'python', description: 'Python 3' },
	],
	default: 'auto',
};

const timeout: INodeProperties = {
	displayName: 'Max Execution Time (Seconds)',
	name: 'timeout',
	...range('timeoutMs', secondMs),
	noDataExpression: true,
	description: 'After this time the program and everything it started are killed',
};

const memory: INodeProperties = {
	displayName: 'Max Memory (MB)',
	name: 'memory',
	...range('memoryBytes', megabyte),
	noDataExpression: true,
	description: 'What all processes of the program may use together, including the files they write',
};

const network: INodeProperties[] = [
	{
		displayName: 'Network',
		name: 'network',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'None', value: 'none', description: 'The program reaches nothing outside its sandbox' },
			{ name: 'These Hosts Only', value: 'hosts', description: 'The program reaches the hosts you list' },
			{ name: 'Public Internet', value: 'full', description: 'The program reaches every public host' },
		],
		default: 'none',
		description: 'Which part of the network the program can reach',
	},
	{
		displayName:
			'<b>Network access makes the sandbox weaker.</b> Whatever a program reads it can send away, and whoever writes the prompt may decide what it does. Prefer "These Hosts Only".',
		name: 'networkNotice',
		type: 'notice',
		default: '',
		displayOptions: { show: { network: ['hosts', 'full'] } },
	},
	{
		displayName: 'Allowed Hosts',
		name: 'allowedHosts',
		type: 'string',
		noDataExpression: true,
		default: '',
		placeholder: 'api.example.com, *.example.org, example.net:8443',
		displayOptions: { show: { network: ['hosts'] } },
		description: 'Comma-separated host names, each with an optional port. An empty list allows no host.',
	},
];

const allowedImports: INodeProperties = {
	displayName: 'Allowed Imports',
	name: 'allowedImports',
	type: 'string',
	noDataExpression: true,
	default: '*',
	placeholder: 'math, json, pandas',
	description:
		'Comma-separated modules that Python and JavaScript may import. <code>*</code> allows every module of the sandbox, an empty field allows none.',
};

const bundle: INodeProperties = {
	displayName: 'Packages',
	name: 'bundle',
	type: 'string',
	noDataExpression: true,
	default: 'default',
	description:
		'The bundle of packages that programs can import, made with <code>secure-code packages add</code> on the machine that runs n8n. <code>none</code>: no packages.',
};

const validateCode: INodeProperties = {
	displayName: 'Enable Code Validation',
	name: 'validateCode',
	type: 'boolean',
	noDataExpression: true,
	default: true,
	description:
		'Whether to check the code before it runs and explain what is refused. The sandbox holds the program in either case.',
};

const severityOptions = [
	{ name: 'Refuse the Program', value: 'block' },
	{ name: 'Warn Only', value: 'warn' },
];

const validationOptions: INodeProperties = {
	displayName: 'Validation Options',
	name: 'validationOptions',
	type: 'collection',
	placeholder: 'Add Option',
	noDataExpression: true,
	default: {},
	displayOptions: { show: { validateCode: [true] } },
	options: [
		{
			displayName: 'Allow Subprocesses',
			name: 'allowSubprocess',
			type: 'boolean',
			default: false,
			description: 'Whether Python and JavaScript may start other programs of the sandbox',
		},
		{
			displayName: 'Allow Worker Threads',
			name: 'allowWorkers',
			type: 'boolean',
			default: false,
			description: 'Whether JavaScript may start worker threads',
		},
		{
			displayName: 'Denied Paths',
			name: 'readDeny',
			type: 'string',
			default: '',
			placeholder: '/work/in/private.csv',
			description: 'Comma-separated further paths that a program must not read',
		},
		{
			displayName: 'Rule Severities',
			name: 'severities',
			type: 'string',
			default: '',
			placeholder: 'PY-DESER=warn, BASH-PRIV=off',
			description: 'Comma-separated rules of the checker, each with block, warn or off',
		},
		{
			displayName: 'Syntax Errors',
			name: 'onSyntaxError',
			type: 'options',
			options: severityOptions,
			default: 'block',
			description: 'What becomes of a program that its parser does not understand',
		},
		{
			displayName: 'What Findings Do',
			name: 'findings',
			type: 'options',
			options: severityOptions,
			default: 'block',
			description: 'Whether a finding keeps the program from running',
		},
		{
			displayName: 'Writable Folders',
			name: 'writableRoots',
			type: 'string',
			default: '/work, /tmp',
			description: 'Comma-separated folders a program may write to',
		},
	],
};

const maxCodeLength: INodeProperties = {
	displayName: 'Max Code Length (Characters)',
	name: 'maxCodeLength',
	...range('codeCharacters', 1),
	noDataExpression: true,
	description: 'Longer programs are refused',
};

/** Also where the slots of the credentials are shown. */
export const whereSecretsAreUsed = { show: { useSecrets: [true] } };

const secretsMode: INodeProperties = {
	displayName: 'Give Secrets',
	name: 'secretsMode',
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'On Request', value: 'onRequest', description: 'A program gets the secrets that the model asks for' },
		{ name: 'Always', value: 'always', description: 'Every program gets every secret that is exposed' },
	],
	default: 'onRequest',
	displayOptions: whereSecretsAreUsed,
};

const allowInlineSecrets: INodeProperties = {
	displayName: 'Allow Values in Calls',
	name: 'allowInlineSecrets',
	type: 'boolean',
	noDataExpression: true,
	default: false,
	description:
		'Whether a call may carry the value of a credential itself. Then the model has seen the value, and the execution keeps it; names are better.',
	displayOptions: whereSecretsAreUsed,
};

const streamOutput: INodeProperties = {
	displayName: 'Stream Output',
	name: 'streamOutput',
	type: 'boolean',
	noDataExpression: true,
	default: false,
	description: 'Whether a chat whose answers are streamed shows what a program prints while it runs',
};

const warmStart: INodeProperties[] = [
	{
		displayName: 'Warm Starts',
		name: 'warmStarts',
		type: 'boolean',
		noDataExpression: true,
		default: true,
		description:
			'Whether interpreters are started ahead, each in a sandbox of its own for one program, so that a program begins at once',
	},
	{
		displayName: 'Preload Modules',
		name: 'preload',
		type: 'string',
		noDataExpression: true,
		default: '',
		placeholder: 'pandas, matplotlib.pyplot',
		displayOptions: { show: { warmStarts: [true] } },
		description:
			'Comma-separated modules that an interpreter imports while it waits. Each waiting interpreter holds their memory.',
	},
];

const sandbox: INodeProperties[] = [
	timeout,
	memory,
	...network,
	bundle,
	...warmStart,
	allowedImports,
	validateCode,
	validationOptions,
	maxCodeLength,
];

export const toolParameters: INodeProperties[] = [
	{
		displayName: 'Description',
		name: 'toolDescription',
		type: 'string',
		typeOptions: { rows: 6 },
		default: defaultToolDescription,
		required: true,
		description:
			'Tells the model when and how to use this tool. The limits, network and imports set below are added to it.',
	},
	{ ...language, noDataExpression: true, description: 'The language of code that comes without one' },
	...sandbox,
	useSecrets,
	exposedSecrets(whereSecretsAreUsed),
	secretsMode,
	allowInlineSecrets,
	...toolFileParameters,
	...sessionParameters,
	streamOutput,
	{
		// The editor builds the form of "Execute step" from the $fromAI calls that it finds in parameters.
		displayName: 'Code',
		name: 'testCode',
		type: 'hidden',
		default: "={{ $fromAI('code', 'The program to run', 'string') }}",
	},
];

const stepProgram: INodeProperties[] = [
	{ ...language, displayName: 'Language', description: 'The language of the code' },
	{
		displayName: 'Code',
		name: 'code',
		type: 'string',
		typeOptions: { rows: 12 },
		default: '',
		required: true,
		placeholder: "print('Hello World')",
		description: 'The whole program. What it prints is the result, once for each input item.',
	},
	...sandbox,
	useSecrets,
	exposedSecrets(whereSecretsAreUsed),
	...stepFileParameters,
	...sessionParameters,
	streamOutput,
];

export const stepParameters: INodeProperties[] = [operation, ...stepProgram.map(whenRunning), ...sessionOperations];

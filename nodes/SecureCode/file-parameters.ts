/** The parameters about files and data that go into a program, and files that come back. */
import type { INodeProperties } from 'n8n-workflow';

type Source = 'none' | 'item' | 'node';
type DataSource = 'none' | 'item' | 'json';

const showFor = (name: string, ...values: (string | boolean)[]) => ({ show: { [name]: values } });

const filesFrom = (fallback: Source, itemDescription: string): INodeProperties => ({
	displayName: 'Files In',
	name: 'filesFrom',
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'None', value: 'none', description: 'Programs get no files' },
		{
			name: 'Of Another Node',
			value: 'node',
			description: 'Programs get the files of all items of a node that you name',
		},
		{ name: 'Of the Item', value: 'item', description: itemDescription },
	],
	default: fallback,
	description: 'Which files programs find, read-only, in /work/in',
});

const filesNode: INodeProperties = {
	displayName: 'Node With the Files',
	name: 'filesNode',
	type: 'string',
	noDataExpression: true,
	default: '',
	placeholder: 'Download Report',
	displayOptions: showFor('filesFrom', 'node'),
	description: 'The name of a node that ran before',
};

const fileProperties: INodeProperties = {
	displayName: 'Binary Fields',
	name: 'fileProperties',
	type: 'string',
	noDataExpression: true,
	default: '',
	placeholder: 'data, attachment_0',
	displayOptions: showFor('filesFrom', 'item', 'node'),
	description: 'Comma-separated names of binary fields. Empty: all of them.',
};

const filesMode: INodeProperties = {
	displayName: 'Give Files',
	name: 'filesMode',
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'Always', value: 'always', description: 'Every program finds all of them' },
		{ name: 'On Request', value: 'onRequest', description: 'A program gets the files that the model names' },
	],
	default: 'always',
	displayOptions: showFor('filesFrom', 'item', 'node'),
};

const dataFrom = (fallback: DataSource): INodeProperties => ({
	displayName: 'Data In',
	name: 'dataFrom',
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'JSON Below', value: 'json', description: 'Programs get what you enter, which may be an expression' },
		{ name: 'JSON of the Item', value: 'item', description: 'Programs get the fields of the item' },
		{ name: 'None', value: 'none', description: 'Programs get no data' },
	],
	default: fallback,
	description:
		'What programs find in /work/in/data.json, and Python and JavaScript in the variable <code>data</code>, too',
});

const dataJson: INodeProperties = {
	displayName: 'Data',
	name: 'dataJson',
	type: 'json',
	default: '{}',
	displayOptions: showFor('dataFrom', 'json'),
	description: 'JSON for the program',
};

const stdin: INodeProperties = {
	displayName: 'Standard Input',
	name: 'stdin',
	type: 'string',
	typeOptions: { rows: 3 },
	default: '',
	description: 'What the program reads from stdin; may be an expression',
};

const returnFiles: INodeProperties = {
	displayName: 'Files Out',
	name: 'returnFiles',
	type: 'boolean',
	noDataExpression: true,
	default: true,
	description:
		'Whether files that a program leaves in /work/out come back as binary data. Figures of matplotlib, Pillow and plotly are saved there without a word in the program.',
};

const fileLinks = (fallback: boolean): INodeProperties => ({
	displayName: 'Links to Files',
	name: 'fileLinks',
	type: 'boolean',
	noDataExpression: true,
	default: fallback,
	displayOptions: showFor('returnFiles', true),
	description:
		'Whether each file comes with a signed link, which an answer of the agent can show. Whoever has the link can download the file.',
});

export const linkHours = { default: 24, least: 1, most: 720 } as const;

const fileLinkHours: INodeProperties = {
	displayName: 'Links Are Valid for (Hours)',
	name: 'fileLinkHours',
	type: 'number',
	noDataExpression: true,
	typeOptions: { minValue: linkHours.least, maxValue: linkHours.most, numberPrecision: 0 },
	default: linkHours.default,
	displayOptions: showFor('fileLinks', true),
};

const filesOut = (hasLinks: boolean): INodeProperties[] => [returnFiles, fileLinks(hasLinks), fileLinkHours];

export const toolFileParameters: INodeProperties[] = [
	filesFrom('item', 'Programs get the files of the chat message or item that the agent works on'),
	filesNode,
	fileProperties,
	filesMode,
	dataFrom('none'),
	dataJson,
	...filesOut(true),
];

export const stepFileParameters: INodeProperties[] = [
	filesFrom('none', 'Programs get the files of the item'),
	filesNode,
	fileProperties,
	dataFrom('item'),
	dataJson,
	stdin,
	...filesOut(false),
];

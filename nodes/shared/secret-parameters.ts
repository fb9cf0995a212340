/** The parameters about secrets that the nodes share; all are fixed values, so that neither data nor model can steer them. */
import type { INodeProperties } from 'n8n-workflow';

type Condition = NonNullable<INodeProperties['displayOptions']>;

export const useSecrets: INodeProperties = {
	displayName: 'Use Secrets',
	name: 'useSecrets',
	type: 'boolean',
	noDataExpression: true,
	default: false,
	description:
		'Whether programs may use secrets as environment variables. The model learns their names, never their values.',
};

export const exposedSecrets = (displayOptions?: Condition): INodeProperties => ({
	displayName: 'Expose As',
	name: 'exposedSecrets',
	type: 'fixedCollection',
	noDataExpression: true,
	typeOptions: { multipleValues: true },
	placeholder: 'Add Secret',
	default: {},
	description: 'The secrets of the credentials that may be used here; all others stay out of reach',
	options: [
		{
			displayName: 'Secret',
			name: 'secret',
			values: [
				{
					displayName: 'Secret Name',
					name: 'name',
					type: 'string',
					default: '',
					placeholder: 'OPENAI_API_KEY',
					description: 'The name before the = in the credential',
				},
				{
					displayName: 'Environment Variable',
					name: 'variable',
					type: 'string',
					default: '',
					placeholder: 'OPENAI_API_KEY',
					description: 'How the program reads it. Empty: the name of the secret.',
				},
				{
					displayName: 'Allowed Hosts',
					name: 'allowedHosts',
					type: 'string',
					default: '',
					placeholder: 'api.openai.com',
					description:
						'If filled, the program gets a placeholder instead of the value, which is put into the headers of requests to these hosts on the way. The network must allow them, too.',
				},
				{
					displayName: 'Description',
					name: 'description',
					type: 'string',
					default: '',
					placeholder: 'Key for the OpenAI API',
					description: 'Tells the model what the secret is for',
				},
			],
		},
	],
	...(displayOptions === undefined ? {} : { displayOptions }),
});

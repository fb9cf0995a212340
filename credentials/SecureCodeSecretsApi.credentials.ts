/** Secrets for programs: one NAME=value per line. */
import type { ICredentialType, Icon, INodeProperties } from 'n8n-workflow';

export class SecureCodeSecretsApi implements ICredentialType {
	name = 'secureCodeSecretsApi';
	displayName = 'Secure Code Secrets';
	icon: Icon = { light: 'file:../icons/secure-code.svg', dark: 'file:../icons/secure-code.dark.svg' };
	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-secure-code#secrets';
	/** No other node can be made to read this credential. */
	restrictToSupportedNodes = true as const;
	// One text: of a list of rows n8n restores masked values by position, so a deleted row gives its value to the next name.
	properties: INodeProperties[] = [
		{
			displayName: 'Secrets',
			name: 'secrets',
			type: 'string',
			typeOptions: { password: true, rows: 8 },
			default: '',
			required: true,
			placeholder: 'OPENAI_API_KEY=sk-…',
			description:
				'One NAME=value per line. Put a value of several lines in quotes; a line that begins with # is a comment.',
		},
	];
}

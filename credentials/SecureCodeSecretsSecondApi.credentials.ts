/** A second set of secrets beside the first, because a node takes one credential of each type. */
import type { ICredentialType, Icon, INodeProperties } from 'n8n-workflow';

export class SecureCodeSecretsSecondApi implements ICredentialType {
	name = 'secureCodeSecretsSecondApi';
	displayName = 'Secure Code Secrets (Second)';
	extends = ['secureCodeSecretsApi'];
	icon: Icon = { light: 'file:../icons/secure-code.svg', dark: 'file:../icons/secure-code.dark.svg' };
	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-secure-code#secrets';
	restrictToSupportedNodes = true as const;
	properties: INodeProperties[] = [];
}

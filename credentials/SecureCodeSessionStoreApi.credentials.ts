/** A bucket of an S3-compatible server that keeps sessions. */
import type { ICredentialType, Icon, INodeProperties } from 'n8n-workflow';

export class SecureCodeSessionStoreApi implements ICredentialType {
	name = 'secureCodeSessionStoreApi';
	displayName = 'Secure Code Session Store';
	icon: Icon = { light: 'file:../icons/secure-code.svg', dark: 'file:../icons/secure-code.dark.svg' };
	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-secure-code#sessions';
	/** No other node can be made to read this credential. */
	restrictToSupportedNodes = true as const;
	properties: INodeProperties[] = [
		{
			displayName: 'Bucket Address',
			name: 'endpoint',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'https://s3.example.com/my-bucket',
			description: 'The address of the server with the name of the bucket',
		},
		{ displayName: 'Region', name: 'region', type: 'string', default: 'auto' },
		{ displayName: 'Access Key ID', name: 'accessKeyId', type: 'string', default: '', required: true },
		{
			displayName: 'Secret Access Key',
			name: 'secretAccessKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
		},
		{
			displayName: 'Prefix',
			name: 'prefix',
			type: 'string',
			default: 'secure-code',
			description: 'Stands before the names of all sessions in the bucket',
		},
		{
			displayName: 'Encryption Key',
			name: 'encryptionKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description: 'Encrypts the sessions, with 16 characters or more. Empty: made of the encryption key of n8n.',
		},
	];
}

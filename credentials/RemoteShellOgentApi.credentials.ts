/** Devices that speak Ogent's Command Execution Service, ours and originals. */
import type { ICredentialType, Icon, INodeProperties } from 'n8n-workflow';
import { deviceFields } from './shared/device-fields.ts';

const withLogin = { show: { proof: ['login'] } };

export class RemoteShellOgentApi implements ICredentialType {
	name = 'remoteShellOgentApi';
	displayName = 'Remote Shell: Ogent';
	icon: Icon = { light: 'file:../icons/remote-shell.svg', dark: 'file:../icons/remote-shell.dark.svg' };
	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-secure-code#remote-shell';
	restrictToSupportedNodes = true as const;
	properties: INodeProperties[] = deviceFields('http://127.0.0.1:5001', [
		{
			displayName: 'Proof',
			name: 'proof',
			type: 'options',
			options: [
				{ name: 'Token', value: 'token' },
				{ name: 'Login', value: 'login' },
			],
			default: 'token',
		},
		{
			displayName: 'Token',
			name: 'token',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			displayOptions: { show: { proof: ['token'] } },
			description: 'JWT, sent as a bearer token',
		},
		{
			displayName: 'Login URL',
			name: 'loginUrl',
			type: 'string',
			default: '',
			placeholder: 'https://auth.example.com',
			displayOptions: withLogin,
			description: 'Authentication service; "/login" is asked below it',
		},
		{ displayName: 'User', name: 'user', type: 'string', default: '', displayOptions: withLogin },
		{
			displayName: 'Password',
			name: 'password',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			displayOptions: withLogin,
		},
		{
			displayName: 'Dialect',
			name: 'dialect',
			type: 'options',
			options: [
				{ name: 'Service (/api/execute)', value: 'service' },
				{ name: 'Documents (/api/commands)', value: 'documents' },
				{ name: 'LangChain Client (/api/commands/execute)', value: 'langchain' },
			],
			default: 'service',
			description: 'Which of its routes the service has; our agent has all of them',
		},
		{
			displayName: 'Append an Exit Marker',
			name: 'marksExit',
			type: 'boolean',
			default: false,
			description:
				'Whether to append a line to every command that prints its exit code, because an original service tells none. It checks the first word only, so the line is let through; our agent tells exit codes anyway.',
		},
	]);
}

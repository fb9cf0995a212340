/** Devices that speak Agent3, ours and originals. */
import type { ICredentialType, Icon, INodeProperties } from 'n8n-workflow';
import { deviceFields } from './shared/device-fields.ts';

export class RemoteShellAgent3Api implements ICredentialType {
	name = 'remoteShellAgent3Api';
	displayName = 'Remote Shell: Agent3';
	icon: Icon = { light: 'file:../icons/remote-shell.svg', dark: 'file:../icons/remote-shell.dark.svg' };
	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-secure-code#remote-shell';
	restrictToSupportedNodes = true as const;
	properties: INodeProperties[] = deviceFields('http://127.0.0.1:5000', [
		{
			displayName: 'Token',
			name: 'token',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description: 'Sent as X-Auth-Token',
		},
	]);
}

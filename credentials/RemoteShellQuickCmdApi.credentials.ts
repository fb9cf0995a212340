/** Devices that speak the protocol of the QuickCMD Remote Agent, ours and originals. */
import type { ICredentialType, Icon, INodeProperties } from 'n8n-workflow';
import { deviceFields } from './shared/device-fields.ts';

export class RemoteShellQuickCmdApi implements ICredentialType {
	name = 'remoteShellQuickCmdApi';
	displayName = 'Remote Shell: QuickCMD';
	icon: Icon = { light: 'file:../icons/remote-shell.svg', dark: 'file:../icons/remote-shell.dark.svg' };
	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-secure-code#remote-shell';
	restrictToSupportedNodes = true as const;
	properties: INodeProperties[] = deviceFields('https://127.0.0.1:8443', [
		{
			displayName: 'Controller ID',
			name: 'controllerId',
			type: 'string',
			default: 'controller-1',
			description: 'One of the agent\'s "allowed_controllers"',
		},
		{
			displayName: 'HMAC Secret',
			name: 'secret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description: 'The agent\'s "hmac_secret"',
		},
		{
			displayName: 'Origin',
			name: 'origin',
			type: 'string',
			default: '',
			placeholder: 'controller-1',
			description:
				'Sent when output is streamed; an original wants one of its "allowed_controllers". Empty: the controller ID.',
		},
	]);
}

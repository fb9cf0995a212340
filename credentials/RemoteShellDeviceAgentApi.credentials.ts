/** Devices that speak the capability protocol of device_agent. */
import type { ICredentialType, Icon, INodeProperties } from 'n8n-workflow';
import { deviceFields } from './shared/device-fields.ts';

export class RemoteShellDeviceAgentApi implements ICredentialType {
	name = 'remoteShellDeviceAgentApi';
	displayName = 'Remote Shell: device_agent';
	icon: Icon = { light: 'file:../icons/remote-shell.svg', dark: 'file:../icons/remote-shell.dark.svg' };
	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-secure-code#remote-shell';
	restrictToSupportedNodes = true as const;
	properties: INodeProperties[] = deviceFields('http://10.42.0.10:7474', [
		{
			displayName: 'Token',
			name: 'token',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description: 'Bearer token; empty where the key or the network of the mesh is the proof',
		},
		{
			displayName: 'Signing Key',
			name: 'key',
			type: 'string',
			typeOptions: { password: true, rows: 3 },
			default: '',
			placeholder: '-----BEGIN PRIVATE KEY-----',
			description: 'Private Ed25519 key in PEM that requests are signed with; empty: they are not signed',
		},
		{
			displayName: 'Key ID',
			name: 'keyId',
			type: 'string',
			default: '',
			description: 'Under which the device knows the key',
		},
	]);
}

/** Devices that speak the native protocol of our agent: what "agent init" printed. */
import type { ICredentialType, Icon, INodeProperties } from 'n8n-workflow';
import { deviceFields } from './shared/device-fields.ts';

export class RemoteShellNativeApi implements ICredentialType {
	name = 'remoteShellNativeApi';
	displayName = 'Remote Shell: Secure Code Agent';
	icon: Icon = { light: 'file:../icons/remote-shell.svg', dark: 'file:../icons/remote-shell.dark.svg' };
	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-secure-code#remote-shell';
	/** No other node can be made to read this credential. */
	restrictToSupportedNodes = true as const;
	properties: INodeProperties[] = deviceFields('https://127.0.0.1:7475', [
		{
			displayName: 'Key',
			name: 'key',
			type: 'string',
			typeOptions: { password: true, rows: 3 },
			default: '',
			placeholder: '{"kty":"OKP","crv":"Ed25519","kid":"native-1",…}',
			description: 'The private key that "secure-code agent init" printed as "key"',
		},
	]);
}

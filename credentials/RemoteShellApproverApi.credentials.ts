/** Who answers requests for approval: another key than the one that asks for jobs, and never offered to the same agent. */
import type { ICredentialType, Icon, INodeProperties } from 'n8n-workflow';
import { deviceFields } from './shared/device-fields.ts';

export class RemoteShellApproverApi implements ICredentialType {
	name = 'remoteShellApproverApi';
	displayName = 'Remote Shell: Approver';
	icon: Icon = { light: 'file:../icons/remote-shell.svg', dark: 'file:../icons/remote-shell.dark.svg' };
	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-secure-code#approvals';
	restrictToSupportedNodes = true as const;
	properties: INodeProperties[] = deviceFields('https://127.0.0.1:7475', [
		{
			displayName: 'Token',
			name: 'token',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description:
				'Made with "secure-code agent keys add native --roles approver --kind token". It must stand for another person than the key that runs commands.',
		},
	]);
}

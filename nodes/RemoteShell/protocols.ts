/** The protocols that devices speak, and the credential of each. Plain data: n8n reads it at start. */
import type { FaceName } from '../../src/contract/device-job.ts';

export const protocols: readonly { readonly value: FaceName; readonly name: string; readonly credential: string }[] = [
	{ value: 'native', name: 'Secure Code Agent', credential: 'remoteShellNativeApi' },
	{ value: 'agent3', name: 'Agent3', credential: 'remoteShellAgent3Api' },
	{ value: 'ogent', name: 'Ogent Command Execution Service', credential: 'remoteShellOgentApi' },
	{ value: 'quickcmd', name: 'QuickCMD Remote Agent', credential: 'remoteShellQuickCmdApi' },
	{ value: 'device', name: 'device_agent', credential: 'remoteShellDeviceAgentApi' },
];

/** One slot for each protocol; only that of the chosen one is shown, and the editor fills no hidden slot. */
export const credentialSlots = protocols.map(({ value, credential }) => ({
	name: credential,
	displayName: 'Devices',
	required: true,
	testedBy: 'checkDevices',
	displayOptions: { show: { protocol: [value] } },
}));

export const credentialOf = (protocol: FaceName): string =>
	protocols.find(({ value }) => value === protocol)?.credential ?? '';

/** Fields that every credential of devices has: where the device is, how its certificate is trusted, and further devices. */
import type { INodeProperties } from 'n8n-workflow';

/** @param proof what the protocol asks for; it stands between the address and the certificate */
export function deviceFields(url: string, proof: INodeProperties[]): INodeProperties[] {
	return [
		{
			displayName: 'Device',
			name: 'alias',
			type: 'string',
			default: 'device',
			placeholder: 'web-1',
			description: 'Your name for the device; nodes and models call it by this name and never see its address',
		},
		{ displayName: 'URL', name: 'url', type: 'string', default: '', placeholder: url },
		...proof,
		{
			displayName: 'Certificate or Authority',
			name: 'ca',
			type: 'string',
			typeOptions: { rows: 3 },
			default: '',
			placeholder: '-----BEGIN CERTIFICATE-----',
			description:
				'PEM that the certificate of the device is checked against, for example what "secure-code agent init" printed as "ca". Empty: the authorities of the system.',
		},
		{
			displayName: 'Certificate Fingerprint',
			name: 'fingerprint',
			type: 'string',
			default: '',
			placeholder: 'AB:CD:…',
			description:
				'SHA-256 of the certificate, which is then trusted without any authority. There is no way to trust every certificate.',
		},
		{
			displayName: 'More Devices',
			name: 'devices',
			type: 'string',
			typeOptions: { password: true, rows: 6 },
			default: '',
			placeholder: 'web-2 = https://10.0.0.12:7475',
			description:
				'One device per line: <code>name = URL</code> with the proof from above, or <code>name = {"url":"…", …}</code> with what "secure-code agent init --json" printed for this protocol. A line that begins with # is a comment.',
		},
	];
}

/** Tests the credential of an approver: each device is asked for its requests, which takes the role. */
import type { ICredentialsDecrypted, ICredentialTestFunctions, INodeCredentialTestResult } from 'n8n-workflow';
import { wordsOf } from '../RemoteShell/check-devices.ts';
import { readDeviceList } from '../RemoteShell/device-list.ts';
import { withDevice } from '../shared/devices.ts';

export async function checkApprover(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	try {
		const devices = [...readDeviceList('native', (credential.data ?? {}) as Record<string, unknown>)];
		for (const [alias, access] of devices) await withDevice(alias, access, (client) => client.approvals());
		return { status: 'OK', message: `${devices.length} devices answer` };
	} catch (error) {
		return { status: 'Error', message: wordsOf(error) };
	}
}

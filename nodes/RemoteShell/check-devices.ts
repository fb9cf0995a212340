/** What n8n shows when a credential of devices is tested: every device is really asked, and each that fails is named with its fix. */
import type { ICredentialsDecrypted, ICredentialTestFunctions, INodeCredentialTestResult } from 'n8n-workflow';
import type { FaceName } from '../../src/contract/device-job.ts';
import { KnownError, problemFor } from '../../src/contract/error.ts';
import type { DeviceAccess } from '../../src/device/client/client.ts';
import { withDevice } from '../shared/devices.ts';
import { readDeviceList } from './device-list.ts';
import { protocols } from './protocols.ts';

const atATime = 16;
const mostNamed = 5;

/** What happened, and the one fix. */
export function wordsOf(error: unknown): string {
	const { message, next } = KnownError.is(error) ? error.problem : problemFor('INTERNAL', { id: 'credential test' });
	return `${message} ${next}`;
}

/** @returns what is wrong, or undefined */
async function faultOf(alias: string, access: DeviceAccess): Promise<string | undefined> {
	try {
		const isHealthy = await withDevice(alias, access, async (client) => {
			const { isHealthy: isUp } = await client.health();
			// Health needs no key in most protocols; this proves it where the protocol has a harmless question.
			if (access.protocol === 'native' || access.protocol === 'device') await client.capabilities();
			return isUp;
		});
		return isHealthy ? undefined : `${alias}: it answers, but says that it is not healthy.`;
	} catch (error) {
		return `${alias}: ${wordsOf(error)}`;
	}
}

async function faultsOf(devices: readonly (readonly [string, DeviceAccess])[]): Promise<string[]> {
	const faults: string[] = [];
	for (let at = 0; at < devices.length; at += atATime) {
		const found = await Promise.all(devices.slice(at, at + atATime).map((device) => faultOf(...device)));
		faults.push(...found.filter((fault) => fault !== undefined));
	}
	return faults;
}

async function check(protocol: FaceName, fields: Record<string, unknown>): Promise<INodeCredentialTestResult> {
	try {
		const devices = [...readDeviceList(protocol, fields)];
		const faults = await faultsOf(devices);
		if (faults.length === 0)
			return {
				status: 'OK',
				message: `${devices.length === 1 ? 'The device answers' : `All ${devices.length} devices answer`}.`,
			};
		return { status: 'Error', message: faults.slice(0, mostNamed).join(' ') };
	} catch (error) {
		return { status: 'Error', message: wordsOf(error) };
	}
}

export async function checkDevices(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	const protocol = protocols.find((known) => known.credential === credential.type)?.value ?? 'native';
	return await check(protocol, (credential.data ?? {}) as Record<string, unknown>);
}

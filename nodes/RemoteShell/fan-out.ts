/** The same action on many devices, a bounded number at a time; every device has its row, also the one that failed. */

import type { FaceName } from '../../src/contract/device-job.ts';
import { KnownError } from '../../src/contract/error.ts';
import type { RemoteResult } from '../../src/contract/remote.ts';
import type { DeviceAccess } from '../../src/device/client/client.ts';
import { remoteResult } from '../../src/device/client/remote-result.ts';
import type { DeviceList } from './device-list.ts';

export type OnDevice<Row> = (alias: string, access: DeviceAccess) => Promise<Row>;

/** What a device could not be asked is a row like any other. */
function rowOfFault(device: string, protocol: FaceName, error: unknown): RemoteResult {
	if (!KnownError.is(error)) throw error;
	const status = error.code === 'AGENT_UNREACHABLE' ? 'unreachable' : 'denied';
	return remoteResult({ device, protocol }, { status, problem: error.problem });
}

/** @returns one row for each device, in the order of the list */
export async function fanOut<Row>(
	devices: DeviceList,
	concurrency: number,
	act: OnDevice<Row>,
): Promise<(Row | RemoteResult)[]> {
	const waiting = [...devices].map(([alias, access], index) => ({ alias, access, index }));
	const rows: (Row | RemoteResult)[] = [];
	const work = async () => {
		for (let next = waiting.shift(); next; next = waiting.shift()) {
			const { alias, access, index } = next;
			rows[index] = await act(alias, access).catch((error: unknown) => rowOfFault(alias, access.protocol, error));
		}
	};
	await Promise.all(Array.from({ length: Math.min(concurrency, waiting.length) }, work));
	return rows;
}

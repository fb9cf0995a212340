/** One action on one device, with the stop button of n8n passed on to it. */
import type { Command } from '../../src/contract/device-job.ts';
import type { RemoteResult } from '../../src/contract/remote.ts';
import type { DeviceClient, Watch } from '../../src/device/client/client.ts';
import type { NodeContext } from '../shared/context.ts';
import { withDevice } from '../shared/devices.ts';
import type { LiveOutput } from '../shared/live-output.ts';
import type { DeviceList } from './device-list.ts';
import { fanOut } from './fan-out.ts';
import { forWorkflow } from './results.ts';
import type { Settings } from './settings.ts';
import { idempotencyKey, toCommand } from './to-command.ts';

export type JobAction = (client: DeviceClient, watch: Watch) => Promise<RemoteResult>;

/** Runs or submits the command on each of the devices; every device has its row. */
export function runOnDevices(
	context: NodeContext,
	settings: Settings,
	asked: {
		readonly command: Command;
		readonly devices: DeviceList;
		readonly later: boolean;
		readonly call?: string | undefined;
	},
	itemIndex: number,
	live?: LiveOutput,
): Promise<RemoteResult[]> {
	const { command, devices, later, call } = asked;
	const key = idempotencyKey(context, itemIndex, call);
	const watch: Watch = {
		signal: context.getExecutionCancelSignal(),
		...(live && devices.size === 1 && { onOutput: (_stream, text) => live.push(text) }),
	};
	return fanOut(devices, settings.concurrency, (alias, access) =>
		withDevice(alias, access, async (client) => {
			const remote = toCommand(context, settings, command, itemIndex, key);
			return forWorkflow(await (later ? client.submit(remote) : client.run(remote, watch)), devices.size);
		}),
	);
}

/** One action on a job that is there already. */
export async function onJob(context: NodeContext, devices: DeviceList, act: JobAction): Promise<RemoteResult[]> {
	const watch: Watch = { signal: context.getExecutionCancelSignal() };
	return fanOut(devices, 1, (alias, access) => withDevice(alias, access, (client) => act(client, watch)));
}

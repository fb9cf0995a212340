/** One call of a model from its raw arguments to what it reads; the same for every kind of agent. */
import { KnownError } from '../../src/contract/error.ts';
import type { Problem } from '../../src/contract/job.ts';
import type { RemoteResult } from '../../src/contract/remote.ts';
import { remoteResult } from '../../src/device/client/remote-result.ts';
import type { NodeContext } from '../shared/context.ts';
import { withDevice } from '../shared/devices.ts';
import { LiveOutput } from '../shared/live-output.ts';
import { toNodeError } from '../shared/to-node-error.ts';
import { chooseDevices } from './choose-devices.ts';
import { type JobCall, parseJob, parseRun } from './model-arguments.ts';
import { onJob, runOnDevices } from './on-device.ts';
import { readOperation, type ToolOperation } from './operations.ts';
import { forModel, hintFor, logResults } from './results.ts';
import { readSettings, type Settings } from './settings.ts';

export interface ToolCall {
	/** What the model passed. */
	readonly raw: unknown;
	/** What tells this call from the others of the same run; undefined: the run is the call. */
	readonly call: string | undefined;
}

/** A call that reached no device. */
const refusal = ({ protocol }: Settings, problem: Problem): RemoteResult =>
	remoteResult({ device: '', protocol }, { status: 'denied', problem });

async function run(
	context: NodeContext,
	settings: Settings,
	{ raw, call }: ToolCall,
	itemIndex: number,
): Promise<RemoteResult[]> {
	const parsed = parseRun(raw);
	if ('problem' in parsed) return [refusal(settings, parsed.problem)];
	const { command, devices } = parsed.call;
	const chosen = chooseDevices(settings.devices, devices, settings.allowsMany);
	if ('problem' in chosen) return [refusal(settings, chosen.problem)];
	const live = LiveOutput.of(context, itemIndex);
	try {
		return await runOnDevices(
			context,
			settings,
			{ command, devices: chosen.devices, later: false, call },
			itemIndex,
			live,
		);
	} finally {
		await live?.end();
	}
}

async function aboutJob(
	context: NodeContext,
	settings: Settings,
	call: JobCall,
	operation: ToolOperation,
): Promise<object> {
	const chosen = chooseDevices(settings.devices, call.devices, false);
	if ('problem' in chosen) return refusal(settings, chosen.problem);
	const [first] = [...chosen.devices];
	if (!first) return refusal(settings, { code: 'JOB_INVALID', message: '', next: '' });
	if (operation === 'readOutput') return withDevice(...first, (client) => client.read(call.jobId, call.read));
	const results = await onJob(context, chosen.devices, (client) =>
		operation === 'cancel' ? client.cancel(call.jobId) : client.status(call.jobId),
	);
	return forModel(results);
}

async function answer(context: NodeContext, asked: ToolCall, itemIndex: number): Promise<object> {
	const settings = await readSettings(context, itemIndex);
	const operation = readOperation(context, itemIndex);
	if (operation !== 'run') {
		const parsed = parseJob(asked.raw);
		return 'problem' in parsed
			? refusal(settings, parsed.problem)
			: aboutJob(context, settings, parsed.call, operation);
	}
	const results = await run(context, settings, asked, itemIndex);
	logResults(context, results);
	context.addExecutionHints(hintFor(results));
	return forModel(results);
}

/** Throws only what a person must repair. */
export async function runTool(context: NodeContext, asked: ToolCall, itemIndex: number): Promise<object> {
	try {
		return await answer(context, asked, itemIndex);
	} catch (error) {
		if (KnownError.is(error) && error.row.audience === 'model') return { status: 'denied', problem: error.problem };
		throw toNodeError(context, error, itemIndex);
	}
}

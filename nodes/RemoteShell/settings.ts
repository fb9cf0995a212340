/** What the author of the workflow allows: devices, folder, time, capability. In a tool each is a fixed value. */
import type { FaceName } from '../../src/contract/device-job.ts';
import { KnownError } from '../../src/contract/error.ts';
import type { NodeContext } from '../shared/context.ts';
import { splitList } from '../shared/lists.ts';
import { literal } from '../shared/literal.ts';
import { allowedDevices, type DeviceList, readDeviceList } from './device-list.ts';
import { credentialOf, protocols } from './protocols.ts';

export interface Settings {
	readonly protocol: FaceName;
	readonly devices: DeviceList;
	readonly cwd: string | undefined;
	/** Absent: the limit of the device. */
	readonly timeoutMs: number | undefined;
	readonly capability: string | undefined;
	readonly env: Readonly<Record<string, string>>;
	readonly stdin: string | undefined;
	/** A model, or a caller, may name several devices at once. */
	readonly allowsMany: boolean;
	readonly concurrency: number;
}

const refuse = (details: string): KnownError => new KnownError('CONFIG_INVALID', { details });

function readText(context: NodeContext, name: string, itemIndex: number): string {
	const value = literal(context, name, itemIndex, '');
	if (typeof value === 'string') return value.trim();
	throw refuse(`the parameter "${name}" must be a text`);
}

function readNumber(
	context: NodeContext,
	name: string,
	itemIndex: number,
	bounds: readonly [number, number, number],
): number {
	const [fallback, least, most] = bounds;
	const value = literal(context, name, itemIndex, fallback);
	if (typeof value === 'number' && value >= least && value <= most) return value;
	throw refuse(`the parameter "${name}" must be a number between ${least} and ${most}`);
}

export function readProtocol(context: NodeContext, itemIndex: number): FaceName {
	const value = literal(context, 'protocol', itemIndex, 'native');
	const protocol = protocols.find((known) => known.value === value);
	if (protocol) return protocol.value;
	throw refuse('the parameter "protocol" names no protocol of this node');
}

/** Rows of name and value; the same name twice is a mistake of the author. */
function readEnv(context: NodeContext, itemIndex: number): Record<string, string> {
	const { rows = [] } = literal(context, 'env', itemIndex, {}) as { rows?: { name?: string; value?: string }[] };
	return Object.fromEntries(rows.map(({ name = '', value = '' }) => [name, value]));
}

export async function readDevices(context: NodeContext, protocol: FaceName, itemIndex: number): Promise<DeviceList> {
	const fields = await context.getCredentials<Record<string, unknown>>(credentialOf(protocol), itemIndex);
	const all = readDeviceList(protocol, fields);
	return allowedDevices(all, splitList(readText(context, 'allowedDevices', itemIndex) || '*'));
}

const optional = (text: string): string | undefined => (text === '' ? undefined : text);

export async function readSettings(context: NodeContext, itemIndex: number): Promise<Settings> {
	const protocol = readProtocol(context, itemIndex);
	const seconds = readNumber(context, 'timeout', itemIndex, [0, 0, 3600]);
	return {
		protocol,
		devices: await readDevices(context, protocol, itemIndex),
		cwd: optional(readText(context, 'cwd', itemIndex)),
		timeoutMs: seconds === 0 ? undefined : seconds * 1000,
		capability: optional(readText(context, 'capability', itemIndex)),
		env: readEnv(context, itemIndex),
		stdin: undefined,
		allowsMany: literal(context, 'allowSeveral', itemIndex, false) === true,
		concurrency: readNumber(context, 'concurrency', itemIndex, [16, 1, 200]),
	};
}

/** The connections of this process to devices: one client for each way to reach one, kept while it is used. */
import { createHash } from 'node:crypto';
import type { DeviceAccess, DeviceClient } from '../../src/device/client/client.ts';

/** A client that nobody used for so long gives its connections back. */
const idleMs = 300_000;

interface Kept {
	readonly client: DeviceClient;
	users: number;
	timer: NodeJS.Timeout | undefined;
}

const place = Symbol.for('n8n-nodes-secure-code.devices');

function keptClients(): Map<string, Kept> {
	const home = globalThis as { [place]?: Map<string, Kept> };
	home[place] ??= new Map();
	return home[place];
}

/** A changed credential is another device. */
const keyOf = (alias: string, access: DeviceAccess): string =>
	createHash('sha256')
		.update(JSON.stringify([alias, access]))
		.digest('hex');

async function lend(key: string, alias: string, access: DeviceAccess): Promise<Kept> {
	const clients = keptClients();
	// Loaded with the first call, so that n8n starts without it.
	const { createClient } = await import('../../src/device/client/create.ts');
	const kept = clients.get(key) ?? { client: createClient(alias, access), users: 0, timer: undefined };
	clients.set(key, kept);
	clearTimeout(kept.timer);
	kept.users++;
	return kept;
}

function giveBack(key: string, kept: Kept): void {
	kept.users--;
	if (kept.users > 0) return;
	kept.timer = setTimeout(() => {
		keptClients().delete(key);
		void kept.client.close();
	}, idleMs).unref();
}

/** Lends the client of a device for one action. */
export async function withDevice<T>(
	alias: string,
	access: DeviceAccess,
	act: (client: DeviceClient) => Promise<T>,
): Promise<T> {
	const key = keyOf(alias, access);
	const kept = await lend(key, alias, access);
	try {
		return await act(kept.client);
	} finally {
		giveBack(key, kept);
	}
}

/** The native face on a real socket, with the real pipeline and a real store behind it; only the commands are stand-ins. */
import { onTestFinished } from 'vitest';
import type { AgentConfig } from '../../src/contract/agent-config.ts';
import type { Role } from '../../src/contract/principal.ts';
import type { Face, FaceParts, LiveKey } from '../../src/device/agent/face.ts';
import { nativeFace } from '../../src/device/agent/faces/native.ts';
import { type Desk, type DeskOptions, openDesk } from './desk.ts';
import { serveFace, TestKeys, tokenKey } from './face.ts';
import { HandClient, HandKey } from './native-client.ts';
import { tempFolder } from './temp-folder.ts';

const device = 'device-1';

const signingKey = (key: HandKey, name: string, roles: Role[] = ['executor']): LiveKey => ({
	...{ id: key.kid, kind: 'ed25519' as const, material: key.publicKey as NonNullable<HandKey['publicKey']> },
	principal: { name, roles, capabilities: ['*'], keyId: key.kid },
});

export interface NativeOptions extends DeskOptions {
	readonly face?: Face;
	readonly parts?: Partial<FaceParts>;
	readonly agent?: Partial<AgentConfig>;
}

export interface NativeAgent {
	readonly url: string;
	readonly desk: Desk;
	readonly keys: TestKeys;
	readonly logged: object[];
	readonly handKey: HandKey;
	/** Signs; has the role of an executor. */
	readonly ann: HandClient;
	/** Signs; another executor. */
	readonly eve: HandClient;
	/** A token with the role of an approver. */
	readonly bob: HandClient;
	/** A token with the role of a viewer. */
	readonly vic: HandClient;
	/** Signs with a key that the agent does not know. */
	readonly nobody: HandClient;
	client(key: HandKey | string): HandClient;
	stop(): Promise<void>;
}

export async function nativeAgent({
	face = nativeFace,
	parts,
	agent,
	...options
}: NativeOptions = {}): Promise<NativeAgent> {
	const desk = openDesk(tempFolder(), { ...options, ...(agent && { config: { ...agent } }) });
	const annKey = HandKey.make('ann-1');
	const eveKey = HandKey.make('eve-1');
	const keys = new TestKeys([
		...[signingKey(annKey, 'ann'), signingKey(eveKey, 'eve')],
		...[tokenKey('bob-token', 'bob', ['approver']), tokenKey('vic-token', 'vic', ['viewer'])],
	]);
	const given = { approvals: desk.approvals, metrics: async () => '# figures\n', ...parts };
	const served = await serveFace(face, desk.jobs, keys, agent ?? {}, given);
	let isClosed = false;
	const stop = async () => {
		if (isClosed) return;
		isClosed = true;
		await served.close();
		await desk.jobs.stop(0);
		desk.store.close();
	};
	onTestFinished(stop);
	const client = (key: HandKey | string) => new HandClient({ url: served.url, device }, key);
	return {
		...{ url: served.url, desk, keys, logged: served.logged, handKey: annKey, client, stop },
		...{ ann: client(annKey), eve: client(eveKey), bob: client('bob-token'), vic: client('vic-token') },
		nobody: client(HandKey.make('ann-1')),
	};
}

export const uptime = { capability: 'shell.run', command: { mode: 'argv', argv: ['uptime'] } };

/** One face on a real socket, with jobs in the hands of a test. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { type AgentConfig, agentConfigSchema } from '../../src/contract/agent-config.ts';
import type { Face, FaceParts, Keyring, LiveKey } from '../../src/device/agent/face.ts';
import type { Jobs } from '../../src/device/agent/ports.ts';

/** Keys for tests: tokens and secrets as they are, no time, no files. */
export class TestKeys implements Keyring {
	readonly refusals: string[] = [];
	#keys: readonly (LiveKey & { readonly token?: string })[];

	constructor(keys: readonly (LiveKey & { readonly token?: string })[]) {
		this.#keys = keys;
	}

	revoke(id: string): void {
		this.#keys = this.#keys.filter((key) => key.id !== id);
	}

	byToken(_face: string, token: string): LiveKey | undefined {
		const digest = (text: string) => createHash('sha256').update(text).digest();
		return this.#keys.find((key) => key.token !== undefined && timingSafeEqual(digest(key.token), digest(token)));
	}

	candidates(_face: string, kind: LiveKey['kind']): readonly LiveKey[] {
		return this.#keys.filter((key) => key.kind === kind);
	}

	refused(face: string, reason: string): void {
		this.refusals.push(`${face}: ${reason}`);
	}
}

export const tokenKey = (token: string, name: string, roles: LiveKey['principal']['roles'] = ['executor']) => ({
	...{ id: `key-${name}`, kind: 'token' as const, material: Buffer.from(token), token },
	principal: { name, roles, capabilities: ['*'], keyId: `key-${name}` },
});

export interface Served {
	readonly url: string;
	readonly logged: object[];
	close(): Promise<void>;
}

export async function serveFace(
	face: Face,
	jobs: Jobs,
	keys: TestKeys,
	config: Partial<AgentConfig> = {},
	more: Partial<FaceParts> = {},
): Promise<Served> {
	const app = fastify({ requestTimeout: 2000, routerOptions: { maxParamLength: 512 } });
	const logged: object[] = [];
	const log = (fields: object, message: string) => void logged.push({ ...fields, message });
	const whole = agentConfigSchema.parse({
		version: 1,
		device: { id: 'device-1' },
		listeners: [{ faces: [face.name], port: 0 }],
		...config,
	});
	const stopping = new AbortController();
	const { upgrade } =
		face.register(app, {
			...{ config: whole, version: '0.0.0', dir: '/nowhere', jobs, keys, stopping: stopping.signal },
			approvals: { list: () => [], get: () => undefined, answer: () => Promise.reject(new Error('not used')) },
			log: { info: log, warn: log, error: log },
			programs: () => ['cat', 'ls'],
			enroll: async () => ({ keyId: 'native-2', principal: 'ann' }),
			capabilities: () => [],
			metrics: async () => '',
			auditStatus: () => Promise.reject(new Error('not used')),
			recordRefusal: async () => null,
			counts: () => ({ total: 0, running: 0, completed: 0, failed: 0 }),
			...more,
		}) ?? {};
	app.server.on('upgrade', (...[request, socket, head]) => {
		if (!upgrade?.(request, socket, head)) socket.destroy();
	});
	await app.listen({ host: '127.0.0.1', port: 0 });
	const close = async () => {
		stopping.abort();
		await app.close();
	};
	return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, logged, close };
}

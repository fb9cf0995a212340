/** A real agent that speaks the native protocol, and plain clients for it: one that signs, an approver and a viewer with tokens. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { openPolicy, secureCode, TestAgent } from './agent.ts';
import { HandClient, HandKey, type Place, type Reply, readReply } from './native-client.ts';

/** Every script runs; those of "shell.run.asked" wait for a person, and those of "shell.run.typed" for words. */
export function askingPolicy(...writable: readonly string[]): string {
	const policy = parse(openPolicy(...writable));
	const asked = { ...policy.capabilities['shell.run'], requiresApproval: true };
	policy.capabilities['shell.run.asked'] = asked;
	policy.capabilities['shell.run.typed'] = { ...asked, isHighRisk: true };
	policy.capabilities['shell.run.strict'] = { profile: 'default', programs: [], otherwise: 'deny' };
	return stringify(policy);
}

export class NativeDaemon {
	readonly agent: TestAgent;
	readonly place: Place;
	readonly handKey: HandKey;
	/** Signs with the key that "agent init" printed. */
	readonly ann: HandClient;
	readonly bob: HandClient;
	readonly vic: HandClient;

	private constructor(agent: TestAgent, device: string, bob: string, vic: string) {
		const { url, key, ca } = agent.faces.native;
		this.agent = agent;
		this.place = { url, ca, device };
		this.handKey = HandKey.read(key);
		this.ann = new HandClient(this.place, this.handKey);
		this.bob = new HandClient(this.place, bob);
		this.vic = new HandClient(this.place, vic);
	}

	static async start(policy: string, config?: (config: Record<string, never>) => void): Promise<NativeDaemon> {
		const init = ['--faces', 'native', '--device-id', 'web-1'];
		const agent = await TestAgent.create({ policy, init, ...(config && { config }) });
		const token = (principal: string, roles: string): string => {
			const add = ['agent', 'keys', 'add', 'native', '--dir', agent.dir, '--kind', 'token', '--json'];
			return JSON.parse(secureCode([...add, '--principal', principal, '--roles', roles])).token;
		};
		const [bob, vic] = [token('bob', 'approver'), token('vic', 'viewer')];
		await agent.serve();
		return new NativeDaemon(agent, 'web-1', bob, vic);
	}

	/** A call over the socket of the folder, as the command line makes them. */
	async local(method: string, path: string, value?: unknown): Promise<Reply> {
		const sent = request({ socketPath: join(this.agent.dir, 'run', 'agent.sock'), method, path });
		sent.end(value === undefined ? undefined : JSON.stringify(value));
		const [response] = (await once(sent, 'response')) as [IncomingMessage];
		return readReply(response);
	}

	/** Dies as in a power cut, and comes back. */
	async crash(): Promise<void> {
		await this.agent.end('SIGKILL');
		await this.agent.serve();
	}
}

export const script = (text: string, more: object = {}) => ({
	capability: 'shell.run',
	command: { mode: 'script', script: text },
	...more,
});

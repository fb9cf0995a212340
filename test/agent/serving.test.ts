/** The agent from nothing to serving and back: init, serve, stop, and what it refuses to start with. */
import { afterEach, describe, expect, it } from 'vitest';
import { TestAgent } from '../helpers/agent.ts';

const agents: TestAgent[] = [];
afterEach(async () => {
	await Promise.all(agents.splice(0).map((agent) => agent.remove()));
});

async function create(...changes: Parameters<typeof TestAgent.create>): Promise<TestAgent> {
	const agent = await TestAgent.create(...changes);
	agents.push(agent);
	return agent;
}

describe('agent serve', () => {
	it('stops with 0 when it is told to, and can be started again', async () => {
		const agent = await create();
		const codes: unknown[] = [];
		for (const signal of ['SIGTERM', 'SIGINT'] as const) {
			await agent.serve();
			codes.push(await agent.end(signal));
		}
		expect([codes, agent.stderr, agent.log.map(({ msg }) => msg)]).toEqual([
			[0, 0],
			'',
			['ready', 'stopping', 'stopped', 'ready', 'stopping', 'stopped'],
		]);
	});

	it('refuses a folder that another agent serves', async () => {
		const agent = await create();
		await agent.serve();
		const first = agent.pid;
		await expect(agent.serve()).rejects.toThrow(/ended with 78.*another agent/s);
		process.kill(first, 'SIGKILL');
	});
});

/** The figures of the agent as Prometheus reads them, checked by its own tool. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaceName, faceNames } from '../../src/contract/device-job.ts';
import { openPolicy, TestAgent } from '../helpers/agent.ts';
import { jobRequest } from '../helpers/agent-requests.ts';
import { whyMissing } from '../helpers/debian.ts';
import { ask } from '../helpers/plain-client.ts';

let agent: TestAgent;
beforeAll(async () => {
	agent = await TestAgent.start({ policy: openPolicy(), init: ['--device-id', 'box'] });
	for (const face of ['agent3', 'ogent', 'device'] as const) {
		const { method, path, headers, body = '' } = jobRequest(agent, face);
		await fetch(agent.faces[face].url + path, { method, headers, body });
		await fetch(agent.faces[face].url + path, { method, body });
	}
});
afterAll(() => agent.remove());

const plain = ['agent3', 'ogent', 'device'] as const;
const metricsOf = async (face: FaceName) =>
	(await ask(`${agent.faces[face].url}/metrics`, { ca: agent.faces.native.ca })).text;

describe('/metrics', () => {
	it.for(faceNames)('of %s is what promtool asks for', async (face, { skip }) => {
		const missing = whyMissing('promtool', 'prometheus');
		if (missing !== undefined) return skip(missing);
		const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
			input: await metricsOf(face),
			encoding: 'utf8',
		});
		expect([status, stdout, stderr]).toEqual([0, '', '']);
	});

	it('counts what happened', async () => {
		await expect.poll(() => metricsOf('device')).toMatch(/^rsagent_jobs_total\{facade="ogent",state="succeeded"\} 1$/m);
		const text = await metricsOf('device');
		expect(text).toMatch(/^rsagent_jobs_total\{facade="agent3",state="succeeded"\} 1$/m);
		expect(text).toMatch(/^rsagent_auth_failures_total\{facade="ogent",reason="[a-z -]+"\} 1$/m);
		expect(text).toMatch(/^rsagent_audit_chain_ok 1$/m);
	});
});

it('/metrics is not there for networks that may not read it', async () => {
	const closed = await TestAgent.start({ config: (config) => Object.assign(config, { metrics: { from: [] } }) });
	const statuses = await Promise.all(
		plain.map(async (face) => (await fetch(`${closed.faces[face].url}/metrics`)).status),
	);
	await closed.remove();
	expect(statuses).toEqual([404, 404, 404]);
});

/** Requests that are unusual and legal, and some that are not, at every face: answered in its own shape, and never as a failure of the agent. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPolicy, TestAgent } from '../helpers/agent.ts';
import { jobRequest } from '../helpers/agent-requests.ts';
import { ask } from '../helpers/plain-client.ts';

let agent: TestAgent;
beforeAll(async () => {
	agent = await TestAgent.start({ policy: openPolicy(), init: ['--device-id', 'box'] });
});
afterAll(() => agent?.remove());

const names = ['agent3', 'ogent', 'quickcmd', 'device', 'native'] as const;
const health = { agent3: '/health', ogent: '/health', quickcmd: '/health', device: '/health', native: '/v2/health' };

const to = (face: (typeof names)[number], path: string, options: object = {}) => {
	const { url, ca } = agent.faces[face] as { url: string; ca?: string };
	return ask(`${url}${path}`, { ...(ca !== undefined && { ca }), ...options });
};

describe.each(names)('the face %s', (face) => {
	it('says that it is there, with and without a body', async () => {
		const [get, head] = [await to(face, health[face]), await to(face, health[face], { method: 'HEAD' })];
		expect([get.status, head.status, head.text]).toEqual([200, 200, '']);
	});

	it.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS'])('has no %s where a job is handed in', async (method) => {
		const { path } = jobRequest(agent, face);
		expect((await to(face, path, { method })).status).toBe(405);
	});

	it('has nothing at other addresses', async () => {
		for (const path of ['/none', '/api/none', '/%ff', '//', '/..%2f..%2fetc/passwd'])
			expect((await to(face, path)).status).toBeLessThan(500);
		expect((await to(face, '/none')).status).toBe(404);
	});

	it('takes a job whatever its length is called and whatever stands in its head', async () => {
		const { method, path, headers, body = '' } = jobRequest(agent, face);
		const more = { 'x-long': 'a'.repeat(8_000), 'accept-encoding': 'gzip, br', 'transfer-encoding': 'chunked' };
		const answer = await to(face, path, { method, headers: { ...headers, ...more }, body });
		expect([200, 202]).toContain(answer.status);
	});

	it('says that a body is compressed, and does not take it for something else', async () => {
		const { method, path, headers, body = '' } = jobRequest(agent, face);
		const answer = await to(face, path, {
			...{ method, headers: { ...headers, 'content-encoding': 'gzip' } },
			body: gzipSync(body),
		});
		expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('compressed')]);
	});

	it.each(['', 'null', '[]', '7', '"x"', '{', '{}'])('refuses the body %j', async (body) => {
		const { method, path, headers } = jobRequest(agent, face);
		const { status } = await to(face, path, { method, headers, body });
		expect([400, 401]).toContain(status);
	});
});

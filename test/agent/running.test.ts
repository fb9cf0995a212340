/** Commands through a real agent: they run in a jail, are on record, and are gone when they are ended. */
import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';

let agent: TestAgent;
beforeAll(async () => {
	agent = await TestAgent.start({ policy: openPolicy() });
});
afterAll(() => agent.remove());

const shell = async (cmd: string): Promise<Record<string, unknown>> => {
	const { url, token } = agent.faces.agent3;
	const body = JSON.stringify({ op: 'shell', args: { cmd } });
	const answer = await fetch(url, { method: 'POST', headers: { 'X-Auth-Token': token }, body });
	return (await answer.json()) as Record<string, unknown>;
};

describe('a client that offers HTTP/2 with its request, as Java does', () => {
	it('is answered in HTTP/1.1', async () => {
		const { url, token } = agent.faces.agent3;
		const offer = {
			Connection: 'Upgrade, HTTP2-Settings',
			Upgrade: 'h2c',
			'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA',
		};
		const sent = request(url, { method: 'POST', headers: { 'X-Auth-Token': token, ...offer } });
		sent.end(JSON.stringify({ op: 'shell', args: { cmd: 'echo hi' } }));
		const [response] = await once(sent, 'response');
		const answer = Buffer.concat(await response.toArray()).toString();
		expect([response.statusCode, JSON.parse(answer).stdout]).toEqual([200, 'hi\n']);
	});
});

describe('a command', () => {
	it('runs in a jail as a user of its own', async () => {
		expect(await shell('id -un; pwd; echo oops >&2; exit 3')).toMatchObject({
			stdout: 'device\n/work\n',
			stderr: 'oops\n',
			exit_code: 3,
		});
	});

	it('does not see the folder of the agent', async () => {
		expect((await shell(`ls ${agent.dir}/keys`)).exit_code).not.toBe(0);
	});

	it('leaves an audit that is intact', async () => {
		await shell('echo one');
		const { status, rows } = JSON.parse(secureCode(['audit', 'verify', '--dir', agent.dir, '--json']));
		expect([status, rows > 5]).toEqual(['intact', true]);
	});
});

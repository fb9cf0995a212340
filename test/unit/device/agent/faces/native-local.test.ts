import { once } from 'node:events';
import { chmodSync, statSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { agentConfigSchema } from '../../../../../src/contract/agent-config.ts';
import type { FaceParts } from '../../../../../src/device/agent/face.ts';
import { mountLocal } from '../../../../../src/device/agent/faces/native.ts';
import { type Desk, type DeskOptions, decided, openDesk } from '../../../../helpers/desk.ts';
import { TestKeys } from '../../../../helpers/face.ts';
import { type Reply, readReply } from '../../../../helpers/native-client.ts';
import { uptime } from '../../../../helpers/native-face.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

interface Local {
	readonly desk: Desk;
	readonly path: string;
	call(method: string, path: string, value?: unknown): Promise<Reply>;
}

/** The calls on a socket of the file system, as the command line finds them. */
async function local(options: DeskOptions = {}): Promise<Local> {
	const dir = tempFolder();
	const desk = openDesk(dir, options);
	const app = fastify();
	const parts: Partial<FaceParts> = {
		config: agentConfigSchema.parse({
			version: 1,
			device: { id: 'device-1' },
			listeners: [{ faces: ['native'], port: 0 }],
			metrics: { from: [] },
		}),
		...{ version: '0.0.0', dir, jobs: desk.jobs, approvals: desk.approvals, keys: new TestKeys([]) },
		log: { info: () => {}, warn: () => {}, error: () => {} },
		metrics: async () => '# figures\n',
		...{ capabilities: () => [], programs: () => [] },
		stopping: new AbortController().signal,
	};
	const principal = { name: 'local:root', roles: ['admin' as const], capabilities: ['*'], keyId: null, peer: null };
	const { upgrade } = mountLocal(app, parts as FaceParts, principal);
	app.server.on('upgrade', upgrade);
	const path = join(dir, 'agent.sock');
	await app.listen({ path });
	chmodSync(path, 0o600);
	onTestFinished(async () => {
		await app.close();
		await desk.jobs.stop(0);
		desk.store.close();
	});
	const call: Local['call'] = async (method, target, value) => {
		const sent = request({ socketPath: path, method, path: target });
		sent.end(value === undefined ? undefined : JSON.stringify(value));
		const [response] = (await once(sent, 'response')) as [IncomingMessage];
		return readReply(response);
	};
	return { desk, path, call };
}

describe('on the socket of the agent', () => {
	it('whoever may open it is an administrator, without a key', async () => {
		const { call, path, desk } = await local();
		const { status, json } = await call('POST', '/v2/jobs?wait=5000', { job: uptime });
		expect([status, json.state, json.principal, desk.ran.length]).toEqual([202, 'ended', 'local:root', 1]);
		expect((await call('GET', '/v2/capabilities')).json.you).toEqual({
			...{ name: 'local:root', roles: ['admin'], capabilities: ['*'] },
		});
		expect((await call('GET', '/metrics')).status).toBe(200);
		expect(statSync(path).mode & 0o777).toBe(0o600);
	});

	it('the jobs of everybody are seen, and their events', async () => {
		const { call, path } = await local();
		const { jobId } = (await call('POST', '/v2/jobs?wait=5000', { job: uptime })).json;
		expect((await call('GET', '/v2/jobs')).json.jobs).toHaveLength(1);
		const events = (await call('GET', `/v2/jobs/${jobId}/events`)).bytes.toString();
		expect(events).toMatch(/^id: 1\ndata: .*\n\n(?:id: \d+\ndata: .*\n\n)+$/);
		const ws = new WebSocket(`ws+unix://${path}:/v2/jobs/${jobId}/events?after=1`);
		const messages: string[] = [];
		ws.on('message', (data) => messages.push(String(data)));
		await once(ws, 'close');
		expect(messages.map((text) => JSON.parse(text))).toEqual(
			[...events.matchAll(/^data: (.*)$/gm)].slice(1).map(([, text = '']) => JSON.parse(text)),
		);
	});

	it('requests of others are answered, but not those of its own', async () => {
		const { call } = await local({ decide: () => decided('ask') });
		const { approvalId } = (await call('POST', '/v2/jobs', { job: uptime })).json;
		const { status, json } = await call('POST', `/v2/approvals/${approvalId}`, { answer: 'approve' });
		expect([status, json.error.code]).toEqual([403, 'APPROVAL_FORBIDDEN']);
	});

	it('the same idempotency key is the same job', async () => {
		const { call, desk } = await local();
		const job = { ...uptime, idempotencyKey: 'k-1' };
		const first = await call('POST', '/v2/jobs?wait=5000', { job });
		const again = await call('POST', '/v2/jobs', { job });
		expect([first.status, again.status, again.json, desk.ran.length]).toEqual([202, 200, first.json, 1]);
	});

	it('what does not fit is refused in words', async () => {
		const { call } = await local();
		const bodies = [undefined, {}, { job: {} }, { job: uptime, more: 1 }, []];
		const answers = await Promise.all(bodies.map((body) => call('POST', '/v2/jobs', body)));
		expect(answers.map(({ status, json }) => [status, json.error.code])).toEqual(
			bodies.map(() => [400, 'REQUEST_INVALID']),
		);
	});
});

/** The command line asks the agent of a folder, and says in words when there is none, or when it is something else. */

import { mkdirSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { callAgent, tellAgent } from '../../../src/cli/agent-call.ts';
import { problemFor } from '../../../src/contract/error.ts';
import { layoutOf } from '../../../src/device/agent/layout.ts';
import { socketPath } from '../../../src/device/agent/socket-path.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

async function agentThat(answer: RequestListener): Promise<string> {
	const dir = tempFolder();
	const path = socketPath(layoutOf(dir).socket);
	mkdirSync(dirname(path), { recursive: true });
	const server = createServer(answer);
	await new Promise<void>((resolve) => server.listen(path, resolve));
	onTestFinished(() => void server.close().closeAllConnections());
	return dir;
}

const get = { method: 'GET', path: '/v2/jobs' } as const;
const saying =
	(status: number, body: unknown): RequestListener =>
	(_request, response) => {
		response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
	};

describe('a call of the command line', () => {
	it('sends what it is given and returns what comes', async () => {
		const heard: unknown[] = [];
		const dir = await agentThat(async (request, response) => {
			heard.push(request.method, request.url, JSON.parse(await text(request)));
			response.end('{"ok":"é"}');
		});
		expect(await callAgent(dir, { method: 'POST', path: '/x?y=1', body: { a: 'ü' } })).toEqual({ ok: 'é' });
		expect(heard).toEqual(['POST', '/x?y=1', { a: 'ü' }]);
	});

	it('throws the error that the agent answered with, in its own words', async () => {
		const problem = { ...problemFor('JOB_NOT_FOUND'), message: 'It is gone.' };
		const dir = await agentThat(saying(404, { error: problem }));
		await expect(callAgent(dir, get)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND', problem });
	});

	it.each([
		['an error that nobody knows', saying(500, { error: { code: 'ODD' } })],
		['an error without words', saying(502, 'Bad Gateway')],
		['a page', saying(200, '<html>')],
		['nothing', saying(200, '')],
		['a broken answer', (_request, response) => response.writeHead(200, { 'content-length': 9 }).destroy()],
		['a closed door', (request) => request.socket.destroy()],
	] as [string, RequestListener][])('takes %s for no agent', async (_what, answer) => {
		await expect(callAgent(await agentThat(answer), get)).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
	});

	it('says that nobody serves a folder', async () => {
		await expect(callAgent(tempFolder(), get)).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
	});
});

describe('telling an agent that something changed', () => {
	it('is nothing where none runs', async () => {
		expect(await tellAgent(tempFolder())).toBeUndefined();
	});

	it('passes on what the agent cannot take over', async () => {
		const dir = await agentThat(saying(500, { error: problemFor('INTERNAL', { id: 'x' }) }));
		await expect(tellAgent(dir)).rejects.toMatchObject({ code: 'INTERNAL' });
	});
});

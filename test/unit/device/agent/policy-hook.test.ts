import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { askHook, type HookQuestion } from '../../../../src/device/agent/policy-hook.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const question: HookQuestion = {
	deviceId: 'd-1',
	principal: { name: 'alice', roles: ['executor'], capabilities: ['*'], keyId: 'k', peer: null },
	draft: { capability: 'shell.run', command: { mode: 'argv', argv: ['ls'] }, env: { TZ: 'secret' }, labels: {} },
	decision: {
		decision: 'allow',
		reasons: [{ rule: 'r', class: 'program', decision: 'allow', why: 'w' }],
		plan: { mode: 'argv', argv: ['ls'] },
		profile: 'jail',
		limits: {},
		isHighRisk: false,
		policyHash: 'h',
	},
};

interface Heard {
	readonly body: string;
	readonly authorization: string | undefined;
}

/** A service that answers with this, and keeps what it heard. */
async function service(status: number, answer: string | null, headers: Record<string, string> = {}) {
	const heard: Heard[] = [];
	const server = createServer(async (request, response) => {
		heard.push({ body: await text(request), authorization: request.headers.authorization });
		if (answer !== null) response.writeHead(status, headers).end(answer);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, heard };
}

const ask = (url: string, extra: object = {}, dir = tempFolder()) =>
	askHook({ url, timeoutMs: 300, ...extra }, dir, question);

it('tells the service who wants what, but no values, and brings its answer', async () => {
	const { url, heard } = await service(200, '{"decision":"ask","why":"night"}');
	const dir = tempFolder();
	mkdirSync(join(dir, 'keys'));
	writeFileSync(join(dir, 'keys', 'hook.token'), 'token\n');
	expect(await ask(url, { tokenFile: 'keys/hook.token' }, dir)).toEqual({ decision: 'ask', why: 'night' });
	expect(heard[0]?.authorization).toBe('Bearer token');
	expect(JSON.parse(heard[0]?.body ?? '')).toEqual({
		device: 'd-1',
		principal: 'alice',
		roles: ['executor'],
		capability: 'shell.run',
		command: { mode: 'argv', argv: ['ls'] },
		cwd: null,
		env: ['TZ'],
		decision: 'allow',
		reasons: question.decision.reasons,
		plan: question.decision.plan,
		policyHash: 'h',
	});
});

it.each<[string, number, string | null, Record<string, string>]>([
	['is not there in time', 200, null, {}],
	['answers with an error', 500, '{"decision":"allow"}', {}],
	['sends somebody elsewhere', 302, '', { location: 'http://127.0.0.1:1/' }],
	['answers no JSON', 200, 'allow', {}],
	['answers another shape', 200, '{"allow":true}', {}],
	['answers without end', 200, `{"decision":"allow","why":"${'x'.repeat(100_000)}"}`, {}],
])('has no answer when the service %s', async (_name, status, answer, headers) => {
	const { url } = await service(status, answer, headers);
	expect(await ask(url)).toBeUndefined();
});

it('has no answer when nobody listens, or the token is not there', async () => {
	expect(await ask('http://127.0.0.1:1/')).toBeUndefined();
	const { url } = await service(200, '{"decision":"allow"}');
	expect(await ask(url, { tokenFile: 'keys/none' })).toBeUndefined();
	expect(await ask(url, { tokenFile: '../outside' })).toBeUndefined();
});

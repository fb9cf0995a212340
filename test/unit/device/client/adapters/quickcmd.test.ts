import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RemoteCommand } from '../../../../../src/contract/remote.ts';
import { QuickCmdClient } from '../../../../../src/device/client/adapters/quickcmd.ts';
import { DeviceHttp } from '../../../../../src/device/client/http.ts';
import { originalQuickCmd } from '../../../../helpers/originals/quickcmd.ts';

const secret = 'a secret of at least thirty-two bytes';

async function original(proof: object = {}) {
	const server = await originalQuickCmd(secret);
	const http = new DeviceHttp({ url: server.url });
	return { server, client: new QuickCmdClient('web-1', http, { secret, controllerId: 'controller-1', ...proof }) };
}

const script = (text: string, more: Partial<RemoteCommand> = {}): RemoteCommand => ({
	command: { mode: 'script', script: text, shell: 'auto' },
	env: {},
	labels: {},
	idempotencyKey: 'k',
	...more,
});

describe('an original QuickCMD agent', () => {
	it.each([
		['echo hi', 'succeeded', 0, null],
		['exit 3', 'failed', 3, null],
		['exit 137', 'killed', null, 'SIGKILL'],
	])('that completed "%s" is judged by the exit code', async (text, status, exitCode, signal) => {
		const { client } = await original();
		const result = await client.run(script(text));
		expect([result.status, result.exitCode, result.signal]).toEqual([status, exitCode, signal]);
	});

	it('verifies the signature that Go would make', async () => {
		const { client, server } = await original();
		const { stdout, jobId } = await client.run(script('echo "a & b < c" é'));
		expect([stdout, server.commands, jobId]).toEqual([
			'a & b < c é\n',
			['echo "a & b < c" é'],
			expect.stringMatching(/^rs-/),
		]);
	});

	it('streams with the Origin of its controller, and the drop after the last frame is no fault', async () => {
		const { client } = await original();
		const live: string[] = [];
		const result = await client.run(script('sleep 0.3; echo live'), { onOutput: (_stream, text) => live.push(text) });
		expect([live.join(''), result.status, result.notes]).toEqual(['live\n', 'succeeded', []]);
	});

	it('that refuses the stream is asked for its end all the same', async () => {
		const { client } = await original({ origin: 'somebody-else' });
		const result = await client.run(script('sleep 0.2; echo end'), { onOutput: () => {} });
		expect([result.stdout, result.notes.length]).toEqual(['end\n', 1]);
	});

	it('that refused the command by its policy says why', async () => {
		const { client } = await original();
		const { status, problem } = await client.run(script('echo mkfs'));
		expect([status, problem?.code, problem?.message]).toEqual([
			'denied',
			'POLICY_DENIED',
			expect.stringContaining('Command blocked by denylist'),
		]);
	});

	it.each<[string, string, string | undefined, string, number | null]>([
		['no-plugin', 'broken', 'DEVICE_FAILED', 'exact', null],
		['no-container', 'broken', 'DEVICE_FAILED', 'exact', null],
		['no-wait', 'broken', 'DEVICE_FAILED', 'best_effort', null],
		['too-long', 'timed_out', undefined, 'best_effort', null],
		['no-logs', 'failed', undefined, 'best_effort', 3],
	])('that answers "%s" is neither believed to have worked nor called a refusal', async (text, ...expected) => {
		const { client } = await original();
		const { status, problem, reliability, exitCode } = await client.run(script(text));
		expect([status, problem?.code, reliability, exitCode]).toEqual(expected);
	});

	it('cannot cancel, and the result says that the command goes on', async () => {
		const { client } = await original();
		const stop = new AbortController();
		const running = client.run(script('sleep 2'), { signal: stop.signal });
		setTimeout(() => stop.abort(), 200);
		const { status, reliability, notes } = await running;
		expect([status, reliability, notes.length]).toEqual(['cancelled', 'best_effort', 1]);
	});

	it('is given the same id for a retry of the same action, and another one for another command', async () => {
		const { client } = await original();
		const ids = [];
		for (const text of ['echo 1', 'echo 1', 'echo 2']) ids.push((await client.submit(script(text))).jobId);
		expect([ids[0] === ids[1], ids[0] === ids[2]]).toEqual([true, false]);
	});

	it.each<[string, object, string]>([
		['a wrong secret', { secret: 'another secret of thirty-two bytes' }, 'AUTH_REQUIRED'],
		['a wrong controller', { controllerId: 'controller-2' }, 'AUTH_FORBIDDEN'],
	])('refuses %s, and a person is told', async (_what, proof, code) => {
		const { client, server } = await original(proof);
		await expect(client.run(script('true'))).rejects.toMatchObject({ code });
		expect(server.commands).toEqual([]);
	});

	it.each<[string, Partial<RemoteCommand>]>([
		['input', { stdin: 'x' }],
		['an environment', { env: { A: '1' } }],
		['a time limit', { timeoutMs: 1000 }],
	])('has no way to carry %s, so nothing is sent', async (_what, more) => {
		const { client, server } = await original();
		await expect(client.run(script('true', more))).rejects.toMatchObject({ code: 'JOB_UNSUPPORTED' });
		expect(server.commands).toEqual([]);
	});

	it('does not know a job that it never had', async () => {
		const { client } = await original();
		await expect(client.status('rs-none')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
	});
});

describe('a device whose stream never ends', () => {
	it('does not keep the caller once the job is over', async () => {
		const result = { job_id: 'j', exit_code: 0, stdout: 'x', stderr: '', sandbox_id: 's', duration_ms: 1 };
		const times = { start_time: '2026-01-01T00:00:00Z', end_time: '2026-01-01T00:00:01Z' };
		const done = { job_id: 'j', status: 'completed', result: { ...result, ...times, status: 'completed' } };
		const held = new Set<Socket>();
		const server = createServer((_request, response) => response.end(JSON.stringify(done)));
		server.on('upgrade', (_request, socket) => held.add(socket as Socket));
		server.listen(0, '127.0.0.1');
		await once(server, 'listening');
		onTestFinished(() => {
			for (const socket of held) socket.destroy();
			server.close();
		});
		const http = new DeviceHttp({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
		const client = new QuickCmdClient('web-1', http, { secret, controllerId: 'controller-1' });
		const { status, notes } = await client.wait('j', 1_000, { onOutput: () => {} });
		expect([status, notes.length]).toEqual(['succeeded', 1]);
	}, 10_000);
});

describe('a device that has the job of an earlier try, signed at another time', () => {
	it('is asked what became of it', async () => {
		const result = { status: 'completed', exit_code: 0, stdout: 'once\n', stderr: '' };
		const server = createServer(({ method, url }, response) => {
			const job = { job_id: url?.split('/').at(-1), status: 'completed', result };
			if (method === 'POST') response.writeHead(409).end('{"error":"Job already submitted"}');
			else response.end(JSON.stringify(job));
		}).listen(0, '127.0.0.1');
		onTestFinished(() => void server.close().closeAllConnections());
		await once(server, 'listening');
		const http = new DeviceHttp({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
		const client = new QuickCmdClient('web-1', http, { secret, controllerId: 'controller-1' });
		const { status, stdout, jobId } = await client.run(script('date'));
		expect([status, stdout, jobId]).toEqual(['succeeded', 'once\n', expect.stringMatching(/^rs-[0-9a-f]{32}$/)]);
	});
});

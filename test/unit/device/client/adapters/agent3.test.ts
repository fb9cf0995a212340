import { describe, expect, it } from 'vitest';
import type { RemoteCommand } from '../../../../../src/contract/remote.ts';
import { Agent3Client } from '../../../../../src/device/client/adapters/agent3.ts';
import { DeviceHttp } from '../../../../../src/device/client/http.ts';
import { originalAgent3 } from '../../../../helpers/originals/agent3.ts';

const token = 't-123456';

async function original(options = {}) {
	const server = await originalAgent3(token, options);
	return { server, client: new Agent3Client('web-1', new DeviceHttp({ url: server.url }), token) };
}

const argv = (...words: string[]): RemoteCommand => ({
	command: { mode: 'argv', argv: words },
	env: {},
	labels: {},
	idempotencyKey: 'k',
});
const script = (text: string, more: Partial<RemoteCommand> = {}): RemoteCommand => ({
	...argv('x'),
	command: { mode: 'script', script: text, shell: 'auto' },
	...more,
});

describe('an original Agent3', () => {
	it('answers in the shape of every job, and its session is closed, because it would be kept for ever', async () => {
		const { server, client } = await original();
		const result = await client.run(argv('printf', '%s|', 'a b', "it's", '$HOME'));
		expect(result).toMatchObject({
			device: 'web-1',
			protocol: 'agent3',
			status: 'succeeded',
			exitCode: 0,
			stdout: "a b|it's|$HOME|",
			jobId: null,
			reliability: 'best_effort',
		});
		await expect.poll(() => server.sessions.size).toBe(0);
	});

	it.each([
		['exit 3', 'failed', 3, null],
		['kill -9 $$', 'killed', null, 'SIGKILL'],
		['kill -15 $$', 'killed', null, 'SIGTERM'],
	])('that ran "%s" says so', async (text, status, exitCode, signal) => {
		const { client } = await original();
		const result = await client.run(script(text));
		expect([result.status, result.exitCode, result.signal]).toEqual([status, exitCode, signal]);
	});

	it('that reached its own time limit is said to have', async () => {
		const { client } = await original({ limitMs: 200 });
		expect((await client.run(script('exec sleep 5'))).status).toBe('timed_out');
	});

	it('keeps only the end of a long output, and that is said', async () => {
		const { client } = await original();
		const { truncated, notes, stdout } = await client.run(script('seq 1 30000'));
		expect([truncated.stdout, stdout.length, notes.length]).toEqual([true, 92_160, 1]);
	});

	it('is sent the folder as part of the command, and nothing runs when it is not there', async () => {
		const { client } = await original();
		const there = await client.run(script('pwd', { cwd: '/usr' }));
		const nowhere = await client.run(script('echo ran', { cwd: '/not here' }));
		expect([there.stdout, nowhere.stdout, nowhere.status]).toEqual(['/usr\n', '', 'failed']);
	});

	it.each<[string, Partial<RemoteCommand>]>([
		['an environment', { env: { A: '1' } }],
		['input', { stdin: 'x' }],
		['a capability', { capability: 'shell.exec' }],
	])('has no way to carry %s, so nothing is sent', async (_what, more) => {
		const { server, client } = await original();
		await expect(client.run(script('true', more))).rejects.toMatchObject({ code: 'JOB_UNSUPPORTED' });
		expect(server.commands).toEqual([]);
	});

	it('says with 403 that the key is wrong', async () => {
		const { server } = await original();
		const client = new Agent3Client('web-1', new DeviceHttp({ url: server.url }), 'wrong');
		await expect(client.run(argv('true'))).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
	});

	it('is healthy when it knows the key', async () => {
		const { client } = await original();
		expect(await client.health()).toMatchObject({ isHealthy: true });
	});

	it('cannot be told to stop, and the result says that it may go on', async () => {
		const { client } = await original();
		const stop = new AbortController();
		const running = client.run(script('sleep 2'), { signal: stop.signal });
		setTimeout(() => stop.abort(), 100);
		const { status, reliability, notes } = await running;
		expect([status, reliability, notes.length]).toEqual(['cancelled', 'best_effort', 1]);
	});
});

describe('a device that is not there', () => {
	it('throws when nothing was sent, so that it may be tried again', async () => {
		const client = new Agent3Client('web-1', new DeviceHttp({ url: 'http://127.0.0.1:1' }), token);
		await expect(client.run(argv('true'))).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' });
	});
});

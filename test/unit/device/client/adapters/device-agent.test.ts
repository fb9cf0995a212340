import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RemoteCommand } from '../../../../../src/contract/remote.ts';
import { DeviceAgentClient } from '../../../../../src/device/client/adapters/device-agent.ts';
import { DeviceHttp } from '../../../../../src/device/client/http.ts';
import { originalDeviceAgent } from '../../../../helpers/originals/device-agent.ts';
import { bodyOf, json, listen } from '../../../../helpers/originals/listen.ts';

async function original() {
	const server = await originalDeviceAgent();
	return { server, client: new DeviceAgentClient('nas', new DeviceHttp({ url: server.url }), { token: 't' }) };
}

const asked = (command: RemoteCommand['command'], more: Partial<RemoteCommand> = {}): RemoteCommand => ({
	command,
	env: {},
	labels: {},
	idempotencyKey: 'k',
	...more,
});
const argv = (...words: string[]) => asked({ mode: 'argv', argv: words });
const script = (text: string, more: Partial<RemoteCommand> = {}) =>
	asked({ mode: 'script', script: text, shell: 'auto' }, more);

describe('an original device_agent', () => {
	it('is sent arguments as argv and a script as an object, under the capabilities of its manifest', async () => {
		const { server, client } = await original();
		const results = [await client.run(argv('echo', 'a b')), await client.run(script('echo $((1+1))', { cwd: '/' }))];
		expect(results.map(({ status, stdout }) => [status, stdout])).toEqual([
			['succeeded', 'a b\n'],
			['succeeded', '2\n'],
		]);
		expect(server.requests.map(({ capability, args }) => [capability, args])).toEqual([
			['shell.exec', ['echo', 'a b']],
			['shell.eval', ['{"cmd":"echo $((1+1))","cwd":"/"}']],
		]);
	});

	it('is asked under another entry of its manifest where the author says so', async () => {
		const { server, client } = await original();
		await client.run({ ...argv('echo'), capability: 'shell.exec.admin' });
		expect(server.requests[0]?.capability).toBe('shell.exec.admin');
	});

	it('that needs approval gives a result that can be resumed, not a failure', async () => {
		const { client } = await original();
		const { status, approval, jobId, problem } = await client.run(argv('systemctl', 'restart', 'x'));
		expect([status, approval !== null, jobId !== null, problem]).toEqual(['awaiting_approval', true, true, null]);
	});

	it.each([
		['exit 3', 'failed', 3],
		['echo x | mkfs', 'denied', null],
	])('that was sent "%s" ended as %s', async (text, status, exitCode) => {
		const { client } = await original();
		const result = await client.run(script(text));
		expect([result.status, result.exitCode]).toEqual([status, exitCode]);
	});

	it('says what it is and what it can do', async () => {
		const { client } = await original();
		expect([await client.health(), await client.capabilities()]).toMatchObject([
			{ device: 'nas', isHealthy: true, details: { deviceId: 'home-wsl', version: '0.2.0' } },
			{ capabilities: [{ name: 'shell.exec' }] },
		]);
	});

	it('has no cancel', async () => {
		const { client } = await original();
		await expect(client.cancel('r-1')).rejects.toMatchObject({ code: 'JOB_UNSUPPORTED' });
	});
});

describe('a request with a signing key', () => {
	it('is signed over the exact bytes of its payload, with a time and a nonce', async () => {
		const { privateKey, publicKey } = generateKeyPairSync('ed25519');
		const bodies: { payload: string; key_id: string; sig: string }[] = [];
		const url = await listen(async (request, response) => {
			bodies.push(JSON.parse(await bodyOf(request)));
			json(response, 200, { ok: true, result: { stdout: '', stderr: '', exit_code: 0, truncated: false } });
		});
		const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
		await new DeviceAgentClient('nas', new DeviceHttp({ url }), { key, keyId: 'k-1' }).run(argv('true'));
		const [body] = bodies;
		const isGood = verify(null, Buffer.from(body?.payload ?? ''), publicKey, Buffer.from(body?.sig ?? '', 'base64url'));
		expect([isGood, body?.key_id, Object.keys(JSON.parse(body?.payload ?? '{}'))]).toEqual([
			true,
			'k-1',
			expect.arrayContaining(['request_id', 'capability', 'args', 'ts', 'nonce']),
		]);
	});

	it('cannot be made with a key that is none, and the key is not repeated', () => {
		const make = () =>
			new DeviceAgentClient('nas', new DeviceHttp({ url: 'http://a' }), { key: 'hunter2', keyId: 'k' });
		expect(make).toThrow('cannot be read');
		expect(make).not.toThrow('hunter2');
	});
});

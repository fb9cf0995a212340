/** Containers through a real agent: QuickCMD runs its jobs in them, device_agent looks at those that are there. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { TestAgent } from '../helpers/agent.ts';
import { containersConf, podmanLack, testImage } from '../helpers/bring-podman.ts';
import { ask } from '../helpers/plain-client.ts';
import { quickCmdPayload, type SignedParts, submitTo } from '../helpers/quickcmd-client.ts';

const lack = podmanLack();
if (lack !== null && process.env.CI === 'true') throw new Error(`containers are needed here: ${lack}`);

const name = `secure-code-face-${process.pid}`;
const podman = (...words: string[]) =>
	execaSync('podman', words, { reject: false, env: { CONTAINERS_CONF: containersConf } });

const capability = { profile: 'box', programs: '*' };
const policy = stringify({
	version: 1,
	name: 'containers, for tests',
	profiles: { box: { backend: 'podman', images: [testImage] } },
	paths: { read: ['/'] },
	shipped: ['files', 'text', 'shell', 'system', 'docker'],
	capabilities: {
		'shell.run.quickcmd': { ...capability, scripts: 'free', shells: ['sh'], otherwise: 'allow' },
		'docker.container.list': { ...capability, accepts: ['argv'], programs: ['docker'] },
		'docker.container.logs': { ...capability, accepts: ['argv'], programs: ['docker'], containers: [name] },
		'docker.container.exec': { ...capability, accepts: ['argv'], programs: ['ls', 'echo'], containers: [name] },
	},
});

describe.skipIf(lack !== null)(`containers${lack === null ? '' : ` (skipped: ${lack})`}`, () => {
	let agent: TestAgent;
	beforeAll(async () => {
		const limits = ['--ulimit', 'nofile=64:64', '--ulimit', 'nproc=64:64', '--network', 'none'];
		podman('run', '--detach', '--name', name, ...limits, testImage, 'sh', '-c', 'echo one; echo two; sleep 300');
		const init = ['--faces', 'quickcmd,device'];
		agent = await TestAgent.start({ policy, init, env: { CONTAINERS_CONF: containersConf } });
	});
	afterAll(async () => {
		await agent?.remove();
		podman('rm', '--force', name);
	});

	const call = async (kind: string, ...args: string[]) => {
		const { url, token } = agent.faces.device;
		const body = JSON.stringify({ request_id: randomUUID(), capability: `docker.container.${kind}`, args });
		const headers = { 'X-Auth-Token': token };
		const { status, json } = await ask(`${url}/capability`, { method: 'POST', headers, body });
		return { status, ...(json as { error?: string; result: unknown }) };
	};

	it('are listed', async () => {
		const { result } = await call('list');
		expect((result as { name: string }[]).filter((one) => one.name === name)).toEqual([
			{
				id: expect.stringMatching(/^[0-9a-f]{64}$/),
				name,
				image: testImage,
				...{ state: 'running', status: expect.any(String) },
			},
		]);
	});

	it('show their logs', async () => {
		expect(await call('logs', name, '1')).toMatchObject({
			...{ status: 200, ok: true, result: { stdout: 'two\n', stderr: '', truncated: false } },
		});
	});

	it('run the commands that the policy allows', async () => {
		const shown = await call('exec', name, 'echo', '$(id)');
		const refused = await call('exec', name, 'id');
		expect([shown.result, refused.status, refused.error]).toMatchObject([
			{ stdout: '$(id)\n', exit_code: 0 },
			403,
			'binary_not_allowed',
		]);
	});

	it('are out of reach when the policy does not name them', async () => {
		expect([(await call('logs', 'other')).error, (await call('exec', 'other', 'ls')).error]).toEqual([
			'denied',
			'denied',
		]);
	});

	const quickcmd = async (parts: SignedParts) => {
		const { url, secret, ca } = agent.faces.quickcmd;
		const payload = quickCmdPayload(parts);
		await submitTo(url, payload, secret, { ca });
		for (;;) {
			const job = (await ask(`${url}/api/v1/jobs/${payload.job_id}`, { ca })).json as {
				status: string;
				result: Record<string, unknown>;
			};
			if (job.result) return { ...job.result, status: job.status };
			await sleep(50);
		}
	};

	it('run the jobs of QuickCMD, in an image of the profile and in no other', async () => {
		const command = 'id -u; ls /sys/class/net; exit 3';
		const own = await quickcmd({ command });
		const named = await quickcmd({ command: 'echo named', plugin_metadata: { image: testImage } });
		const foreign = await quickcmd({ command, candidate_metadata: { image: 'docker.io/library/alpine' } });
		expect([own, named, foreign]).toMatchObject([
			{ status: 'completed', exit_code: 3, stdout: '65533\nlo\n' },
			{ status: 'completed', stdout: 'named\n' },
			{ status: 'failed', error: expect.stringContaining('docker.io/library/alpine') },
		]);
	});
});

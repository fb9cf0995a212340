/** Containers through a real agent: QuickCMD runs its jobs in them, device_agent looks at those that are there. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

	it('run the jobs of an agent that follows one of QuickCMD, as its own configuration says', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'secure-code-quickcmd-'));
		const secret = '0b39d2ab57a5fe9a6cbe37e4c1a8a5b2d7d7a01fd8d2a4c8b0e7c3f9a6b1d2e4';
		writeFileSync(
			join(folder, 'agent-config.yaml'),
			`hmac_secret: "${secret}"
allowed_controllers: ["controller-7", "https://quickcmd.example.com"]
max_concurrent_jobs: 5
allowed_images: ["${testImage}"]
default_image: "${testImage}"
run_as_user: "quickcmd"
default_cpu_limit: 0.5
default_memory_limit: 268435456
default_timeout_seconds: 300
audit_db_path: "/var/lib/quickcmd/agent-audit.db"
`,
		);
		const follower = await TestAgent.create({
			init: ['--quickcmd', join(folder, 'agent-config.yaml')],
			env: { CONTAINERS_CONF: containersConf },
		});
		try {
			// The engine of these tests.
			follower.write('policy.yaml', follower.read('policy.yaml').replace('backend: docker', 'backend: podman'));
			await follower.serve();
			const { url, ca } = follower.faces.quickcmd;
			const ask7 = (parts: SignedParts) =>
				submitTo(url, quickCmdPayload({ controller_id: 'controller-7', ...parts }), secret, { ca });
			expect([
				(await ask7({ job_id: 'j-1', command: 'echo followed' })).status,
				(await ask7({ controller_id: 'controller-1' })).status,
			]).toEqual([202, 403]);
			for (;;) {
				const { result } = (await ask(`${url}/api/v1/jobs/j-1`, { ca })).json as { result: object | null };
				if (result) {
					expect(result).toMatchObject({ status: 'completed', exit_code: 0, stdout: 'followed\n' });
					break;
				}
				await sleep(50);
			}
		} finally {
			await follower.remove();
			rmSync(folder, { recursive: true });
		}
	});
});

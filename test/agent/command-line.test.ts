/** Operators at the terminal of the device: jobs, approvals and keys of an agent that runs. */
import { spawnSync } from 'node:child_process';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { main, openPolicy, TestAgent } from '../helpers/agent.ts';

/** Like the open policy, but everything that Ogent asks for needs a person. */
const policy = (): string => {
	const open = parse(openPolicy());
	open.capabilities['shell.run.ogent'].requiresApproval = true;
	return stringify(open);
};

let agent: TestAgent;
beforeAll(async () => {
	agent = await TestAgent.start({ policy: policy() });
});
afterAll(() => agent.remove());

const run = (...args: readonly string[]) => {
	const words = [main, 'agent', ...args, '--dir', agent.dir];
	const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', env: agent.env });
	return { code: status, out: stdout, err: stderr };
};
const json = (...args: readonly string[]) => JSON.parse(run(...args, '--json').out);

/** A connection for each request: this process sleeps while the command line runs, and would not see the agent end an idle one. */
const oneByOne = new Agent({ pipelining: 0 });

async function agent3(op: string, args: object, token = agent.faces.agent3.token): Promise<Record<string, unknown>> {
	const body = JSON.stringify({ op, args });
	const headers = { 'X-Auth-Token': token };
	const answer = await fetch(agent.faces.agent3.url, { method: 'POST', headers, body, dispatcher: oneByOne });
	return { code: answer.status, ...((await answer.json()) as Record<string, unknown>) };
}

const until = async <T>(look: () => T | undefined): Promise<T> => {
	for (let tries = 0; tries < 100; tries++) {
		const found = look();
		if (found !== undefined) return found;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error('it never came');
};

describe('agent jobs', () => {
	it('lists, shows and reads what ran', async () => {
		const { session } = await agent3('shell', { cmd: 'printf "a\\nb\\n"; echo oops >&2' });
		const { jobs } = json('jobs', 'list', '--limit', '1');
		const id = jobs[0].jobId;
		expect([jobs[0].principal, jobs[0].state, json('jobs', 'show', id).result.exitCode]).toEqual([
			'agent3-1',
			'ended',
			0,
		]);
		expect([
			run('jobs', 'read', id).out,
			run('jobs', 'read', id, '--stderr').out,
			run('jobs', 'read', id, '--tail', '1').out,
			typeof session,
		]).toEqual(['a\nb\n', 'oops\n', 'b\n', 'string']);
		expect(run('jobs', 'show', id).out).toContain('from:       agent3-1 by agent3\n');
	});

	it('ends one that runs, and says that nothing of it is left', async () => {
		const answer = agent3('shell', { cmd: 'sleep 40' });
		const running = await until<string>(() => json('jobs', 'list', '--state', 'running').jobs[0]?.jobId);
		const { result, isConfirmedDead } = json('jobs', 'cancel', running);
		expect([result.status, isConfirmedDead, (await answer).code]).toEqual(['cancelled', true, 200]);
	});

	it('says when there is no such job, and when no agent runs', async () => {
		const missing = run('jobs', 'show', 'nope');
		const stopped = await TestAgent.create();
		const words = [main, 'agent', 'jobs', 'list', '--dir', stopped.dir];
		const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
		await stopped.remove();
		expect([missing.code, missing.err.split('\n')[0], status, stderr.split('\n')[0]]).toEqual([
			65,
			'secure-code: There is no such job on this device, or it belongs to another key.',
			69,
			`secure-code: The agent could not be reached: no agent serves ${stopped.dir}.`,
		]);
	});
});

describe('agent approvals', () => {
	const ask = async (command: string) => {
		const { url, token } = agent.faces.ogent;
		const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
		await fetch(`${url}/api/execute`, { method: 'POST', headers, body: JSON.stringify({ command }) });
		return until<string>(() => json('approvals', 'list').approvals[0]?.approvalId);
	};
	const jobOf = (approvalId: string) =>
		json('jobs', 'list').jobs.find((job: { approvalId: string | null }) => job.approvalId === approvalId);

	it('shows what waits, and lets it run once a person says so', async () => {
		const id = await ask('echo approved');
		const shown = run('approvals', 'list').out;
		const approved = run('approvals', 'approve', id, '--typed', `APPROVE ${id}`);
		const over = await until(() => (jobOf(id)?.state === 'ended' ? jobOf(id) : undefined));
		expect([shown.includes('approved'), approved, over.result.status]).toEqual([
			true,
			{ code: 0, out: `${id}: approved\n`, err: '' },
			'succeeded',
		]);
	});

	it('refuses with a reason, and nothing runs', async () => {
		const id = await ask('echo denied');
		expect(run('approvals', 'deny', id).code).toBe(64);
		expect(run('approvals', 'deny', id, '--reason', 'not today').out).toBe(`${id}: denied\n`);
		const over = await until(() => (jobOf(id)?.state === 'ended' ? jobOf(id) : undefined));
		expect([over.result.status, over.startedAt]).toEqual(['denied', null]);
		expect(run('approvals', 'approve', id, '--typed', 'x').err).toContain('it is denied already');
	});
});

describe('agent keys', () => {
	it('lets a new key in at once, and a revoked one out at once', async () => {
		const { id, token } = json('keys', 'add', 'agent3');
		const before = (await agent3('shell', { cmd: 'true' }, token)).code;
		run('keys', 'revoke', id);
		expect([before, (await agent3('shell', { cmd: 'true' }, token)).code]).toEqual([200, 403]);
	});

	it('makes a pair of keys or a token, where the protocol takes both', () => {
		const pair = json('keys', 'add', 'native');
		const token = json('keys', 'add', 'native', '--principal', 'alice', '--roles', 'approver', '--kind', 'token');
		expect([JSON.parse(pair.key), token]).toEqual([
			{ kty: 'OKP', crv: 'Ed25519', kid: pair.id, x: expect.any(String), d: expect.any(String) },
			{ id: expect.any(String), face: 'native', principal: 'alice', token: expect.stringMatching(/^[\w-]{43}$/) },
		]);
		const { code, err } = run('keys', 'add', 'agent3', '--kind', 'ed25519');
		expect([code, err]).toEqual([64, expect.stringContaining('must be one of token')]);
	});

	it('takes both keys while they overlap', async () => {
		const old = agent.faces.agent3.token;
		const { token } = json('keys', 'rotate', 'agent3-1');
		const codes = await Promise.all(
			[old, token].map(async (key) => (await agent3('shell', { cmd: 'true' }, key)).code),
		);
		expect(codes).toEqual([200, 200]);
	});

	it('changes the certificate under the feet of nobody', async () => {
		const { ca, fingerprint } = json('keys', 'rotate', 'tls');
		const { connect } = await import('node:tls');
		const { hostname, port } = new URL(agent.faces.native.url);
		const seen = await new Promise((resolve, reject) => {
			const socket = connect({ host: hostname, port: Number(port), ca }, () => {
				resolve(socket.getPeerCertificate().fingerprint256);
				socket.end();
			});
			socket.on('error', reject);
		});
		expect(seen).toBe(fingerprint);
	});
});

describe('SIGHUP', () => {
	it('takes over a new policy, and keeps the old one when the new one is not valid', async () => {
		const reloads = () => agent.log.filter(({ msg }) => msg === 'reloaded');
		const hash = () => reloads().at(-1)?.policyHash;
		const reload = async () => {
			const before = reloads().length;
			agent.signal('SIGHUP');
			await until(() => (reloads().length > before ? true : undefined));
		};
		await reload();
		const first = hash();
		agent.write('policy.yaml', 'version: 9\n');
		await reload();
		expect([hash(), reloads().at(-1)?.problems]).toEqual([first, [expect.stringContaining('The policy is not valid')]]);
		agent.write('policy.yaml', `${policy()}\n# changed\n`);
		await reload();
		expect([hash() === first, reloads().at(-1)?.problems, (await agent3('shell', { cmd: 'true' })).code]).toEqual([
			false,
			[],
			200,
		]);
	});
});

/** The agent from nothing to serving and back: how it starts and stops, and what it refuses to start with. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const agents: TestAgent[] = [];
afterEach(async () => {
	await Promise.all(agents.splice(0).map((agent) => agent.remove()));
});

async function create(...changes: Parameters<typeof TestAgent.create>): Promise<TestAgent> {
	const agent = await TestAgent.create(...changes);
	agents.push(agent);
	return agent;
}

type Config = { listeners: { faces: string[]; port: number }[]; limits?: object; stop?: object };
const changing =
	(change: (config: Config) => void) =>
	(config: object): void =>
		change(config as Config);

async function shell(agent: TestAgent, cmd: string): Promise<Record<string, unknown>> {
	const { url, token } = agent.faces.agent3;
	const body = JSON.stringify({ op: 'shell', args: { cmd } });
	const answer = await fetch(url, { method: 'POST', headers: { 'X-Auth-Token': token }, body });
	return { code: answer.status, ...((await answer.json()) as object) };
}

async function until(isSo: () => boolean, ms = 15_000): Promise<void> {
	for (const end = Date.now() + ms; !isSo(); ) {
		if (Date.now() > end) throw new Error('it never came');
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

/** A folder that jobs, which are another user, can write to. */
function openFolder(): string {
	const folder = tempFolder();
	chmodSync(folder, 0o777);
	return folder;
}

describe('agent serve', () => {
	it('stops with 0 when it is told to, and can be started again', async () => {
		const agent = await create();
		const codes: unknown[] = [];
		for (const signal of ['SIGTERM', 'SIGINT'] as const) {
			await agent.serve();
			codes.push(await agent.end(signal));
		}
		expect([codes, agent.stderr, agent.log.map(({ msg }) => msg)]).toEqual([
			[0, 0],
			'',
			['ready', 'stopping', 'stopped', 'ready', 'stopping', 'stopped'],
		]);
	});

	it('lets a job that runs end and answers it, while new ones are turned away', async () => {
		const folder = openFolder();
		const agent = await create({ policy: openPolicy(folder) });
		await agent.serve();
		const answer = shell(agent, `touch ${folder}/begun; sleep 2; echo done`);
		await until(() => existsSync(join(folder, 'begun')));
		const ended = agent.end('SIGTERM');
		await agent.logged('stopping');
		const late = await shell(agent, 'true').catch(() => ({ code: 'no connection' }));
		expect([await answer, await ended, late.code]).toEqual([
			expect.objectContaining({ code: 200, stdout: 'done\n', exit_code: 0 }),
			0,
			expect.toBeOneOf([503, 'no connection']),
		]);
	});

	it('ends what goes on for longer than it may, and nothing of it is left', async () => {
		const folder = openFolder();
		const config = changing((read) => Object.assign(read, { stop: { graceMs: 500 } }));
		const agent = await create({ policy: openPolicy(folder), config });
		await agent.serve();
		const answer = shell(agent, `touch ${folder}/begun; trap '' TERM; sleep 35; touch ${folder}/over`);
		await until(() => existsSync(join(folder, 'begun')));
		expect([await agent.end('SIGTERM'), (await answer).exit_code, existsSync(join(folder, 'over'))]).toEqual([
			0,
			-15,
			false,
		]);
		const { status } = JSON.parse(secureCode(['audit', 'verify', '--dir', agent.dir, '--json']));
		expect(status).toBe('intact');
	});

	it('goes on with what waited for its turn when it stopped, once', async () => {
		const folder = openFolder();
		const config = changing((read) => Object.assign(read, { limits: { concurrentJobs: 1 }, stop: { graceMs: 200 } }));
		const agent = await create({ policy: openPolicy(folder), config });
		await agent.serve();
		const submit = (command: string) =>
			fetch(`${agent.faces.ogent.url}/api/execute`, {
				method: 'POST',
				headers: { authorization: `Bearer ${agent.faces.ogent.token}`, 'content-type': 'application/json' },
				body: JSON.stringify({ command }),
			});
		await submit(`touch ${folder}/begun; sleep 30`);
		await until(() => existsSync(join(folder, 'begun')));
		await submit(`echo ran >> ${folder}/waited`);
		await agent.end('SIGTERM');
		const before = existsSync(join(folder, 'waited'));
		await agent.serve();
		await until(() => existsSync(join(folder, 'waited')));
		await agent.end('SIGTERM');
		expect([before, readFileSync(join(folder, 'waited'), 'utf8')]).toEqual([false, 'ran\n']);
	});

	it('ends at once when it is told twice', async () => {
		const folder = openFolder();
		const agent = await create({ policy: openPolicy(folder) });
		await agent.serve();
		shell(agent, `touch ${folder}/begun; sleep 30`).catch(() => {});
		await until(() => existsSync(join(folder, 'begun')));
		const { pid } = agent;
		const ended = agent.end('SIGTERM');
		await agent.logged('stopping');
		process.kill(pid, 'SIGTERM');
		expect(await ended).toBe(1);
	});
});

describe('agent serve refuses', () => {
	const refusal = async (agent: TestAgent, ...flags: readonly string[]): Promise<string> => {
		try {
			await agent.serve(...flags);
			return 'it started';
		} catch (error) {
			return (error as Error).message;
		}
	};

	it('a folder that another agent serves', async () => {
		const agent = await create();
		await agent.serve();
		const first = agent.pid;
		expect(await refusal(agent)).toMatch(/ended with 78.*another agent/s);
		process.kill(first, 'SIGKILL');
	});

	it('an address that is in use, and leaves nothing open', async () => {
		const server = createServer().listen(0, '127.0.0.1');
		await once(server, 'listening');
		const { port } = server.address() as { port: number };
		const agent = await create({
			config: changing(({ listeners }) => listeners.at(-1) && Object.assign(listeners.at(-1) ?? {}, { port })),
		});
		const found = await refusal(agent);
		server.close();
		expect(found).toMatch(new RegExp(`ended with 78.*the address 127\\.0\\.0\\.1:${port} is in use`, 's'));
		await agent.serve();
		expect(await agent.end()).toBe(0);
	});

	it('two protocols on one listener that answer the same address', async () => {
		const config = changing((read) => {
			read.listeners = [{ faces: ['ogent', 'quickcmd'], port: read.listeners[0]?.port ?? 0 }];
		});
		const agent = await create({ config });
		expect(await refusal(agent)).toMatch(/ended with 78.*the faces ogent and quickcmd cannot share.*GET \/health/s);
	});

	it.each([
		[
			'a policy that is missing',
			(agent: TestAgent) => rmSync(join(agent.dir, 'policy.yaml')),
			'policy.yaml is not there',
		],
		[
			'a policy that is not valid',
			(agent: TestAgent) => agent.write('policy.yaml', 'version: 1\n'),
			'The policy is not valid',
		],
		[
			'a policy that others can change',
			(agent: TestAgent) => chmodSync(join(agent.dir, 'policy.yaml'), 0o666),
			'chmod go-w',
		],
		[
			'a secret that is a placeholder',
			(agent: TestAgent) => agent.write('keys/quickcmd-1.secret', 'CHANGE_ME'),
			'still the placeholder',
		],
		[
			'a secret that is short',
			(agent: TestAgent) => agent.write('keys/ogent-1.secret', 'abc'),
			'shorter than 32 bytes',
		],
		[
			'a certificate that is missing',
			(agent: TestAgent) => rmSync(join(agent.dir, 'tls/cert.pem')),
			'tls/cert.pem cannot be read',
		],
		[
			'a word that it does not know',
			(agent: TestAgent) => agent.write('config.yaml', `${agent.read('config.yaml')}\ncolour: red\n`),
			'Unrecognized key',
		],
	])('%s', async (_, harm, words) => {
		const agent = await create();
		harm(agent);
		const found = await refusal(agent);
		expect(found).toContain(words);
		expect(found).toContain('ended with 78');
	});

	it('an audit whose end was cut off, until the operator says so', async () => {
		const agent = await create();
		await agent.serve();
		await agent.end();
		const database = new DatabaseSync(join(agent.dir, 'state', 'agent.db'));
		for (const table of ['audit_detail', 'audit'])
			database.exec(`DELETE FROM ${table} WHERE seq = (SELECT max(seq) FROM audit)`);
		database.close();
		expect(await refusal(agent)).toMatch(/ended with 78.*not as this agent left it.*--accept-audit/s);
		expect(await refusal(agent)).toMatch(/ended with 78/);
		await agent.serve('--accept-audit');
		expect(await agent.end()).toBe(0);
		await agent.serve();
		expect(await agent.end()).toBe(0);
		const { stdout, status } = spawnSync(
			process.execPath,
			['dist/cli/main.js', 'audit', 'verify', '--dir', agent.dir],
			{
				encoding: 'utf8',
			},
		);
		expect([status, stdout]).toEqual([1, expect.stringContaining('BROKEN')]);
	});
});

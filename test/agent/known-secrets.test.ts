/** What a real agent knows of secrets is told by none of its faces, and what it stored is what its audit says. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { main, openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';
import { ask } from '../helpers/plain-client.ts';

const password = 'pass-of-the-database-17';

let agent: TestAgent;
beforeAll(async () => {
	const policy = parse(openPolicy());
	policy.profiles.default.env = { DB_PASSWORD: password };
	agent = await TestAgent.start({ policy: stringify(policy) });
});
afterAll(() => agent?.remove());

async function shell(cmd: string): Promise<{ stdout: string; session: string }> {
	const { url, token } = agent.faces.agent3;
	const body = JSON.stringify({ op: 'shell', args: { cmd } });
	return (await ask(url, { method: 'POST', headers: { 'x-auth-token': token }, body })).json as never;
}

const outputs = () => join(agent.dir, 'state', 'output');
const stored = (): string =>
	readdirSync(outputs(), { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'))
		.join('\n');

describe('a secret that an agent knows', () => {
	it('of a profile is masked when a command prints it, in one piece, in two, and encoded', async () => {
		const cmd = `echo "$DB_PASSWORD"; printf %s "\${DB_PASSWORD:0:9}"; sleep 0.2; echo "\${DB_PASSWORD:9}"; printf %s "$DB_PASSWORD" | base64`;
		const { stdout, session } = await shell(cmd);
		const mask = '•••DB_PASSWORD•••';
		expect(stdout).toBe(`${mask}\n${mask}\n${mask}\n`);
		const { url, token } = agent.faces.agent3;
		const body = JSON.stringify({ op: 'read_session', args: { session } });
		const page = await ask(url, { method: 'POST', headers: { 'x-auth-token': token }, body });
		expect(page.json).toMatchObject({ stdout });
		expect(stored()).not.toContain(password);
	});

	it('of a client is masked in the output and in the audit, although the command names it', async () => {
		const { secret } = agent.faces.quickcmd;
		expect((await shell(`echo ${secret}`)).stdout).toBe('•••quickcmd-1•••\n');
		const audit = secureCode(['audit', 'export', '--dir', agent.dir]);
		expect([audit.includes(secret), audit.includes('•••quickcmd-1•••'), stored().includes(secret)]).toEqual([
			...[false, true, false],
		]);
	});
});

describe('stored output', () => {
	it('that was changed is named by audit verify', async () => {
		const { session } = await shell('echo as it was');
		const verify = () =>
			spawnSync(process.execPath, [main, 'audit', 'verify', '--dir', agent.dir], { encoding: 'utf8' });
		expect(verify().status).toBe(0);
		appendFileSync(join(outputs(), session, 'stdout'), 'and more\n');
		const { status, stdout } = verify();
		expect([status, stdout]).toEqual([1, expect.stringContaining(`stdout of job ${session} is not what row`)]);
	});
});

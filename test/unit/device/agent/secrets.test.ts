/** Secrets that the agent knows are in no output, no result, no event and no line of the audit, however a job prints them. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JobEvent } from '../../../../src/contract/device-job.ts';
import { MaskedOutput } from '../../../../src/core/secrets/live.ts';
import { createMask } from '../../../../src/core/secrets/redact.ts';
import { maskOfAgent } from '../../../../src/device/agent/known-secrets.ts';
import { goodEnd, openDesk, person, submission } from '../../../helpers/desk.ts';
import { agentConfig } from '../../../helpers/store.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const secret = 'kX93-very-secret-value-17';
const ann = person('ann');

describe('a job that prints a secret of the agent', () => {
	it('has it masked in the store, the result, the events and the audit, also when it comes in two pieces', async () => {
		const dir = tempFolder();
		const desk = openDesk(dir, {
			secrets: { KEY: secret },
			act: async (_job, io) => {
				io.onOutput('stdout', Buffer.from(`one ${secret.slice(0, 9)}`));
				await sleep(30);
				io.onOutput('stdout', Buffer.from(`${secret.slice(9)} two ${Buffer.from(secret).toString('base64')}\n`));
				io.onOutput('stderr', Buffer.from(`${secret} three`));
				return { ...goodEnd, exit: { code: 1, signal: null } };
			},
		});
		onTestFinished(() => desk.store.close());
		const command = { mode: 'argv' as const, argv: ['echo', secret] };
		const { jobId } = await desk.jobs.submit(ann, submission({ command }));
		const job = await desk.jobs.settle(jobId, 5_000);
		const stdout = 'one •••KEY••• two •••KEY•••\n';
		expect([job.result?.stdout, job.result?.stderr]).toEqual([stdout, '•••KEY••• three']);
		expect((await desk.jobs.read(jobId, 'stdout', 0, 1000)).bytes.toString()).toBe(stdout);
		const events: JobEvent[] = [];
		for await (const event of desk.jobs.watch(jobId, 0, AbortSignal.timeout(5_000))) events.push(event);
		const told = events.flatMap((event) => (event.type === 'output' ? [Buffer.from(event.base64, 'base64')] : []));
		expect(Buffer.concat(told).toString()).not.toContain(secret);
		const db = new DatabaseSync(join(dir, 'state', 'agent.db'), { readOnly: true });
		onTestFinished(() => db.close());
		const rows = [db.prepare('SELECT detail FROM audit_detail').all(), db.prepare('SELECT * FROM runs').all()];
		expect(JSON.stringify(rows)).not.toContain(secret);
		expect(JSON.stringify(rows)).toContain('•••KEY•••');
		const folder = join(dir, 'state', 'output', jobId);
		expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8').includes(secret))).not.toContain(
			true,
		);
	});

	it('loses nothing of what only begins like one, and nothing when the command fails to run', async () => {
		const desk = openDesk(tempFolder(), {
			secrets: { KEY: secret },
			act: async (_job, io) => {
				io.onOutput('stdout', Buffer.from(secret.slice(0, 6)));
				throw new Error('the runner failed');
			},
		});
		onTestFinished(() => desk.store.close());
		const { jobId } = await desk.jobs.submit(ann, submission());
		await desk.jobs.settle(jobId, 5_000);
		expect((await desk.jobs.read(jobId, 'stdout', 0, 1000)).bytes.toString()).toBe(secret.slice(0, 6));
	});
});

describe('output that is masked', () => {
	it('passes through as it is where nothing is to be masked', () => {
		const heard: unknown[] = [];
		const output = new MaskedOutput(createMask({}), (stream, chunk) => heard.push([stream, chunk.toString()]));
		output.push('stdout', Buffer.from('a'));
		output.push('stderr', Buffer.from(''));
		output.end();
		output.end();
		expect(heard).toEqual([['stdout', 'a']]);
	});
});

describe('what an agent knows', () => {
	it('are its keys, those of its clients that are no digests, tokens for other services and variables of profiles', () => {
		const dir = tempFolder();
		const pem = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
		for (const folder of ['keys', 'tls']) mkdirSync(join(dir, folder));
		writeFileSync(join(dir, 'keys', 'device.key'), pem);
		writeFileSync(join(dir, 'keys', 'q.secret'), 'hmac-secret-0123456789\n');
		writeFileSync(join(dir, 'push'), 'push-token-0123456789');
		const base = agentConfig();
		const key = { id: 'q', face: 'quickcmd', kind: 'hmac', principal: 'q', file: 'keys/q.secret', roles: [] } as never;
		const config = { ...base, keys: [key], ogent: { ...base.ogent, pushTokenFile: 'push' } };
		const env = { DB_PASSWORD: 'pass-of-the-database', PAGER: 'quite-a-long-pager' };
		const mask = maskOfAgent(dir, config, { default: { env } as never });
		const [, line = ''] = String(pem).split('\n');
		const text = `hmac-secret-0123456789 push-token-0123456789 pass-of-the-database quite-a-long-pager ${line} end`;
		expect(mask.text(text).replace('device-key-1', 'device-key')).toBe(
			'•••q••• •••push-token••• •••DB_PASSWORD••• quite-a-long-pager •••device-key••• end',
		);
		expect(mask.text(String(pem))).not.toContain(line.slice(5, 40));
	});

	it('is nothing where there are no files', () => {
		expect(maskOfAgent(tempFolder(), agentConfig(), {}).stream()).toBeUndefined();
	});
});

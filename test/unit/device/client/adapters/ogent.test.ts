import { describe, expect, it } from 'vitest';
import type { RemoteCommand } from '../../../../../src/contract/remote.ts';
import { OgentClient, type OgentOptions } from '../../../../../src/device/client/adapters/ogent.ts';
import { DeviceHttp } from '../../../../../src/device/client/http.ts';
import { tokenOfLogin } from '../../../../../src/device/client/ogent-login.ts';
import { bodyOf, json, listen } from '../../../../helpers/originals/listen.ts';
import { originalOgent } from '../../../../helpers/originals/ogent.ts';

async function original(server = {}, options: Partial<OgentOptions> = {}) {
	const found = await originalOgent(server);
	const http = new DeviceHttp({ url: found.url });
	const all = { dialect: 'service', marksExit: false, ...options } as const;
	return { server: found, client: new OgentClient('web-1', http, async () => 'tok', all) };
}

const script = (text: string): RemoteCommand => ({
	command: { mode: 'script', script: text, shell: 'auto' },
	env: {},
	labels: {},
	idempotencyKey: 'k',
});

describe('an original Ogent service', () => {
	it('says "completed" too early; the result waits for the command', async () => {
		const { client, server } = await original({ startMs: 400 });
		const result = await client.run(script('echo done'));
		expect([result.status, result.stdout, result.exitCode, result.reliability]).toEqual([
			'succeeded',
			'done\n',
			null,
			'best_effort',
		]);
		expect([server.commands, server.tokens[0]]).toEqual([['echo done'], 'Bearer tok']);
	});

	it('tells no exit code, and the result says that it does not know it', async () => {
		const { client } = await original();
		const { exitCode, notes } = await client.run(script('sh -c "echo x; exit 3"'));
		expect([exitCode, notes.length]).toEqual([null, 2]);
	});

	it('tells it all the same where the author has the command marked', async () => {
		const { client } = await original({}, { marksExit: true });
		const result = await client.run(script('sh -c "echo x; exit 3"'));
		expect([result.status, result.exitCode, result.stdout]).toEqual(['failed', 3, 'x']);
	});

	it('calls a warning a failure; with the mark it is none', async () => {
		const { client } = await original({}, { marksExit: true });
		const result = await client.run(script('sh -c "echo warning >&2"'));
		expect([result.status, result.exitCode, result.stderr]).toEqual(['succeeded', 0, 'warning\n']);
	});

	it('refuses what is not on its list, and nothing runs', async () => {
		const { client, server } = await original();
		const { status, problem } = await client.run(script('rm -rf /'));
		expect([status, problem?.code, server.commands]).toEqual(['denied', 'POLICY_DENIED', []]);
	});

	it('is told to cancel when the caller stops, and says what that is worth', async () => {
		const { client } = await original({ startMs: 0 });
		const stop = new AbortController();
		const running = client.run(script('sleep 5'), { signal: stop.signal });
		setTimeout(() => stop.abort(), 300);
		const { status, notes } = await running;
		expect([status, notes.length]).toEqual(['cancelled', 1]);
	});

	it('knows its jobs later, and no others', async () => {
		const { client } = await original({ startMs: 0 });
		const { jobId, status } = await client.submit(script('echo later'));
		const ended = await client.wait(jobId ?? '', 5_000);
		expect([status, ended.stdout]).toEqual(['queued', 'later\n']);
		await expect(client.status('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({
			code: 'JOB_NOT_FOUND',
		});
	});

	it('has its output read in pages of characters', async () => {
		const { client } = await original({ startMs: 0 });
		const { jobId } = await client.run(script('printf "äöü%s" 123'));
		const page = await client.read(jobId ?? '', { stream: 'stdout', how: 'page', offset: 1, limit: 3 });
		expect([page.text, page.nextOffset, page.eof]).toEqual(['öü1', 4, false]);
	});
});

describe('our agent behind the protocol of Ogent', () => {
	it('waits for approval, and the caller hears it at once', async () => {
		const execution = { executionId: 'e-1', status: 'queued', message: 'Waiting for approval apr-1' };
		const url = await listen(async (_request, response) => json(response, 200, execution));
		const http = new DeviceHttp({ url });
		const client = new OgentClient('web-1', http, async () => 'tok', { dialect: 'service', marksExit: false });
		const { status, jobId, approval } = await client.run(script('echo x'), { signal: AbortSignal.timeout(3_000) });
		expect([status, jobId, approval?.approvalId]).toEqual(['awaiting_approval', 'e-1', 'apr-1']);
	});
});

describe('a login', () => {
	it('gives one token for many calls, and a wrong password is an answer with a fix', async () => {
		let logins = 0;
		const url = await listen(async (request, response) => {
			logins++;
			const { password } = JSON.parse(await bodyOf(request)) as { password: string };
			if (password !== 'right') return json(response, 401, { message: 'Invalid credentials' });
			return json(response, 200, { token: `token-${logins}`, token_type: 'Bearer', expires_in: 3600 });
		});
		const token = tokenOfLogin({ url, user: 'a@b.c', password: 'right' }, {});
		const wrong = tokenOfLogin({ url, user: 'ann', password: 'wrong' }, {});
		expect([await token(), await token(), logins]).toEqual(['token-1', 'token-1', 1]);
		await expect(wrong()).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
	});
});

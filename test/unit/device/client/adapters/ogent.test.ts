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

/** Answers a command when it has ended, as the dialect of the LangChain client has it. */
async function lateService({ takesIds }: { takesIds: boolean }) {
	const seen: string[] = [];
	const running = new Map<string, (status: string) => void>();
	const url = await listen(async (request, response) => {
		const path = request.url ?? '';
		seen.push(path);
		if (path === '/api/commands/execute') {
			const { executionId } = JSON.parse(await bodyOf(request)) as { executionId: string };
			const id = takesIds ? executionId : 'e-own';
			const status = await new Promise<string>((resolve) => running.set(id, resolve));
			return json(response, 200, { executionId: id, status, endTime: '2026-01-01T00:00:00Z' });
		}
		const [, id = '', cancels] = /^\/api\/commands\/([^/]+)(\/cancel)?$/.exec(path) ?? [];
		const end = running.get(id);
		if (end && !cancels)
			return json(response, 200, {
				executionId: id,
				status: 'cancelled',
				output: 'a\n',
				endTime: '2026-01-01T00:00:00Z',
			});
		if (!end) return json(response, 404, { error: 'Execution not found' });
		end('cancelled');
		return json(response, 200, { executionId: id, status: 'cancelled', message: 'Execution cancelled' });
	});
	const http = new DeviceHttp({ url });
	const client = new OgentClient('web-1', http, async () => 'tok', { dialect: 'langchain', marksExit: false });
	return { seen, running, client };
}

describe('a service that answers when the command has ended', () => {
	it.each([
		['that takes our id ends the command', true, []],
		['that knows only its own may go on, and the result says so', false, [expect.stringContaining('may go on')]],
	])('is told to cancel while its answer is awaited; one %s', async (_what, takesIds, notes) => {
		const { client, running, seen } = await lateService({ takesIds });
		const stop = new AbortController();
		const asked = client.run(script('sleep 60'), { signal: stop.signal });
		await expect.poll(() => running.size).toBe(1);
		stop.abort();
		const result = await asked;
		expect([result.status, result.problem?.code]).toEqual(['cancelled', 'JOB_CANCELLED']);
		expect([result.notes, result.stdout]).toEqual([notes, takesIds ? 'a\n' : '']);
		expect(seen.filter((path) => path.endsWith('/cancel')).length).toBe(takesIds ? 1 : 4);
	});

	it('is sent nothing for a caller that has stopped already', async () => {
		const { client, seen } = await lateService({ takesIds: true });
		await expect(client.run(script('true'), { signal: AbortSignal.abort() })).rejects.toThrow();
		expect(seen).toEqual([]);
	});

	it('gets the same id for a retry of the same action, and another one for another command', async () => {
		const ids: string[] = [];
		const url = await listen(async (request, response) => {
			const { executionId } = JSON.parse(await bodyOf(request)) as { executionId: string };
			ids.push(executionId);
			json(response, 200, { executionId, status: 'queued' });
		});
		const make = (marksExit: boolean) =>
			new OgentClient('web-1', new DeviceHttp({ url }), async () => 'tok', { dialect: 'documents', marksExit });
		for (const text of ['echo 1', 'echo 1', 'echo 2']) await make(false).submit(script(text));
		for (const text of ['echo 1', 'echo 1']) await make(true).submit(script(text));
		expect([ids[0] === ids[1], new Set(ids).size]).toEqual([true, 4]);
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

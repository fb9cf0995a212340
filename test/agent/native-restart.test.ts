/** What a client of the native protocol sees of an agent that dies or stops in the middle: nothing twice, nothing lost, no gap. */
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Message, until } from '../helpers/native-client.ts';
import { askingPolicy, NativeDaemon, script } from '../helpers/native-daemon.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const daemons: NativeDaemon[] = [];
afterEach(async () => {
	await Promise.all(daemons.splice(0).map(({ agent }) => agent.remove()));
});

async function started(...writable: readonly string[]): Promise<NativeDaemon> {
	const daemon = await NativeDaemon.start(askingPolicy(...writable));
	daemons.push(daemon);
	return daemon;
}

/** Reads until the connection or the story ends. */
async function collect(
	daemon: NativeDaemon,
	jobId: string,
	after: number,
	events: Message['event'][] = [],
): Promise<Message['event'][]> {
	try {
		for await (const { event } of daemon.ann.events(jobId, after)) events.push(event);
	} catch {
		// The agent died; whoever watches comes back.
	}
	return events;
}

const textOf = (events: readonly Message['event'][]): string =>
	events
		.filter(({ type }) => type === 'output')
		.map(({ base64 }) => Buffer.from(base64, 'base64').toString())
		.join('');

const numbers = (events: readonly Message['event'][]): number[] => events.map(({ seq }) => seq);

describe('an agent that dies', () => {
	it('tells the rest of the story of a job that was lost, and never runs it again', async () => {
		const folder = tempFolder();
		// Commands run as a user of their own.
		chmodSync(folder, 0o777);
		const daemon = await started(folder);
		const runs = join(folder, 'runs');
		const job = script(`echo run >> ${runs}; echo one; sleep 1; echo two; sleep 60`, { idempotencyKey: 'k-1' });
		const signed = daemon.ann.signed(job);
		const { jobId } = (await daemon.ann.submitBytes(signed)).json;
		const live: Message['event'][] = [];
		const seen = collect(daemon, jobId, 0, live);
		await until(() => textOf(live) === 'one\ntwo\n');
		await daemon.crash();
		const before = await seen;
		const rest = await collect(daemon, jobId, before.length);
		const events = [...before, ...rest];
		expect(numbers(events)).toEqual(events.map((_, index) => index + 1));
		expect(events.filter(({ type }) => type === 'state').map(({ state }) => state)).toEqual([
			...['queued', 'running', 'lost'],
		]);
		expect(events.at(-1)).toMatchObject({ type: 'end', job: { state: 'lost', result: null } });
		expect(textOf(events)).toBe('one\ntwo\n');
		const again = [await daemon.ann.submitBytes(signed), await daemon.ann.submit(job)];
		expect(again.map(({ status, json }) => [status, json.jobId])).toEqual([1, 2].map(() => [200, jobId]));
		expect(readFileSync(runs, 'utf8')).toBe('run\n');
	});

	it('still refuses an id that was used, also for other bytes', async () => {
		const daemon = await started();
		const jti = 'used-once';
		const first = await daemon.ann.submit(script('echo 1'), { jti }, '/v2/jobs?wait=30000');
		await daemon.crash();
		const other = await daemon.ann.submit(script('echo 2'), { jti });
		expect([first.status, other.status, other.json.error.code]).toEqual([202, 409, 'REQUEST_REPLAYED']);
	});

	it('tells the story of a job that was over exactly as before, from every number', async () => {
		const daemon = await started();
		const { jobId } = (await daemon.ann.submit(script('for i in 1 2 3; do echo $i; sleep 0.1; done'))).json;
		const events = await collect(daemon, jobId, 0);
		const page = (await daemon.ann.get(`/v2/jobs/${jobId}/output/stdout`)).json;
		await daemon.crash();
		for (let after = 0; after <= events.length; after++) {
			expect(await collect(daemon, jobId, after)).toEqual(events.slice(after));
			expect((await daemon.ann.messages(jobId, `?after=${after}`)).events).toEqual(events.slice(after));
		}
		expect((await daemon.ann.get(`/v2/jobs/${jobId}/output/stdout`)).json).toEqual(page);
	});

	it('goes on waiting for an answer, and runs the job when it comes', async () => {
		const daemon = await started();
		const { jobId, approvalId } = (await daemon.ann.submit(script('echo yes', { capability: 'shell.run.asked' }))).json;
		await daemon.crash();
		await daemon.bob.post(`/v2/approvals/${approvalId}`, { answer: 'approve' });
		const { result } = (await daemon.ann.get(`/v2/jobs/${jobId}/wait?ms=30000`)).json;
		expect([result.status, result.stdout]).toEqual(['succeeded', 'yes\n']);
	});
});

describe('an agent that stops', () => {
	it('ends every stream, and whoever comes back hears the rest', async () => {
		const daemon = await started();
		const { jobId } = (await daemon.ann.submit(script('echo one; sleep 2; echo two'))).json;
		const [seen, heard]: [Message['event'][], Message['event'][]] = [[], []];
		const [events, messages] = [collect(daemon, jobId, 0, seen), daemon.ann.messages(jobId, '', heard)];
		await until(() => textOf(seen) !== '' && textOf(heard) !== '');
		expect(await daemon.agent.end('SIGTERM')).toBe(0);
		await daemon.agent.serve();
		const [before, { events: received }] = await Promise.all([events, messages]);
		const whole = [...before, ...(await collect(daemon, jobId, before.length))];
		expect(numbers(whole)).toEqual(whole.map((_, index) => index + 1));
		expect(whole.slice(0, received.length)).toEqual(received);
		expect(whole.at(-1)).toMatchObject({ type: 'end', job: { result: { status: 'succeeded', stdout: 'one\ntwo\n' } } });
	});
});

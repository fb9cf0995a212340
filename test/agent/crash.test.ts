/** The daemon is killed in the middle of its work, again and again: no accepted job loses its record, and none runs twice. */
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openPolicy, secureCode, TestAgent } from '../helpers/agent.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

let agent: TestAgent | undefined;
afterEach(async () => {
	await agent?.remove();
});

interface Accepted {
	readonly id: string;
	/** Its file, in which every run leaves a line. */
	readonly mark: string;
}

const clients = 12;
const rounds = 3;
/** Jobs that are accepted before the daemon is killed: more than can run at a time, so that some wait, run and are over. */
const jobsOfRound = 40;
const over = ['completed', 'failed', 'cancelled'];

async function ogent(path: string, body?: object): Promise<Record<string, unknown>> {
	const { url, token } = agent?.faces.ogent ?? { url: '', token: '' };
	const answer = await fetch(url + path, {
		method: body ? 'POST' : 'GET',
		headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
		...(body && { body: JSON.stringify(body) }),
	});
	return { code: answer.status, ...((await answer.json()) as object) };
}

/** Hands jobs in, one after the other, until the daemon is gone. */
async function client(folder: string, name: string, accepted: Accepted[]): Promise<void> {
	for (let count = 0; ; count++) {
		const mark = join(folder, `${name}-${count}`);
		try {
			const { executionId } = await ogent('/api/execute', { command: `echo ran >> ${mark}` });
			if (typeof executionId === 'string') accepted.push({ id: executionId, mark });
		} catch {
			return;
		}
	}
}

async function killUnderLoad(folder: string, round: number): Promise<Accepted[]> {
	const accepted: Accepted[] = [];
	const load = Array.from({ length: clients }, (_, index) => client(folder, `${round}-${index}`, accepted));
	while (accepted.length < jobsOfRound) await new Promise((resolve) => setTimeout(resolve, 20));
	await agent?.end('SIGKILL');
	await Promise.all(load);
	return accepted;
}

async function endOf({ id }: Accepted): Promise<Record<string, unknown>> {
	for (let tries = 0; tries < 600; tries++) {
		const job = await ogent(`/api/execution/${id}`);
		if (job.code !== 200 || over.includes(String(job.status))) return job;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`${id} never ended`);
}

const runsOf = ({ mark }: Accepted): number =>
	existsSync(mark) ? readFileSync(mark, 'utf8').split('\n').length - 1 : 0;

it('kill -9 under load loses no record of an accepted job, runs none twice, and leaves an audit that is intact', async () => {
	const folder = tempFolder();
	// Commands run as a user of their own.
	chmodSync(folder, 0o777);
	const plenty = { burst: 100_000, requestsPerMinute: 100_000, identicalPerMinute: 100_000, queueLength: 1000 };
	agent = await TestAgent.start({
		policy: openPolicy(folder),
		config: (config) => Object.assign(config, { limits: { ...plenty, concurrentPerPrincipal: 1000 } }),
	});
	const accepted: Accepted[] = [];
	for (let round = 0; round < rounds; round++) {
		accepted.push(...(await killUnderLoad(folder, round)));
		await agent.serve();
	}
	const ends = await Promise.all(accepted.map(async (job) => ({ ...(await endOf(job)), runs: runsOf(job) })));
	const tally = (is: (end: (typeof ends)[number] & Record<string, unknown>) => boolean) => ends.filter(is).length;
	expect({
		withoutRecord: tally(({ code }) => code !== 200),
		runTwice: tally(({ runs }) => runs > 1),
		completedWithoutRun: tally(({ status, runs }) => status === 'completed' && runs !== 1),
		// What ran when the daemon died is lost, and says so.
		failedForAnotherReason: tally(
			({ status, error }) => status !== 'completed' && !/agent restarted/.test(String(error)),
		),
	}).toEqual({ withoutRecord: 0, runTwice: 0, completedWithoutRun: 0, failedForAnotherReason: 0 });
	expect(await agent.end()).toBe(0);
	const { status } = JSON.parse(secureCode(['audit', 'verify', '--dir', agent.dir, '--json']));
	expect(status).toBe('intact');
}, 180_000);

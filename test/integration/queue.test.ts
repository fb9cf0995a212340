/** Queue mode: n8n hands executions to a worker over Redis, and the worker runs the code. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOwner } from '../../scripts/n8n/n8n-client.ts';
import { freePort } from '../../scripts/n8n/n8n-process.ts';
import { openPolicy, TestAgent } from '../helpers/agent.ts';
import { whyMissing } from '../helpers/debian.ts';
import { type Bench, openBench } from './helpers/bench.ts';
import { type OwnN8n, prepareN8n } from './helpers/own-n8n.ts';
import { processesCalled, programCalled, until } from './helpers/processes.ts';
import { type Redis, startRedis } from './helpers/redis.ts';
import { remoteAgent, saveCredentials } from './helpers/remote.ts';
import { programs, stepItems, toolResults } from './helpers/results.ts';
import { call } from './helpers/scripted-model.ts';
import { owner } from './helpers/start-n8n.ts';
import { chatAgent, manualAgent, stepWorkflow } from './helpers/workflows.ts';

const reason = whyMissing('redis-server', 'redis-server');
const title = `In queue mode${reason === undefined ? '' : ` (no redis-server: ${reason})`}`;

describe.skipIf(reason !== undefined)(title, () => {
	let redis: Redis;
	let own: OwnN8n;
	let bench: Bench;
	let startWorker: (name: string) => Promise<unknown>;

	beforeAll(async () => {
		redis = await startRedis();
		own = await prepareN8n();
		const port = await freePort();
		const env = {
			EXECUTIONS_MODE: 'queue',
			QUEUE_BULL_REDIS_HOST: '127.0.0.1',
			QUEUE_BULL_REDIS_PORT: String(redis.port),
			OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
			// The worker writes resume links with it; otherwise they would lead to the worker.
			WEBHOOK_URL: `http://127.0.0.1:${port}/`,
			N8N_ENCRYPTION_KEY: 'shared-by-main-and-worker',
			// An expression tells which worker evaluated it.
			N8N_BLOCK_ENV_ACCESS_IN_NODE: 'false',
		};
		startWorker = (name) =>
			own.start({
				env: { ...env, WORKER_NAME: name },
				command: ['worker', '--concurrency=5'],
				readyText: 'worker is now ready',
			});
		// The main process cannot run code, so an answer shows that the worker ran it.
		const main = await own.start({ port, env: { ...env, SECURE_CODE_NSJAIL: '/nonexistent/nsjail' } });
		await startWorker('one');
		bench = await openBench(await createOwner(main.baseUrl, owner));
	});

	afterAll(async () => {
		await bench?.close();
		await own?.remove();
		await redis?.stop();
	});

	test.each(programs)('an agent runs $language on the worker', async ({ code, language, result }) => {
		const execution = await bench.ask([call({ code, language })]);
		expect([execution.status, toolResults(execution)]).toEqual(['success', [result]]);
	});

	test.each(programs)('a step runs $language on the worker', async ({ code, language, result }) => {
		const execution = await bench.run(stepWorkflow([{}], { code, language }));
		expect(stepItems(execution)).toEqual([{ json: result, pairedItem: { item: 0 } }]);
	});

	test.each(programs)('a chat is answered after the worker ran $language', async ({ code, result }) => {
		const webhookId = crypto.randomUUID();
		const workflow = await bench.client.createWorkflow(chatAgent(webhookId, { credential: bench.credential }));
		await bench.client.publish(workflow);
		bench.model.play(call({ code }), { text: 'From the worker.' });
		const { text } = await bench.client.chat(webhookId, 'go');
		expect(JSON.parse(text)).toEqual({ output: 'From the worker.' });
		expect(toolResults(await bench.client.newestExecution(workflow.id))).toEqual([result]);
	});

	test('an agent runs a command on a device from the worker, over the native protocol', async () => {
		const agent = await TestAgent.start({ policy: openPolicy() });
		try {
			const credentials = await saveCredentials(bench, agent);
			bench.model.play({ calls: [{ name: 'Remote_Shell_Tool', arguments: '{"script":"echo from the device"}' }] });
			const execution = await bench.run(remoteAgent(bench, credentials, { allowedDevices: 'web-1' }));
			const answers = bench.model.toolTexts().map((text) => [JSON.parse(text)].flat()[0]);
			expect([execution.status, answers]).toMatchObject([
				'success',
				[{ status: 'succeeded', stdout: 'from the device\n' }],
			]);
		} finally {
			await agent.remove();
		}
	});

	test('two workers go on with one session, one after the other, and lose nothing', async () => {
		const sessionFolder = mkdtempSync(join(tmpdir(), 'secure-code-sessions-'));
		try {
			await startWorker('two');
			const parameters = {
				...{ language: 'bash', validateCode: false, stdin: '={{ $env.WORKER_NAME }}' },
				code: 'n=$(cat n 2>/dev/null || echo 0); sleep 0.2; echo $((n + 1)) > n; cat >> who; echo >> who; cat n who',
				...{ session: 'key', sessionKey: 'shared', sessionStore: 'folder', sessionFolder },
			};
			const workflow = await bench.client.createWorkflow(stepWorkflow([{}], parameters));
			const ids = await Promise.all(Array.from({ length: 12 }, () => bench.client.start(workflow, 'Start')));
			const executions = await Promise.all(ids.map((id) => bench.client.settled(id)));
			const printed = executions.map((execution) => String(stepItems(execution)[0]?.json.stdout).trim().split('\n'));
			const counts = printed.map(([count]) => Number(count)).sort((one, other) => one - other);
			expect(counts).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
			const [, ...who] = printed.find(([count]) => count === '12') ?? [];
			expect([who.length, new Set(who)]).toEqual([12, new Set(['one', 'two'])]);
		} finally {
			rmSync(sessionFolder, { recursive: true, force: true });
		}
	});

	test('a stop in n8n kills every process of the program on the worker', async () => {
		const name = `job-of-${crypto.randomUUID()}`;
		bench.model.play(call({ code: programCalled(name), language: 'bash' }));
		const tool = { timeout: 300, validateCode: false };
		const workflow = await bench.client.createWorkflow(manualAgent({ credential: bench.credential, tool }));
		const id = await bench.client.start(workflow, 'Start');
		await until(() => processesCalled(name).length === 2);
		await bench.client.stop(id);
		await expect.poll(() => processesCalled(name), { timeout: 5_000 }).toEqual([]);
	});
});

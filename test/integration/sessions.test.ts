/** A conversation about a table: the next question uses what the one before kept, also after a restart and on another machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOwner, N8nClient, type SavedWorkflow, type Session } from '../../scripts/n8n/n8n-client.ts';
import { problemFor } from '../../src/contract/error.ts';
import { type BucketServer, startBucketServer, whyNoBucketServer } from '../helpers/bucket-server.ts';
import { figureBundle, whyNoBundle } from '../helpers/bundles.ts';
import { type Bench, openBench } from './helpers/bench.ts';
import { type OwnN8n, prepareN8n } from './helpers/own-n8n.ts';
import { ranWith, toolResults } from './helpers/results.ts';
import { call } from './helpers/scripted-model.ts';
import { owner } from './helpers/start-n8n.ts';
import { chatAgent } from './helpers/workflows.ts';

const reason = await whyNoBundle(...figureBundle);
const noBucket = await whyNoBucketServer();
const sales = { name: 'sales.csv', type: 'text/csv', content: 'month,amount\nJan,3\nFeb,5\n' };

const drawing = `
import pandas as pd, matplotlib.pyplot as plt
df = pd.read_csv('/work/in/sales.csv')
df.plot.bar(x='month', y='amount')
plt.show()
open('/work/note.txt', 'w').write('kept')
print(df.amount.sum())
`;
const asking =
	"print(int(df.amount.max()), open('/work/note.txt').read(), len(open('/work/in/sales.csv').readlines()))";

describe.skipIf(reason !== undefined)(`a conversation${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
	let own: OwnN8n;
	let session: Session;
	let bench: Bench;
	let stop: () => Promise<void>;
	let folder: string;
	let bucketServer: BucketServer | undefined;

	const start = async () => {
		const n8n = await own.start();
		session = session ? { ...session, baseUrl: n8n.baseUrl } : await createOwner(n8n.baseUrl, owner);
		// The model stays the same, as a workflow that was saved knows its address.
		bench = bench ? { ...bench, client: new N8nClient(session) } : await openBench(session);
		stop = n8n.stop;
	};

	beforeAll(async () => {
		own = await prepareN8n();
		folder = mkdtempSync(join(tmpdir(), 'secure-code-sessions-'));
		await start();
	});
	afterAll(async () => {
		await stop?.();
		bucketServer?.stop();
		await own?.remove();
		await bench?.close();
		rmSync(folder, { recursive: true, force: true });
	});

	const tool = (more: object = {}) => ({
		...{ bundle: figureBundle[0], memory: 512, timeout: 120, session: 'chat', sessionState: true },
		...{ sessionStore: 'folder', sessionFolder: folder, ...more },
	});

	async function publish(parameters: Record<string, unknown>, streaming = false) {
		const webhookId = crypto.randomUUID();
		const { credential, client } = bench;
		const agent = chatAgent(webhookId, { credential, uploads: true, streaming, tool: parameters });
		const workflow = await client.createWorkflow(agent);
		await client.publish(workflow);
		return { webhookId, workflow };
	}

	async function say(
		{ webhookId, workflow }: { webhookId: string; workflow: SavedWorkflow },
		code: string,
		sessionId: string,
		files: (typeof sales)[] = [],
	) {
		bench.model.play(call({ code }), { text: 'Done.' });
		const { text } = await bench.client.chat(webhookId, 'go', { sessionId, files });
		return { text, results: toolResults(await bench.client.newestExecution(workflow.id)) };
	}

	test('gets a picture of the table, and the next question uses the kept data, which another conversation does not see', async () => {
		const chat = await publish(tool());
		const ana = crypto.randomUUID();
		const { results } = await say(chat, drawing, ana, [sales]);
		const link = expect.stringContaining('/rest/binary-data/signed?token=');
		const figure = {
			name: 'figure-1.png',
			type: 'image/png',
			bytes: expect.any(Number),
			preview: null,
			binary: 'data',
			link,
		};
		const problem = problemFor('FILES_ELSEWHERE', { names: '/work/note.txt' });
		expect(results).toEqual([ranWith({ stdout: '8\n', files: [figure] as never, problem })]);
		const url = (results[0] as { files: { link: string }[] }).files[0]?.link ?? '';
		expect(new Uint8Array(await (await fetch(url)).arrayBuffer()).subarray(0, 4)).toEqual(
			new Uint8Array([0x89, 0x50, 0x4e, 0x47]),
		);

		expect((await say(chat, asking, ana)).results).toEqual([ranWith({ stdout: '5 kept 3\n' })]);
		const stranger = await say(chat, 'import os; print("df" in globals(), os.listdir("/work"))', crypto.randomUUID());
		expect(stranger.results).toEqual([ranWith({ stdout: "False ['out']\n" })]);
		const other = await publish(tool());
		expect((await say(other, 'print("df" in globals())', ana)).results).toEqual([ranWith({ stdout: 'False\n' })]);
	});

	test('goes on after n8n was restarted', async () => {
		const chat = await publish(tool());
		const ana = crypto.randomUUID();
		await say(chat, drawing, ana, [sales]);
		await stop();
		await start();
		expect((await say(chat, asking, ana)).results).toEqual([ranWith({ stdout: '5 kept 3\n' })]);
	});

	test('is told when it keeps too much', async () => {
		const chat = await publish(tool({ sessionQuota: 1 }));
		const ana = crypto.randomUUID();
		await say(chat, 'a = 1', ana);
		const { results } = await say(chat, 'a = 2; open("/work/big", "wb").write(bytes(3_000_000))', ana);
		expect(results).toMatchObject([{ status: 'succeeded', problem: { code: 'SESSION_FULL' } }]);
		expect((await say(chat, 'print(a)', ana)).results).toEqual([ranWith({ stdout: '1\n' })]);
	});

	test.skipIf(noBucket !== undefined)('is kept in a bucket, from which any worker goes on', async () => {
		bucketServer = await startBucketServer();
		const endpoint = await bucketServer.bucket('sessions');
		const data = { endpoint, region: 'us-east-1', accessKeyId: 'test', secretAccessKey: 'test', prefix: 'n8n' };
		const credential = await bench.client.createCredential({ name: 'bucket', type: 'secureCodeSessionStoreApi', data });
		const webhookId = crypto.randomUUID();
		const agent = chatAgent(webhookId, { credential: bench.credential, tool: tool({ sessionStore: 's3' }) });
		const nodes = agent.nodes.map((one) =>
			one.type.endsWith('.secureCodeTool') ? { ...one, credentials: { secureCodeSessionStoreApi: credential } } : one,
		);
		const workflow = await bench.client.createWorkflow({ ...agent, nodes });
		await bench.client.publish(workflow);
		const ana = crypto.randomUUID();
		expect((await say({ webhookId, workflow }, 'a = 41', ana)).results).toEqual([ranWith({})]);
		expect((await say({ webhookId, workflow }, 'print(a + 1)', ana)).results).toEqual([ranWith({ stdout: '42\n' })]);
		const listed = await (await fetch(`${endpoint}?list-type=2`)).text();
		expect(listed).toMatch(/<Key>n8n\/[0-9a-f]{32}\/[0-9a-f]{32}\.session<\/Key>/);
	});

	test('never has a key that the model can write', async () => {
		const parameters = tool({ session: 'key', sessionKey: '={{ $json.sessionId }}' });
		const { webhookId, workflow } = await publish(parameters);
		const { results } = await say({ webhookId, workflow }, 'print(1)', crypto.randomUUID());
		expect(results).toMatchObject([{ error: expect.stringContaining('which a model can write to') }]);
	});

	test('that is streamed shows what a program prints while it runs', async () => {
		const chat = await publish(tool({ session: 'none', streamOutput: true }), true);
		const { text } = await say(chat, 'print("from the program", flush=True)', crypto.randomUUID());
		const lines = text
			.split('\n')
			.filter(Boolean)
			.map((line) => JSON.parse(line));
		const shown = lines.filter(({ metadata }) => metadata?.nodeName === 'Secure Code Tool');
		expect(shown.map(({ type, content }) => [type, content])).toEqual([
			['begin', undefined],
			['item', 'from the program\n'],
			['end', undefined],
		]);
	});
});

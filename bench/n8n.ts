/**
 * Measures a tool call through a real n8n: an AI Agent (version 3.1) with a scripted model calls our Secure Code Tool and n8n's own
 * Code Tool in turns, in the same n8n. What is told is the time of the tool's node, as n8n itself writes it down, and our share of it:
 * the time less that of the program itself, which our result tells. Of n8n's tool only the whole is known.
 *
 *   npm run bench:n8n          30 rounds
 *   npm run bench:n8n -- 100   100 rounds
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createOwner, N8nClient, type SavedWorkflow, type Workflow } from '../scripts/n8n/n8n-client.ts';
import { bringN8n, startN8n } from '../scripts/n8n/n8n-process.ts';
import { installPackages, packPackages, setUpSandbox } from '../test/integration/helpers/install.ts';
import { call, startScriptedModel } from '../test/integration/helpers/scripted-model.ts';
import { manualAgent, node, type SavedCredential, toolNode } from '../test/integration/helpers/workflows.ts';
import { median } from './report.ts';

const rounds = Number(process.argv[2] ?? 30);
/** Our share of a call, at the most; it must also be below what n8n's Code Tool takes. */
const mostMs = 30;
const owner = { email: 'bench@example.com', password: 'Secure-Code-1', firstName: 'Bench', lastName: 'Owner' };

interface Side {
	readonly name: string;
	readonly workflow: (credential: SavedCredential) => Workflow;
	readonly args: object;
	readonly isRight: (result: Record<string, unknown>) => boolean;
}

const ours = (language: string, code: string): Side => ({
	name: `Secure Code Tool, ${language}`,
	workflow: (credential) => manualAgent({ credential }),
	args: { code, language },
	isRight: ({ stdout }) => stdout === 'hello\n',
});

/** The same agent with n8n's tool in the place of ours. */
function withCodeTool(credential: SavedCredential): Workflow {
	const workflow = manualAgent({ credential });
	const parameters = { description: 'Says hello.', language: 'javaScript', jsCode: 'return "hello";' };
	const tool = node(toolNode, '@n8n/n8n-nodes-langchain.toolCode', 1.3, parameters);
	return { ...workflow, nodes: workflow.nodes.map((one) => (one.name === toolNode ? tool : one)) };
}

const sides: readonly Side[] = [
	{
		name: "n8n's Code Tool, javascript",
		workflow: withCodeTool,
		args: { input: 'go' },
		isRight: (result) => JSON.stringify(result).includes('hello'),
	},
	ours('python', 'print("hello")'),
	ours('javascript', 'console.log("hello")'),
	ours('bash', 'echo hello'),
];

await setUpSandbox();
const place = await bringN8n();
const userFolder = mkdtempSync(join(tmpdir(), 'secure-code-bench-n8n-'));
await installPackages((await packPackages()).slice(0, 1), userFolder);
const n8n = await startN8n({ place, userFolder });
const model = await startScriptedModel();

/** Milliseconds of the tool's node in one execution. */
interface Time {
	readonly nodeMs: number;
	/** Without the program; the whole where that is not known. */
	readonly shareMs: number;
}

async function once(client: N8nClient, { name, args, isRight }: Side, saved: SavedWorkflow): Promise<Time> {
	model.play(call(args));
	const { data } = await client.settled(await client.start(saved, 'Start'));
	const [run] = data.resultData.runData[toolNode] ?? [];
	const json = (run?.data?.ai_tool?.[0]?.[0]?.json ?? {}) as Record<string, unknown>;
	if (!run || !isRight(json)) throw new Error(`${name}: ${JSON.stringify(json)}`);
	const programMs = typeof json.durationMs === 'number' ? json.durationMs : 0;
	return { nodeMs: run.executionTime, shareMs: run.executionTime - programMs };
}

const times = new Map<string, Time[]>(sides.map(({ name }) => [name, []]));
try {
	const client = new N8nClient(await createOwner(n8n.baseUrl, owner));
	const data = { apiKey: 'none', url: model.url };
	const credential = await client.createCredential({ name: 'scripted model', type: 'openAiApi', data });
	const saved = new Map<string, SavedWorkflow>();
	for (const side of sides) saved.set(side.name, await client.createWorkflow(side.workflow(credential)));
	for (let round = -2; round < rounds; round++)
		for (const side of sides) {
			const time = await once(client, side, saved.get(side.name) as SavedWorkflow);
			if (round >= 0) times.get(side.name)?.push(time);
			// A model thinks longer than this between two calls.
			await sleep(200);
		}
} finally {
	await model.close();
	await n8n.stop();
	rmSync(userFolder, { recursive: true, force: true });
}

const middle = (name: string, part: keyof Time): number => median((times.get(name) ?? []).map((time) => time[part]));
const codeTool = middle(sides[0]?.name ?? '', 'nodeMs');
console.log(
	'| tool, in one n8n | its node, median ms | without the program, median ms | goal |\n| --- | ---: | ---: | --- |',
);
for (const { name } of sides) {
	const share = middle(name, 'shareMs');
	const isMet = share <= mostMs && share < codeTool;
	const verdict = name === sides[0]?.name ? '' : isMet ? 'met' : 'MISSED';
	console.log(`| ${name} | ${middle(name, 'nodeMs').toFixed(0)} | ${verdict ? share.toFixed(0) : ''} | ${verdict} |`);
}
const date = new Date().toISOString();
await mkdir('bench/runs', { recursive: true });
await writeFile(
	`bench/runs/n8n-${date.slice(0, 19).replaceAll(':', '-')}.json`,
	`${JSON.stringify({ date, node: process.version, load: loadavg()[0], rounds, times: Object.fromEntries(times) })}\n`,
);

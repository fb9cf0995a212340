/** The demo: a fresh n8n with the example workflows, in a folder that was prepared by deploy-to-n8n.sh and goes away again. */
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseModel, type DemoModel } from './demo-model.ts';
import { connectModel } from './examples.ts';
import { createOwner, type Execution, N8nClient, type SavedWorkflow, type Workflow } from './n8n-client.ts';
import { bringN8n, type N8nPlace, type N8nProcess, startN8n } from './n8n-process.ts';

const owner = { email: 'demo@example.com', password: 'Secure-Code-1', firstName: 'Demo', lastName: 'Owner' };
const exampleNames = ['secure-code-agent', 'secure-code-skills', 'secure-code-step'];
const sampleQuestion = 'What is the square root of 256?';

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

const readExample = (name: string): Workflow =>
	JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'examples', `${name}.json`), 'utf8'));

interface Demo {
	readonly client: N8nClient;
	readonly chat: SavedWorkflow;
}

/** Puts the examples into n8n, connected to the model, with the chat of the first one open to its public address. */
async function furnish(n8n: N8nProcess, model: DemoModel): Promise<Demo> {
	const client = new N8nClient(await createOwner(n8n.baseUrl, owner));
	const credential = await client.createCredential({ name: 'Demo model', type: 'openAiApi', data: model.credential });
	const saved = [];
	for (const name of exampleNames) {
		saved.push(await client.createWorkflow(connectModel(readExample(name), credential, model.name)));
	}
	const [chat] = saved as [SavedWorkflow];
	await client.publish(chat);
	return { client, chat };
}

const webhookOf = ({ nodes }: Workflow): string =>
	nodes.find(({ webhookId }) => webhookId !== undefined)?.webhookId ?? '';

interface ToolAnswer {
	readonly status?: string;
	readonly language?: string;
	readonly backend?: string;
	readonly durationMs?: number;
}

const toolAnswers = ({ data }: Execution): ToolAnswer[] =>
	(data.resultData.runData['Secure Code Tool'] ?? []).map(
		(run) => (run.data?.ai_tool?.[0]?.[0]?.json ?? {}) as ToolAnswer,
	);

const describeRun = ({ status = 'failed', language, backend, durationMs = 0 }: ToolAnswer): string =>
	`Secure Code Tool: ${status}${backend ? `, ${language} in ${backend}, ${Math.round(durationMs)} ms` : ''}`;

/** True when the agent answered and every program that it ran succeeded. */
async function askOnce({ client, chat }: Demo, text: string): Promise<boolean> {
	const reply = await client.chat(webhookOf(chat), text);
	const execution = await client.newestExecution(chat.id);
	const answers = toolAnswers(execution);
	for (const answer of answers) tell(describeRun(answer));
	const { output } = JSON.parse(reply.text) as { output?: string };
	process.stdout.write(`${output ?? reply.text}\n`);
	return execution.status === 'success' && answers.length > 0 && answers.every(({ status }) => status === 'succeeded');
}

function welcome(n8n: N8nProcess, { chat }: Demo, model: DemoModel): void {
	tell(`
The demo is running, with nothing in it that belongs to your own n8n.

  Address  ${n8n.baseUrl}/workflow/${chat.id}
  Login    ${owner.email}
  Password ${owner.password}
  Model    ${model.label}

Open the address, sign in, press "Open chat" and ask, for example: ${sampleQuestion}
Or ask from another terminal:

  curl -s ${n8n.baseUrl}/webhook/${webhookOf(chat)}/chat -H 'content-type: application/json' \\
    -d '{"action":"sendMessage","sessionId":"1","chatInput":"${sampleQuestion}"}'

Press Ctrl-C to stop. Everything in this demo is removed then.`);
}

function stopSignal(): AbortSignal {
	const stopping = new AbortController();
	for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort());
	return stopping.signal;
}

interface Wish {
	readonly userFolder: string;
	readonly question: string | undefined;
	readonly signal: AbortSignal;
}

async function showWith(model: DemoModel, place: N8nPlace, { userFolder, question, signal }: Wish): Promise<boolean> {
	tell('Starting n8n.');
	const n8n = await startN8n({ place, userFolder, signal });
	try {
		const demo = await furnish(n8n, model);
		if (question !== undefined) return await askOnce(demo, question);
		welcome(n8n, demo, model);
		if (!signal.aborted) await once(signal, 'abort');
		return true;
	} finally {
		tell('Stopping n8n.');
		await n8n.stop();
	}
}

async function show(wish: Wish): Promise<boolean> {
	const place = await bringN8n(wish.signal);
	const model = await chooseModel(process.env);
	try {
		return await showWith(model, place, wish);
	} finally {
		await model.close();
	}
}

const { values } = parseArgs({ options: { 'user-folder': { type: 'string' }, once: { type: 'string' } } });
const userFolder = values['user-folder'] ?? '';
const signal = stopSignal();
try {
	process.exitCode = (await show({ userFolder, question: values.once, signal })) ? 0 : 1;
} catch (error) {
	tell(signal.aborted ? 'Stopped.' : `The demo failed: ${error instanceof Error ? error.message : String(error)}`);
	process.exitCode = signal.aborted ? 130 : 1;
} finally {
	rmSync(userFolder, { recursive: true, force: true });
}

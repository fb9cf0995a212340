/** A signed-in client of an n8n, a scripted model, and the credential that connects the two. */
import { inject } from 'vitest';
import { type Execution, N8nClient, type Session, type Workflow } from '../../../scripts/n8n/n8n-client.ts';
import { type ScriptedModel, type Step, startScriptedModel } from './scripted-model.ts';
import { type AgentOptions, manualAgent, type SavedCredential } from './workflows.ts';

export interface Bench {
	readonly client: N8nClient;
	readonly model: ScriptedModel;
	readonly credential: SavedCredential;
	/** Starts a new workflow by hand and waits until it is over. */
	run(workflow: Workflow): Promise<Execution>;
	/** Lets an agent with our tool do what the steps say. */
	ask(steps: readonly Step[], options?: Partial<AgentOptions>): Promise<Execution>;
	close(): Promise<void>;
}

export async function openBench(session: Session = inject('session')): Promise<Bench> {
	const client = new N8nClient(session);
	const model = await startScriptedModel();
	const data = { apiKey: 'none', url: model.url };
	const credential = await client.createCredential({ name: 'scripted model', type: 'openAiApi', data });
	const run = async (workflow: Workflow) =>
		await client.settled(await client.start(await client.createWorkflow(workflow), 'Start'));
	const ask: Bench['ask'] = async (steps, options = {}) => {
		model.play(...steps);
		return await run(manualAgent({ credential, ...options }));
	};
	return { client, model, credential, run, ask, close: model.close };
}

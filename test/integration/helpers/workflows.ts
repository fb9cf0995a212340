/** The workflows that the tests run: an agent with our tool, a chat with it, and our step. */
import type { Workflow, WorkflowNode } from '../../../scripts/n8n/n8n-client.ts';

export interface SavedCredential {
	readonly id: string;
	readonly name: string;
}

const langchain = '@n8n/n8n-nodes-langchain';
export const toolNode = 'Secure Code Tool';
export const stepNode = 'Secure Code';

export const node = (
	name: string,
	type: string,
	typeVersion: number,
	parameters: Record<string, unknown> = {},
	extra: Partial<WorkflowNode> = {},
): WorkflowNode => ({ id: crypto.randomUUID(), name, type, typeVersion, position: [0, 0], parameters, ...extra });

export const link = (type: string, to: string) => ({ [type]: [[{ node: to, type, index: 0 }]] });

const manualStart = node('Start', 'n8n-nodes-base.manualTrigger', 1);

const chatModel = (credential: SavedCredential): WorkflowNode =>
	node(
		'Model',
		`${langchain}.lmChatOpenAi`,
		1.3,
		{ model: { __rl: true, mode: 'id', value: 'scripted' }, responsesApiEnabled: false, options: {} },
		{ credentials: { openAiApi: { id: credential.id, name: credential.name } } },
	);

export interface AgentOptions {
	readonly credential: SavedCredential;
	/** Parameters of our tool. */
	readonly tool?: Record<string, unknown>;
	/** 3.1 unless told otherwise. */
	readonly version?: number;
	/** Stands between our tool and the agent. */
	readonly gate?: WorkflowNode;
	/** What arrives at the agent. */
	readonly item?: Record<string, unknown>;
	readonly streaming?: boolean;
	/** Visitors of a chat may send files. */
	readonly uploads?: boolean;
}

interface Entrance {
	readonly nodes: readonly WorkflowNode[];
	readonly connections: Record<string, unknown>;
	readonly agent: Record<string, unknown>;
}

function agentWorkflow(entrance: Entrance, { credential, tool = {}, version = 3.1, gate }: AgentOptions): Workflow {
	return {
		name: `agent ${crypto.randomUUID()}`,
		nodes: [
			...entrance.nodes,
			node('Agent', `${langchain}.agent`, version, entrance.agent),
			chatModel(credential),
			node(toolNode, 'n8n-nodes-secure-code.secureCodeTool', 1, tool),
			...(gate === undefined ? [] : [gate]),
		],
		connections: {
			...entrance.connections,
			Model: link('ai_languageModel', 'Agent'),
			[toolNode]: link('ai_tool', gate?.name ?? 'Agent'),
			...(gate === undefined ? {} : { [gate.name]: link('ai_tool', 'Agent') }),
		},
		settings: { executionOrder: 'v1' },
	};
}

/** An agent that is started by hand. */
export function manualAgent(options: AgentOptions): Workflow {
	const item = { chatInput: 'go', ...options.item };
	const entrance = {
		nodes: [manualStart, node('Item', 'n8n-nodes-base.set', 3.4, { mode: 'raw', jsonOutput: JSON.stringify(item) })],
		connections: { Start: link('main', 'Item'), Item: link('main', 'Agent') },
		agent: { promptType: 'define', text: '={{ $json.chatInput }}', options: {} },
	};
	return agentWorkflow(entrance, options);
}

/** An agent that answers a public chat. */
export function chatAgent(webhookId: string, options: AgentOptions): Workflow {
	const streaming = options.streaming ?? false;
	const uploads = options.uploads === true ? { allowFileUploads: true } : {};
	const responseMode = streaming ? 'streaming' : 'lastNode';
	const parameters = { public: true, mode: 'webhook', options: { responseMode, ...uploads } };
	const entrance = {
		nodes: [node('Chat', `${langchain}.chatTrigger`, 1.4, parameters, { webhookId })],
		connections: { Chat: link('main', 'Agent') },
		agent: { options: { enableStreaming: streaming } },
	};
	return agentWorkflow(entrance, options);
}

/** Our step, run once for each of the items. */
export function stepWorkflow(
	items: readonly object[],
	parameters: Record<string, unknown>,
	extra: Partial<WorkflowNode> = {},
): Workflow {
	return {
		name: `step ${crypto.randomUUID()}`,
		nodes: [
			manualStart,
			node('List', 'n8n-nodes-base.set', 3.4, { mode: 'raw', jsonOutput: JSON.stringify({ items }) }),
			node('Items', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'items', options: {} }),
			node(stepNode, 'n8n-nodes-secure-code.secureCode', 1, parameters, extra),
		],
		connections: { Start: link('main', 'List'), List: link('main', 'Items'), Items: link('main', stepNode) },
		settings: { executionOrder: 'v1' },
	};
}

/** What the editor sends for "Execute step" on a tool, once its form has been filled in. */
export function executeStep(nodeName: string, call: Record<string, unknown>) {
	const name = nodeName.replaceAll(' ', '_');
	return {
		runData: {},
		dirtyNodeNames: [],
		destinationNode: { nodeName, mode: 'inclusive' },
		agentRequest: { query: { [name]: call }, tool: { name } },
	};
}

/** Connects an example workflow to a language model, as a person does by choosing a credential in the editor. */
import type { Workflow, WorkflowNode } from './n8n-client.ts';

const modelType = '@n8n/n8n-nodes-langchain.lmChatOpenAi';

interface SavedCredential {
	readonly id: string;
	readonly name: string;
}

function withModel(node: WorkflowNode, { id, name }: SavedCredential, model: string): WorkflowNode {
	if (node.type !== modelType) return node;
	const parameters = { ...node.parameters, model: { __rl: true, mode: 'id', value: model } };
	return { ...node, parameters, credentials: { openAiApi: { id, name } } };
}

export function connectModel(workflow: Workflow, credential: SavedCredential, model: string): Workflow {
	return { ...workflow, nodes: workflow.nodes.map((node) => withModel(node, credential, model)) };
}

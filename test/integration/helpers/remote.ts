/** Workflows with Remote Shell, and the credentials that lead to a real agent over each protocol. */
import type { Workflow, WorkflowNode } from '../../../scripts/n8n/n8n-client.ts';
import type { FaceName } from '../../../src/contract/device-job.ts';
import { secureCode, type TestAgent } from '../../helpers/agent.ts';
import type { Bench } from './bench.ts';
import { chatAgent, link, manualAgent, node, type SavedCredential, toolNode } from './workflows.ts';

export const remoteTool = 'Remote Shell Tool';
export const remoteStep = 'Remote Shell';
export const approvalsStep = 'Remote Shell Approvals';

export const credentialTypes: Record<FaceName, string> = {
	native: 'remoteShellNativeApi',
	agent3: 'remoteShellAgent3Api',
	ogent: 'remoteShellOgentApi',
	quickcmd: 'remoteShellQuickCmdApi',
	device: 'remoteShellDeviceAgentApi',
};

/** What a person pastes: the line that "agent init" printed for the protocol. */
const lineOf = (agent: TestAgent, face: FaceName): string => `web-1 = ${JSON.stringify(agent.faces[face])}`;

export type Credentials = Record<string, SavedCredential>;

/** Beside the device itself, one that is dead and one that another process may stand behind. */
export async function saveCredentials(bench: Bench, agent: TestAgent): Promise<Credentials> {
	const saved: Credentials = {};
	for (const [face, type] of Object.entries(credentialTypes) as [FaceName, string][]) {
		const dead = JSON.stringify({ ...agent.faces[face], url: agent.faces[face].url.replace(/:\d+$/, ':1') });
		const devices = `${lineOf(agent, face)}\ndead = ${dead}`;
		saved[type] = await bench.client.createCredential({
			name: `devices ${face}`,
			type,
			data: { alias: 'x', url: '', devices },
		});
	}
	return saved;
}

/** A key of another person, who may approve. */
export function addApprover(agent: TestAgent): string {
	const words = ['--roles', 'approver', '--kind', 'token', '--principal', 'alice'];
	const printed = secureCode(['agent', 'keys', 'add', 'native', '--dir', agent.dir, ...words, '--json']);
	return JSON.parse(printed).token;
}

/** Remote Shell in the place of Secure Code, also behind a gate. */
function withRemoteTool(workflow: Workflow, credentials: Credentials, parameters: Record<string, unknown>): Workflow {
	const tool: WorkflowNode = node(remoteTool, 'n8n-nodes-secure-code.remoteShellTool', 1, parameters, { credentials });
	const { [toolNode]: place, ...connections } = workflow.connections as Record<string, unknown>;
	return {
		...workflow,
		nodes: [...workflow.nodes.filter(({ name }) => name !== toolNode), tool],
		connections: { ...connections, [remoteTool]: place },
	};
}

/** The workflow of an agent whose tool is Remote Shell. */
export function remoteAgent(
	bench: Bench,
	credentials: Credentials,
	parameters: Record<string, unknown>,
	more: { version?: number; gate?: WorkflowNode } = {},
): Workflow {
	return withRemoteTool(manualAgent({ credential: bench.credential, ...more }), credentials, parameters);
}

/** A public chat whose agent has Remote Shell. */
export function remoteChat(bench: Bench, credentials: Credentials, webhookId: string, streaming: boolean): Workflow {
	return withRemoteTool(chatAgent(webhookId, { credential: bench.credential, streaming }), credentials, {
		allowedDevices: 'web-1',
	});
}

/** One node of ours after a start by hand. */
export function oneStep(
	name: string,
	type: string,
	parameters: Record<string, unknown>,
	credentials: Credentials,
	extra: Partial<WorkflowNode> = {},
): Workflow {
	return {
		name: `${name} ${crypto.randomUUID()}`,
		nodes: [
			node('Start', 'n8n-nodes-base.manualTrigger', 1),
			node(name, `n8n-nodes-secure-code.${type}`, 1, parameters, { credentials, ...extra }),
		],
		connections: { Start: link('main', name) },
		settings: { executionOrder: 'v1' },
	};
}

/** Puts credentials to the nodes of an example that ask for them, as a person does in the editor. */
export function connectDevices(workflow: Workflow, credentials: Credentials): Workflow {
	const ofNode: Record<string, readonly string[]> = {
		'n8n-nodes-secure-code.remoteShell': ['remoteShellNativeApi'],
		'n8n-nodes-secure-code.remoteShellTool': ['remoteShellNativeApi'],
		'n8n-nodes-secure-code.remoteShellApprovals': ['remoteShellApproverApi'],
	};
	const connect = (one: WorkflowNode): WorkflowNode => {
		const types = ofNode[one.type];
		return types
			? { ...one, credentials: Object.fromEntries(types.map((type) => [type, credentials[type]])) as never }
			: one;
	};
	return { ...workflow, nodes: workflow.nodes.map(connect) };
}

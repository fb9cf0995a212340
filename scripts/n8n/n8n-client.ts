/** The few calls of n8n's own interface that the demo and the integration tests need, made as its editor makes them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseFlatted } from './flatted.ts';

export interface Workflow {
	readonly name: string;
	readonly nodes: readonly WorkflowNode[];
	readonly connections: Record<string, unknown>;
	readonly settings?: Record<string, unknown>;
}

export interface WorkflowNode {
	readonly id: string;
	readonly name: string;
	readonly type: string;
	readonly typeVersion: number;
	readonly position: readonly [number, number];
	readonly parameters: Record<string, unknown>;
	readonly credentials?: Record<string, { readonly id: string; readonly name: string }>;
	readonly webhookId?: string;
	readonly onError?: string;
}

export interface SavedWorkflow extends Workflow {
	readonly id: string;
	readonly versionId: string;
}

export interface Item {
	readonly json: Record<string, unknown>;
	readonly pairedItem?: unknown;
}

/** One run of one node in an execution. */
export interface NodeRun {
	readonly executionStatus: string;
	/** Milliseconds. */
	readonly executionTime: number;
	readonly error?: { readonly message: string; readonly description?: string };
	readonly hints?: readonly { readonly message: string; readonly type: string }[];
	readonly data?: Record<string, readonly (readonly Item[])[]>;
	readonly inputOverride?: Record<string, readonly (readonly Item[])[]>;
}

export interface Execution {
	readonly id: string;
	readonly status: string;
	readonly data: {
		readonly resultData: {
			readonly error?: { readonly message: string; readonly description?: string };
			readonly runData: Record<string, readonly NodeRun[]>;
		};
	};
}

export interface Credential {
	readonly name: string;
	readonly type: string;
	readonly data: Record<string, unknown>;
}

export interface Owner {
	readonly email: string;
	readonly password: string;
	readonly firstName: string;
	readonly lastName: string;
}

/** A session is bound to the browser that signed in. */
export interface Session {
	readonly baseUrl: string;
	readonly browserId: string;
	readonly cookie: string;
}

/** What a visitor of a chat sends beside the words. */
export interface ChatMore {
	/** Names one conversation; absent for a new one. */
	readonly sessionId?: string;
	readonly files?: readonly { readonly name: string; readonly type: string; readonly content: string }[];
}

export interface ChatReply {
	readonly status: number;
	readonly text: string;
}

const unfinished = ['new', 'running'];
const publishMs = 30_000;

async function bodyOf(response: Response): Promise<unknown> {
	const text = await response.text();
	if (!response.ok) throw new Error(`n8n answered ${response.status} to ${response.url}: ${text.slice(0, 800)}`);
	return text === '' ? undefined : (JSON.parse(text).data ?? JSON.parse(text));
}

const sessionCookie = (response: Response): string | undefined =>
	response.headers
		.getSetCookie()
		.map((line) => line.split(';')[0] ?? '')
		.find((pair) => pair.startsWith('n8n-auth='));

/** Makes the first account of a new n8n and signs in as it. */
export async function createOwner(baseUrl: string, owner: Owner): Promise<Session> {
	const browserId = crypto.randomUUID();
	const response = await fetch(`${baseUrl}/rest/owner/setup`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'browser-id': browserId },
		body: JSON.stringify(owner),
	});
	await bodyOf(response);
	const cookie = sessionCookie(response);
	if (cookie === undefined) throw new Error('n8n gave no session to the new owner');
	return { baseUrl, browserId, cookie };
}

export class N8nClient {
	readonly session: Session;
	readonly #pushRef = crypto.randomUUID();

	constructor(session: Session) {
		this.session = session;
	}

	async #call(method: string, path: string, body?: unknown): Promise<unknown> {
		const { baseUrl, browserId, cookie } = this.session;
		const headers = { 'content-type': 'application/json', 'browser-id': browserId, 'push-ref': this.#pushRef, cookie };
		const text = body === undefined ? null : JSON.stringify(body);
		return await bodyOf(await fetch(`${baseUrl}${path}`, { method, headers, body: text }));
	}

	async createCredential(credential: Credential): Promise<{ id: string; name: string }> {
		return (await this.#call('POST', '/rest/credentials', credential)) as { id: string; name: string };
	}

	async createWorkflow(workflow: Workflow): Promise<SavedWorkflow> {
		return (await this.#call('POST', '/rest/workflows', workflow)) as SavedWorkflow;
	}

	async workflowNames(): Promise<string[]> {
		return ((await this.#call('GET', '/rest/workflows')) as Workflow[]).map(({ name }) => name);
	}

	async nodeTypes(): Promise<Record<string, unknown>[]> {
		return (await this.#call('GET', '/types/nodes.json')) as Record<string, unknown>[];
	}

	/** n8n answers before the addresses of a published workflow exist, so this waits until they do. */
	async publish({ id, versionId }: SavedWorkflow): Promise<void> {
		await this.#call('POST', `/rest/workflows/${id}/activate`, { versionId });
		const deadline = Date.now() + publishMs;
		for (;;) {
			const { status } = (await this.#call('GET', `/rest/workflows/${id}/publication-status`)) as { status: string };
			if (status === 'published') return;
			if (Date.now() > deadline) throw new Error(`publishing a workflow stopped at "${status}"`);
			await sleep(200);
		}
	}

	/** Starts a workflow by hand at its trigger. */
	async start(workflow: SavedWorkflow, trigger: string): Promise<string> {
		return await this.startWith(workflow, { triggerToStartFrom: { name: trigger } });
	}

	async startWith(workflow: SavedWorkflow, how: object): Promise<string> {
		const body = { workflowData: workflow, ...how };
		const answer = await this.#call('POST', `/rest/workflows/${workflow.id}/run`, body);
		return (answer as { executionId: string }).executionId;
	}

	async stop(executionId: string): Promise<void> {
		await this.#call('POST', `/rest/executions/${executionId}/stop`);
	}

	async execution(id: string): Promise<Execution> {
		const raw = (await this.#call('GET', `/rest/executions/${id}`)) as Execution & { data: string };
		return { ...raw, data: parseFlatted(raw.data) as Execution['data'] };
	}

	/** The execution once it is over or waits for a person. */
	async settled(id: string, passed: readonly string[] = unfinished): Promise<Execution> {
		for (;;) {
			const execution = await this.execution(id);
			if (!passed.includes(execution.status)) return execution;
			await sleep(100);
		}
	}

	async newestExecution(workflowId: string): Promise<Execution> {
		const filter = encodeURIComponent(JSON.stringify({ workflowId }));
		const { results } = (await this.#call('GET', `/rest/executions?filter=${filter}`)) as { results: { id: string }[] };
		const [newest] = results;
		if (newest === undefined) throw new Error('the workflow has not been executed');
		return await this.settled(newest.id);
	}

	/** Says something to a published chat, as a visitor of its public address does. */
	async chat(webhookId: string, chatInput: string, { sessionId, files = [] }: ChatMore = {}): Promise<ChatReply> {
		const fields = { action: 'sendMessage', sessionId: sessionId ?? crypto.randomUUID(), chatInput };
		const url = `${this.session.baseUrl}/webhook/${webhookId}/chat`;
		const response = await fetch(url, {
			method: 'POST',
			...(files.length > 0 ? formOf(fields, files) : jsonOf(fields)),
		});
		return { status: response.status, text: await response.text() };
	}
}

const jsonOf = (fields: object) => ({
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(fields),
});

function formOf(fields: Record<string, string>, files: NonNullable<ChatMore['files']>) {
	const body = new FormData();
	for (const [name, value] of Object.entries(fields)) body.append(name, value);
	for (const { name, type, content } of files) body.append('files', new Blob([content], { type }), name);
	return { body };
}

/** A model that says what a test tells it to, and remembers what it was offered and told. */
import {
	type ChatRequest,
	type ModelServer,
	type OfferedTool,
	type Reply,
	serveModel,
	textOf,
} from '../../../scripts/n8n/model-server.ts';

export type Step = Reply | ((offered: readonly OfferedTool[]) => Reply);

export interface ScriptedModel extends ModelServer {
	/** Forgets earlier requests. After the last step the model repeats what the tools answered. */
	play(...steps: Step[]): void;
	readonly requests: readonly ChatRequest[];
	/** The tools of the first request. */
	offered(): readonly OfferedTool[];
	/** What the tools answered, as the model read it. */
	toolTexts(): string[];
}

const toolName = 'Secure_Code_Tool';

/** A call of our tool. A text is sent as it is, so that a call can be a bare string or broken. */
export const call = (args: object | string): Reply => ({
	calls: [{ name: toolName, arguments: typeof args === 'string' ? args : JSON.stringify(args) }],
});

export const calls = (...all: object[]): Reply => ({
	calls: all.map((args) => ({ name: toolName, arguments: JSON.stringify(args) })),
});

const offeredIn = (request: ChatRequest | undefined): readonly OfferedTool[] =>
	(request?.tools ?? []).map((tool) => tool.function);

const toolTextsIn = (request: ChatRequest | undefined): string[] =>
	(request?.messages ?? []).filter(({ role }) => role === 'tool').map(textOf);

export async function startScriptedModel(): Promise<ScriptedModel> {
	let steps: Step[] = [];
	let requests: ChatRequest[] = [];
	const server = await serveModel((request) => {
		requests.push(request);
		const step = steps[request.messages.filter(({ role }) => role === 'assistant').length];
		if (step === undefined) return { text: toolTextsIn(request).join('\n') };
		return typeof step === 'function' ? step(offeredIn(request)) : step;
	});
	return {
		...server,
		play: (...next) => {
			steps = next;
			requests = [];
		},
		get requests() {
			return requests;
		},
		offered: () => offeredIn(requests[0]),
		toolTexts: () => toolTextsIn(requests.at(-1)),
	};
}

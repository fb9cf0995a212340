/** Speaks OpenAI's chat-completions protocol, whole and streamed; what to answer is decided by its caller. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface ChatMessage {
	readonly role: 'system' | 'user' | 'assistant' | 'tool';
	readonly content?: string | readonly { readonly text?: string }[] | null;
}

export interface OfferedTool {
	readonly name: string;
	readonly description?: string;
	readonly parameters?: Record<string, unknown>;
}

export interface ChatRequest {
	readonly model: string;
	readonly stream?: boolean;
	readonly messages: readonly ChatMessage[];
	readonly tools?: readonly { readonly function: OfferedTool }[];
}

/** `arguments` is sent as it is, so that a test can send what no well-behaved model would. */
export interface ToolUse {
	readonly name: string;
	readonly arguments: string;
}

export type Reply = { readonly text: string } | { readonly calls: readonly ToolUse[] };
export type Decide = (request: ChatRequest) => Reply;

export interface ModelServer {
	/** The base URL that an OpenAI credential takes. */
	readonly url: string;
	close(): Promise<void>;
}

const chunkCharacters = 24;

export const textOf = ({ content }: ChatMessage): string =>
	typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('');

const slices = (text: string): string[] => text.match(new RegExp(`.{1,${chunkCharacters}}`, 'gs')) ?? [];

const toolCallsOf = (reply: Reply) =>
	'calls' in reply
		? reply.calls.map((call, index) => ({ id: `call_${crypto.randomUUID()}`, index, type: 'function', function: call }))
		: undefined;

const finishOf = (reply: Reply) => ('calls' in reply ? 'tool_calls' : 'stop');

const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

const headOf = (request: ChatRequest) => ({
	id: `chat-${crypto.randomUUID()}`,
	created: Math.floor(Date.now() / 1000),
	model: request.model,
});

function wholeAnswer(request: ChatRequest, reply: Reply) {
	const message = {
		role: 'assistant',
		content: 'text' in reply ? reply.text : null,
		tool_calls: toolCallsOf(reply),
	};
	const choices = [{ index: 0, message, finish_reason: finishOf(reply) }];
	return { ...headOf(request), object: 'chat.completion', choices, usage };
}

/** Names come first and arguments in pieces, as real servers send them. */
function deltasOf(reply: Reply): object[] {
	if ('text' in reply) return slices(reply.text).map((content) => ({ content }));
	return (toolCallsOf(reply) ?? []).flatMap((call) => [
		{ tool_calls: [{ ...call, function: { name: call.function.name, arguments: '' } }] },
		...slices(call.function.arguments).map((piece) => ({
			tool_calls: [{ index: call.index, function: { arguments: piece } }],
		})),
	]);
}

function* chunksOf(request: ChatRequest, reply: Reply) {
	const head = { ...headOf(request), object: 'chat.completion.chunk' };
	const chunk = (delta: object, finish_reason: string | null = null) => ({
		...head,
		choices: [{ index: 0, delta, finish_reason }],
	});
	yield chunk({ role: 'assistant', content: '' });
	for (const delta of deltasOf(reply)) yield chunk(delta);
	yield chunk({}, finishOf(reply));
	yield { ...head, choices: [], usage };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
	response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendStream(response: ServerResponse, request: ChatRequest, reply: Reply): void {
	response.writeHead(200, { 'content-type': 'text/event-stream' });
	for (const chunk of chunksOf(request, reply)) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
	response.end('data: [DONE]\n\n');
}

async function answer(incoming: IncomingMessage, response: ServerResponse, decide: Decide): Promise<void> {
	if (incoming.url?.endsWith('/models')) {
		sendJson(response, 200, { object: 'list', data: [{ id: 'stand-in', object: 'model' }] });
		return;
	}
	const request = (await json(incoming)) as ChatRequest;
	const reply = decide(request);
	if (request.stream) sendStream(response, request, reply);
	else sendJson(response, 200, wholeAnswer(request, reply));
}

export async function serveModel(decide: Decide): Promise<ModelServer> {
	const server = createServer((incoming, response) => {
		answer(incoming, response, decide).catch((error) => {
			sendJson(response, 500, { error: { message: error instanceof Error ? error.message : String(error) } });
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

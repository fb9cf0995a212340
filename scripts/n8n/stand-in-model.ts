/** A stand-in for a language model: it writes a small program for the message, calls the tool and reports the answer. */
import { type ChatMessage, type ChatRequest, type Decide, type Reply, textOf } from './model-server.ts';
import { programFor } from './stand-in-program.ts';

const introduction = 'I am a small stand-in, not a language model: I know a few recipes and always use the tool.';
const withoutTool = 'No tool that takes code is connected to me, so I have nothing to answer with.';

interface Answer {
	readonly status?: string;
	readonly stdout?: string;
	readonly stderr?: string;
	readonly problem?: { readonly message: string } | null;
	readonly error?: string;
}

const lastOf = (messages: readonly ChatMessage[], role: ChatMessage['role']): number =>
	messages.findLastIndex((message) => message.role === role);

/** n8n wraps what a tool returns into a list of items. */
function answerOf(message: ChatMessage): Answer {
	try {
		const parsed = JSON.parse(textOf(message));
		return (Array.isArray(parsed) ? parsed[0] : parsed) ?? {};
	} catch {
		return { error: textOf(message) };
	}
}

function wordsFor(answer: Answer): string {
	if (answer.status === 'succeeded') return `The program printed:\n\n${answer.stdout?.trimEnd() || '(nothing)'}`;
	const reason = answer.error ?? answer.problem?.message ?? answer.stderr?.trimEnd() ?? '';
	return `The program did not succeed (${answer.status ?? 'no result'}): ${reason}`;
}

const takesCode = ({ tools = [] }: ChatRequest) =>
	tools.find(({ function: tool }) => Object.hasOwn(tool.parameters?.properties ?? {}, 'code'))?.function;

function callTool(request: ChatRequest): Reply {
	const tool = takesCode(request);
	if (tool === undefined) return { text: `${introduction}\n\n${withoutTool}` };
	const message = request.messages[lastOf(request.messages, 'user')];
	const program = programFor(message === undefined ? '' : textOf(message));
	return { calls: [{ name: tool.name, arguments: JSON.stringify(program) }] };
}

/** A tool's answer that is newer than the person's message is reported; otherwise the tool is called. */
export const standIn: Decide = (request) => {
	const { messages } = request;
	const answered = lastOf(messages, 'tool');
	const result = messages[answered];
	if (result === undefined || answered < lastOf(messages, 'user')) return callTool(request);
	return { text: `${introduction}\n\n${wordsFor(answerOf(result))}` };
};

import { afterEach, describe, expect, test } from 'vitest';
import { type ModelServer, type Reply, serveModel } from '../../../../scripts/n8n/model-server.ts';

let server: ModelServer | undefined;
afterEach(() => server?.close());

async function post(reply: Reply, stream: boolean): Promise<Response> {
	server = await serveModel(() => reply);
	return await fetch(`${server.url}/chat/completions`, {
		method: 'POST',
		body: JSON.stringify({ model: 'm', stream, messages: [] }),
	});
}

/** Puts the pieces of a stream together again, as a client does. */
async function streamed(reply: Reply) {
	const text = await (await post(reply, true)).text();
	const lines = text.split('\n').filter((line) => line.startsWith('data: {'));
	const choices = lines.flatMap((line) => JSON.parse(line.slice('data: '.length)).choices);
	const pieces = choices.flatMap(({ delta }) => delta.tool_calls ?? []);
	return {
		content: choices.map(({ delta }) => delta.content ?? '').join(''),
		names: pieces.flatMap((piece) => (piece.function.name === undefined ? [] : [piece.function.name])),
		arguments: pieces.map((piece) => piece.function.arguments).join(''),
		finish: choices.at(-1).finish_reason,
		isDone: text.endsWith('data: [DONE]\n\n'),
	};
}

const long = 'A sentence that is longer than one chunk,\nwith a second line and an é.';
const call = { name: 'tool', arguments: JSON.stringify({ code: long }) };

describe('The model server', () => {
	test('answers a text as a whole', async () => {
		const { choices } = (await (await post({ text: long }, false)).json()) as { choices: unknown[] };
		expect(choices).toEqual([{ index: 0, message: { role: 'assistant', content: long }, finish_reason: 'stop' }]);
	});

	test('answers tool calls as a whole', async () => {
		const { choices } = (await (await post({ calls: [call] }, false)).json()) as { choices: unknown[] };
		const tool_calls = [{ id: expect.stringMatching(/^call_/), index: 0, type: 'function', function: call }];
		const message = { role: 'assistant', content: null, tool_calls };
		expect(choices).toEqual([{ index: 0, message, finish_reason: 'tool_calls' }]);
	});

	test('streams a text in pieces', async () => {
		expect(await streamed({ text: long })).toEqual({
			content: long,
			names: [],
			arguments: '',
			finish: 'stop',
			isDone: true,
		});
	});

	test('streams tool calls with their arguments in pieces', async () => {
		expect(await streamed({ calls: [call] })).toEqual({
			content: '',
			names: ['tool'],
			arguments: call.arguments,
			finish: 'tool_calls',
			isDone: true,
		});
	});
});

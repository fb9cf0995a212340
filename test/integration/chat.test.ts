/** Published chats whose agent has our tool, answered as a whole and as a stream. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, openBench } from './helpers/bench.ts';
import { programs, toolResults } from './helpers/results.ts';
import { call } from './helpers/scripted-model.ts';
import { chatAgent } from './helpers/workflows.ts';

let bench: Bench;
beforeAll(async () => {
	bench = await openBench();
});
afterAll(() => bench.close());

async function say(message: string, streaming: boolean) {
	const webhookId = crypto.randomUUID();
	const workflow = await bench.client.createWorkflow(chatAgent(webhookId, { credential: bench.credential, streaming }));
	await bench.client.publish(workflow);
	const reply = await bench.client.chat(webhookId, message);
	return { reply, execution: await bench.client.newestExecution(workflow.id) };
}

/** A stream is one JSON object in each line; the agent's words are in its items. */
const streamedText = (text: string): string =>
	text
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line))
		.filter(({ type, metadata }) => type === 'item' && metadata.nodeName === 'Agent')
		.map(({ content }) => content)
		.join('');

test.each(programs)('A chat is answered after the agent ran $language', async ({ code, result }) => {
	bench.model.play(call({ code }), { text: 'The program has the answer.' });
	const { reply, execution } = await say('go', false);
	expect([reply.status, JSON.parse(reply.text)]).toEqual([200, { output: 'The program has the answer.' }]);
	expect(toolResults(execution)).toEqual([result]);
});

test.each(programs)('A streaming chat is answered after the agent ran $language', async ({ code, result }) => {
	bench.model.play(call({ code }), { text: 'The program has the answer, and it arrives in pieces.' });
	const { reply, execution } = await say('go', true);
	expect(streamedText(reply.text)).toBe('The program has the answer, and it arrives in pieces.');
	expect(toolResults(execution)).toEqual([result]);
});

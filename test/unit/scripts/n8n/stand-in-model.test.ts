import { describe, expect, test } from 'vitest';
import type { ChatMessage } from '../../../../scripts/n8n/model-server.ts';
import { standIn } from '../../../../scripts/n8n/stand-in-model.ts';

const introduction = 'I am a small stand-in, not a language model: I know a few recipes and always use the tool.';
const question: ChatMessage = { role: 'user', content: 'What is the square root of 256?' };
const codeTool = { function: { name: 'Secure_Code_Tool', parameters: { properties: { code: {} } } } };
const otherTool = { function: { name: 'calculator', parameters: { properties: { input: {} } } } };
const answered = (content: string): ChatMessage[] => [question, { role: 'assistant' }, { role: 'tool', content }];

const ask = (messages: ChatMessage[], tools = [otherTool, codeTool]) => standIn({ model: 'stand-in', messages, tools });

describe('The stand-in model', () => {
	test('calls the tool that takes code with a program for the question', () => {
		const program = { language: 'python', code: 'import math\nprint(math.sqrt(256))\n' };
		expect(ask([question])).toEqual({ calls: [{ name: 'Secure_Code_Tool', arguments: JSON.stringify(program) }] });
	});

	test('answers with what the program printed, and says what it is', () => {
		expect(ask(answered('[{"status":"succeeded","stdout":"16.0\\n"}]'))).toEqual({
			text: `${introduction}\n\nThe program printed:\n\n16.0`,
		});
	});

	test.each([
		['[{"status":"failed","stdout":"","stderr":"boom\\n","problem":null}]', '(failed): boom'],
		['{"status":"timed_out","problem":{"message":"Killed at 1 s."}}', '(timed_out): Killed at 1 s.'],
		['[{"error":"no sandbox"}]', '(no result): no sandbox'],
		['not JSON', '(no result): not JSON'],
	])('tells how a program did not succeed: %s', (content, ending) => {
		expect(ask(answered(content))).toEqual({ text: `${introduction}\n\nThe program did not succeed ${ending}` });
	});

	test('calls the tool again for a second question', () => {
		const reply = ask([...answered('[{"status":"succeeded","stdout":"16.0"}]'), { role: 'user', content: '1 + 2' }]);
		expect(reply).toEqual({
			calls: [{ name: 'Secure_Code_Tool', arguments: JSON.stringify({ language: 'python', code: 'print(1 + 2)\n' }) }],
		});
	});

	test('says that it has no tool when none takes code', () => {
		expect(ask([question], [otherTool])).toEqual({
			text: `${introduction}\n\nNo tool that takes code is connected to me, so I have nothing to answer with.`,
		});
	});
});

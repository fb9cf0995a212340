import { describe, expect, it } from 'vitest';
import { normaliseCall, parseCall, readModelArguments } from '../../../../nodes/SecureCode/model-arguments.ts';
import { toolParameters } from '../../../../nodes/SecureCode/parameters.ts';
import { limits } from '../../../../src/contract/limits.ts';
import { fakeContext } from '../../../helpers/n8n.ts';

const read = (args: object): unknown =>
	readModelArguments(fakeContext({ args, properties: toolParameters }).context, 0);

describe('readModelArguments', () => {
	it('reads what the model passed and nothing that lies in the item of the agent', () => {
		expect(read({ code: 'print(1)', language: 'python' })).toEqual({ code: 'print(1)', language: 'python' });
	});

	it('leaves out what engines and gates add to the arguments', () => {
		expect(read({ code: 'print(1)', tool: 'My_Tool', toolCallId: 'call_1' })).toEqual({ code: 'print(1)' });
	});

	it('joins a bare string that the agent has spread over the item, emoji included', () => {
		expect(read({ ...'print("👍 ñ")'.split('') })).toBe('print("👍 ñ")');
	});

	it('stops joining one unit past the longest program, which is refused for its length', () => {
		const fromAi = () => 'x';
		const context = {
			getWorkflowDataProxy: () => ({ $fromAI: (name: string) => (/^\d+$/.test(name) ? fromAi() : undefined) }),
		};
		expect(readModelArguments(context as never, 0)).toHaveLength(limits.codeCharacters.ceiling + 1);
	});
});

describe('normaliseCall', () => {
	it.each([
		['a bare string', 'print(1)', { code: 'print(1)' }],
		['"input" as another name for code', { input: 'print(1)' }, { code: 'print(1)' }],
		['"query" as another name for code', { query: 'print(1)' }, { code: 'print(1)' }],
		['code before its other names', { input: 'b', code: 'a', query: 'c' }, { code: 'a' }],
		['empty fields of the test form', { code: 'a', language: '', maxTime: null, session: '' }, { code: 'a' }],
		[
			'numbers written as text',
			{ code: 'a', maxTime: '7', maxMemory: ' 64 ' },
			{ code: 'a', maxTime: 7, maxMemory: 64 },
		],
		[
			'lists written as JSON text',
			{ code: 'a', files: '[]', credentials: '[{"x":1}]' },
			{ code: 'a', files: [], credentials: [{ x: 1 }] },
		],
		[
			'one credential that is no list',
			{ code: 'a', credentials: '{"name":"K"}' },
			{ code: 'a', credentials: [{ name: 'K' }] },
		],
		['a file that is named alone', { code: 'a', files: 'sales.csv' }, { code: 'a', files: ['sales.csv'] }],
		['other spellings of a language', { code: 'a', language: ' JS ' }, { code: 'a', language: 'javascript' }],
		[
			'what it does not understand',
			{ code: 1, language: 'ruby', maxTime: 'soon' },
			{ code: 1, language: 'ruby', maxTime: 'soon' },
		],
		['something that is no call', [1], [1]],
	])('takes %s', (_what, raw, call) => {
		expect(normaliseCall(raw)).toEqual(call);
	});

	it('changes nothing when it is applied again', () => {
		const once = normaliseCall({ input: 'a', maxTime: '7', files: '[]' });
		expect(normaliseCall(once)).toEqual(once);
	});
});

const invalid = (details: string) => ({
	problem: {
		code: 'JOB_INVALID',
		message: `Nothing was run, because the arguments do not fit: ${details}.`,
		next: 'Correct the arguments and call again; "code" (a string with the whole program) is the only one that is required.',
	},
});

describe('parseCall', () => {
	it('takes a call with every argument', () => {
		const call = { code: 'print(1)', language: 'python', maxTime: 10, maxMemory: 64 };
		expect(parseCall(call)).toEqual({ call });
	});

	it('takes the empty lists that a model adds to be polite', () => {
		expect(parseCall({ code: 'a', credentials: [], files: '[]', session: null })).toMatchObject({
			call: { code: 'a' },
		});
	});

	it.each([
		['no arguments', {}, '"code" is missing; it must be a text with the whole program'],
		['an empty program', { code: '' }, '"code" is missing; it must be a text with the whole program'],
		['a number as code', { code: 7 }, '"code" must be a text with the whole program, not the number 7'],
		['a list as code', { code: ['a'] }, '"code" must be a text with the whole program, not a list'],
		['an object as code', { code: { a: 1 } }, '"code" must be a text with the whole program, not an object'],
		[
			'an unknown language',
			{ code: 'a', language: 'ruby' },
			'"language" must be "python", "javascript", "bash" or "auto", not the text "ruby"',
		],
		[
			'a language that is a word of every object',
			{ code: 'a', language: 'constructor' },
			'"language" must be "python", "javascript", "bash" or "auto", not the text "constructor"',
		],
		[
			'words as time',
			{ code: 'a', maxTime: '10 s' },
			'"maxTime" must be a positive number of seconds, not the text "10 s"',
		],
		['no time at all', { code: 'a', maxTime: 0 }, '"maxTime" must be a positive number of seconds, not the number 0'],
		[
			'negative memory',
			{ code: 'a', maxMemory: -1 },
			'"maxMemory" must be a positive number of megabytes, not the number -1',
		],
		[
			'words as credentials',
			{ code: 'a', credentials: 'the key' },
			'"credentials" must be a list of objects with the "name" of a secret',
		],
		['a list as the whole call', [1], 'a call is a text with the program or an object with "code", not a list'],
		['nothing as the whole call', null, 'a call is a text with the program or an object with "code", not an object'],
	])('answers %s with the exact field and what is expected', (_what, raw, details) => {
		expect(parseCall(raw)).toEqual(invalid(details));
	});

	it('names every fault at once', () => {
		expect(parseCall({ language: 'ruby', maxTime: true })).toEqual(
			invalid(
				'"code" is missing; it must be a text with the whole program; ' +
					'"language" must be "python", "javascript", "bash" or "auto", not the text "ruby"; ' +
					'"maxTime" must be a positive number of seconds, not the boolean true',
			),
		);
	});

	it.each([['session', 'abc', 'whether there is a session, and which, is decided for you']])(
		'says that %s cannot be used yet instead of ignoring it',
		(field, value, details) => {
			expect(parseCall({ code: 'a', [field]: value })).toEqual({
				problem: {
					code: 'JOB_UNSUPPORTED',
					message: `Nothing was run, because "${field}" cannot be used here: ${details}.`,
					next: `Call again without "${field}".`,
				},
			});
		},
	);
});

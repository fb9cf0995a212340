/** An AI Agent in a real n8n, with a scripted model and our tool. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, openBench } from './helpers/bench.ts';
import { programs, ranWith, refusedWith, runsOf, toolResults } from './helpers/results.ts';
import { call, calls } from './helpers/scripted-model.ts';
import { toolNode } from './helpers/workflows.ts';

let bench: Bench;
beforeAll(async () => {
	bench = await openBench();
});
afterAll(() => bench.close());

/** Agent 3 asks the engine to run the node, and the model reads a list; Agent 2 calls the tool object itself. */
const agents = [
	{ version: 3.1, read: (text: string) => JSON.parse(text)[0] },
	{ version: 2.2, read: (text: string) => JSON.parse(text) },
];

const offeredParameters = {
	$schema: 'http://json-schema.org/draft-07/schema#',
	type: 'object',
	properties: {
		code: {
			type: 'string',
			minLength: 1,
			maxLength: 50_000,
			description: 'The whole program. Print what you want to see.',
		},
		files: {
			type: 'array',
			description: 'Files that the program finds in /work/in.',
			items: {
				type: 'object',
				properties: {
					name: {
						type: 'string',
						description: 'Name of a file from the description of this tool, or of one that you write.',
					},
					content: { type: 'string', description: 'Text of a file that you write.' },
				},
				required: ['name'],
				additionalProperties: false,
			},
		},
		language: {
			type: 'string',
			enum: ['auto', 'python', 'javascript', 'bash'],
			description: 'The language of the code; recognised when left out.',
		},
		maxTime: {
			type: 'number',
			minimum: 1,
			maximum: 30,
			description: 'Stop the program after this many seconds.',
		},
		maxMemory: {
			type: 'number',
			minimum: 16,
			maximum: 128,
			description: 'Stop the program when it needs more than this many MB.',
		},
	},
	required: ['code'],
	additionalProperties: false,
};

describe.each(agents)('An AI Agent of version $version', ({ version, read }) => {
	test.each(programs)('runs $language and reads what it printed', async ({ language, code, result }) => {
		const execution = await bench.ask([call({ code, language })], { version });
		expect(execution.status).toBe('success');
		expect(bench.model.toolTexts().map(read)).toEqual([result]);
		expect(toolResults(execution)).toEqual([result]);
	});

	test.each(programs)('need not say that a program is $language', async ({ code, result }) => {
		await bench.ask([call({ code })], { version });
		expect(bench.model.toolTexts().map(read)).toEqual([result]);
	});

	test('offers the model one schema, in which only the code is required', async () => {
		await bench.ask([], { version, tool: { toolDescription: 'Runs programs.' } });
		expect(bench.model.offered()).toEqual([
			{
				name: 'Secure_Code_Tool',
				description:
					'Runs programs.\n\nLimits: 30 s, 128 MB of memory, 50000 characters of code. Network: none. Modules: those that are installed; nothing can be installed. Each call starts fresh; nothing is kept from earlier calls. Each file of the answer has a "link": show it to the user as ![name](link) if it is a picture, else as [name](link).',
				parameters: offeredParameters,
				strict: false,
			},
		]);
	});

	test('takes a call that is the bare text of a program', async () => {
		const code = "print('Hello World 😀')";
		await bench.ask([call(JSON.stringify(code))], { version });
		expect(bench.model.toolTexts().map(read)).toEqual([ranWith({ stdout: 'Hello World 😀\n' })]);
	});

	test('gets a failing program back as data, and goes on', async () => {
		const code = 'import sys\nprint("half way")\nsys.exit("no more data")';
		const execution = await bench.ask([call({ code })], { version });
		expect(execution.status).toBe('success');
		expect(bench.model.toolTexts().map(read)).toEqual([
			ranWith({ status: 'failed', exitCode: 1, stdout: 'half way\n', stderr: 'no more data\n' }),
		]);
		expect(runsOf(execution, toolNode).map((run) => run.executionStatus)).toEqual(['success']);
	});

	test('can repair arguments of the wrong kind, because they come back as a result', async () => {
		const wrong = { code: 42, language: 'cobol', maxTime: 'soon' };
		const execution = await bench.ask([call(wrong), call({ code: 'print(1 + 1)' })], { version });
		expect(execution.status).toBe('success');
		expect(bench.model.toolTexts().map(read)).toEqual([
			refusedWith({
				code: 'JOB_INVALID',
				message:
					'Nothing was run, because the arguments do not fit: "code" must be a text with the whole program, not the number 42; "language" must be "python", "javascript", "bash" or "auto", not the text "cobol"; "maxTime" must be a positive number of seconds, not the text "soon".',
				next: 'Correct the arguments and call again; "code" (a string with the whole program) is the only one that is required.',
			}),
			ranWith({ stdout: '2\n' }),
		]);
	});

	test('reads the program of the model, not a field of the same name in the incoming item', async () => {
		await bench.ask([call({ code: 'print("from the model")' })], {
			version,
			item: { code: 'print("from the item")', language: 'bash' },
		});
		expect(bench.model.toolTexts().map(read)).toEqual([ranWith({ stdout: 'from the model\n' })]);
	});

	test('may make several calls in one turn, each with its own answer', async () => {
		await bench.ask([calls({ code: 'print("one")' }, { code: 'echo two', language: 'bash' })], { version });
		expect(bench.model.toolTexts().map(read)).toEqual([
			ranWith({ stdout: 'one\n' }),
			ranWith({ language: 'bash', stdout: 'two\n' }),
		]);
	});

	test('cannot ask for more time than the author of the workflow allows', async () => {
		const code = 'import time\ntime.sleep(30)';
		await bench.ask([call({ code, maxTime: 300 })], { version, tool: { timeout: 1 } });
		expect(bench.model.toolTexts().map(read)).toEqual([
			ranWith({
				status: 'timed_out',
				exitCode: null,
				signal: 'SIGKILL',
				problem: {
					code: 'LIMIT_TIME',
					message: 'The program was killed at its time limit of 1 s; all its processes are gone.',
					next: 'Make it faster, work on less data, or ask for more time with "maxTime" if the tool allows it.',
				},
			}),
		]);
	});
});

test('A switch that guards the sandbox cannot be an expression, which a model could steer', async () => {
	const execution = await bench.ask([call({ code: 'print(1)', network: 'full' })], {
		tool: { network: "={{ $fromAI('network') }}" },
	});
	expect(execution.status).toBe('error');
	expect(execution.data.resultData.error).toMatchObject({
		message: 'Error in sub-node Secure Code Tool',
		description: '"network" must be a fixed value, not an expression',
	});
	expect(bench.model.requests).toEqual([]);
});

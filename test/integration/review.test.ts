/** Our tool behind a human-review gate: n8n wraps the schema, waits for a person, then runs the tool with the arguments. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Bench, openBench } from './helpers/bench.ts';
import { programs, toolResults } from './helpers/results.ts';
import type { Step } from './helpers/scripted-model.ts';
import { manualAgent, node } from './helpers/workflows.ts';

let bench: Bench;
beforeAll(async () => {
	bench = await openBench();
});
afterAll(() => bench.close());

const gate = () =>
	node('Gate', 'n8n-nodes-review-gate.reviewGateHitlTool', 1, { message: '={{ JSON.stringify($tool.parameters) }}' });

/** Calls the one tool that the gate offers in place of ours. */
const callThroughGate =
	(args: object): Step =>
	([offered]) => ({
		calls: [{ name: offered?.name ?? '', arguments: JSON.stringify({ toolParameters: args, hitlParameters: {} }) }],
	});

interface Question {
	readonly message: string;
	readonly approve: string;
	readonly deny: string;
}

/** Runs the workflow to the gate and opens one of its links. */
async function decide(args: object, decision: 'approve' | 'deny') {
	bench.model.play(callThroughGate(args));
	const workflow = await bench.client.createWorkflow(manualAgent({ credential: bench.credential, gate: gate() }));
	const id = await bench.client.start(workflow, 'Start');
	const waiting = await bench.client.settled(id);
	const question: Question = JSON.parse(readFileSync(join(inject('userFolder'), `review-${id}.json`), 'utf8'));
	await fetch(question[decision].replace('//localhost:', '//127.0.0.1:'));
	const execution = await bench.client.settled(id, ['new', 'running', 'waiting']);
	return { waiting, question, execution };
}

test.each(programs)(
	'Approved $language runs with the arguments that the person saw',
	async ({ code, language, result }) => {
		const { waiting, question, execution } = await decide({ code, language }, 'approve');
		expect([waiting.status, toolResults(waiting)]).toEqual(['waiting', []]);
		expect(JSON.parse(question.message)).toEqual({ code, language });
		expect(execution.status).toBe('success');
		expect(toolResults(execution)).toEqual([result]);
	},
);

test('A refused program never runs, and the model is told', async () => {
	const { execution } = await decide({ code: 'print("never")' }, 'deny');
	expect(toolResults(execution)).toEqual([]);
	expect(bench.model.toolTexts().join('\n')).toMatch(/rejected/);
});

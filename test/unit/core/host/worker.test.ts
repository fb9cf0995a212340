import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AnsweringThread } from '../../../../src/core/host/worker.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

/** A thread that runs `reaction` for every question. */
function threadThat(reaction: string, timeoutMs = 10_000): AnsweringThread {
	const file = join(tempFolder(), 'thread.cjs');
	writeFileSync(
		file,
		`const { parentPort } = require('node:worker_threads'); parentPort.on('message', ({ id, n }) => { ${reaction} });`,
	);
	return new AnsweringThread(file, timeoutMs);
}

describe('a thread that answers', () => {
	it('gives every question its own answer, whatever the order', async () => {
		const thread = threadThat('setTimeout(() => parentPort.postMessage({ id, answer: n * n }), 20 - 5 * n)');
		const answers = await Promise.all([1, 2, 3].map((n) => thread.ask<number>({ n })));
		expect(answers).toEqual([1, 4, 9]);
	});

	it('leaves nobody without an answer when it crashes, and starts again', async () => {
		const thread = threadThat("if (n === 1) throw new Error('crashed'); parentPort.postMessage({ id, answer: n })");
		await expect(thread.ask({ n: 1 })).rejects.toThrow('crashed');
		expect(await thread.ask({ n: 2 })).toBe(2);
	});

	it('asks those behind a question that it did not answer of the next thread', async () => {
		const thread = threadThat(
			"if (n === 1) for (;;); if (n === 2) throw new Error('crashed'); if (n === 3) process.exit(); parentPort.postMessage({ id, answer: n })",
			1_500,
		);
		const answers = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => thread.ask({ n })));
		expect(answers.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message))).toEqual([
			'the thread did not answer in time',
			'crashed',
			'the thread ended',
			4,
			5,
		]);
	});

	it('counts the time for each question, not for those before it', async () => {
		const thread = threadThat('setTimeout(() => parentPort.postMessage({ id, answer: n }), 700)', 2_000);
		expect(await Promise.all([1, 2, 3, 4].map((n) => thread.ask({ n })))).toEqual([1, 2, 3, 4]);
	});

	it('ends a thread that takes too much memory, and no more than that', async () => {
		const thread = threadThat(
			'const kept = []; while (n === 1) kept.push(new Array(1_000_000).fill(n)); parentPort.postMessage({ id, answer: n })',
		);
		await expect(thread.ask({ n: 1 })).rejects.toThrow('memory limit');
		expect(await thread.ask({ n: 2 })).toBe(2);
	});

	it('is replaced when it is silent for too long', async () => {
		const thread = threadThat('if (n === 1) for (;;); parentPort.postMessage({ id, answer: n })', 1_500);
		await expect(thread.ask({ n: 1 })).rejects.toThrow('did not answer in time');
		expect(await thread.ask({ n: 2 })).toBe(2);
	});
});

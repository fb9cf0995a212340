import { expect, test } from 'vitest';
import { pressureNotice } from '../../../../../../src/core/sandbox/backends/nsjail/pressure.ts';
import { warmStep } from '../../../../../../src/core/sandbox/backends/nsjail/warm-step.ts';

test('a shortage of memory is told once, however often it comes', () => {
	const answers = [false, true, true, false, true];
	const said: string[] = [];
	const isPressed = pressureNotice(
		() => answers.shift() ?? false,
		(text, { code }) => said.push(`${code}: ${text}`),
	);
	expect([1, 2, 3, 4, 5].map(isPressed)).toEqual([false, true, true, false, true]);
	expect(said).toEqual([
		'SECURE_CODE_SHORT_OF_MEMORY: the machine, or the container, is short of memory: no box waits, and jobs start cold',
	]);
});

test('a shortage of memory is what the doctor says of warm starts, and nothing is started to try them', async () => {
	const nowhere = {} as Parameters<typeof warmStep>[0];
	expect(await warmStep(nowhere, { budgetBytes: 1, calmBytes: 1 }, () => true)).toEqual({
		name: 'warm starts',
		status: 'reduced',
		detail: 'the machine, or the container, is short of memory: no box waits, and jobs start cold',
		fix: 'Give it more memory.',
	});
});

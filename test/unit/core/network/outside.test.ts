import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Outside } from '../../../../src/core/network/outside.ts';
import { networkRules } from '../../../../src/core/network/rules.ts';

/** Names are asked of a server that answers when it is told to. */
const asked: string[] = [];
const answering: (() => void)[] = [];
vi.mock('node:dns/promises', () => ({
	lookup: (name: string) => {
		asked.push(name);
		return new Promise((resolve) => answering.push(() => resolve([])));
	},
}));

const answerAll = async (): Promise<void> => {
	while (answering.length > 0) {
		answering.shift()?.();
		await sleep(1);
	}
};

afterEach(async () => {
	await answerAll();
	asked.length = 0;
});

function job(...names: string[]) {
	const outside = new Outside(networkRules(names), () => {});
	const ends = names.map((name) => outside.connect(name, 80).catch((error: Error) => error.message));
	return { outside, ends: Promise.all(ends) };
}

describe('names that are slow to be looked up', () => {
	it('hold one thread of this process, whatever jobs ask, and jobs take turns', async () => {
		const slow = job('1.slow.example', '2.slow.example', '3.slow.example');
		const other = job('other.example');
		await sleep(5);
		expect(asked).toEqual(['1.slow.example']);
		await answerAll();
		expect(asked).toEqual(['1.slow.example', '2.slow.example', 'other.example', '3.slow.example']);
		expect([...(await slow.ends), ...(await other.ends)]).toEqual(Array(4).fill('the name leads nowhere'));
	});

	it('are not looked up for a job that has ended', async () => {
		const slow = job('1.slow.example', '2.slow.example', '3.slow.example');
		await sleep(5);
		slow.outside.close();
		await answerAll();
		expect(asked).toEqual(['1.slow.example']);
		expect(await slow.ends).toHaveLength(3);
	});
});

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { watchMemory } from '../../../../src/core/host/memory-watch.ts';

async function looksIn(ms: number, costMs: number): Promise<number> {
	let looks = 0;
	const stop = watchMemory(() => {
		looks++;
		for (const since = performance.now(); performance.now() - since < costMs; );
	});
	await sleep(ms);
	stop();
	const before = looks;
	await sleep(100);
	expect(looks).toBe(before);
	return looks;
}

describe('a watch over memory', () => {
	it('looks many times a second where that costs nothing, until it is stopped', async () => {
		expect(await looksIn(1_000, 0)).toBeGreaterThan(10);
	});

	it('takes no more than a tenth of the time where a look is dear', async () => {
		expect(await looksIn(1_000, 50)).toBeLessThanOrEqual(3);
	});

	it('can be stopped by what it sees', async () => {
		let looks = 0;
		const stop = watchMemory(() => {
			looks++;
			stop();
		});
		await sleep(200);
		expect(looks).toBe(1);
	});
});

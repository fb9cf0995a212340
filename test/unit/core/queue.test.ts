import { describe, expect, it } from 'vitest';
import { FairQueue, type Turn } from '../../../src/core/queue.ts';

type Granted = Extract<Turn, { granted: true }>;

async function enter(queue: FairQueue, key: string, signal?: AbortSignal): Promise<Granted> {
	const turn = await queue.enter(key, signal);
	if (!turn.granted) throw new Error(`no turn: ${turn.reason}`);
	return turn;
}

/** Lets jobs in one after the other, each leaving before the next, and notes in which order they came. */
async function orderOf(queue: FairQueue, keys: readonly string[]): Promise<string[]> {
	const order: string[] = [];
	const holder = await enter(queue, 'holder');
	const jobs = keys.map(async (key) => {
		const turn = await enter(queue, key);
		order.push(key);
		turn.release();
	});
	holder.release();
	await Promise.all(jobs);
	return order;
}

describe('FairQueue', () => {
	it('lets as many jobs in as it has slots, without waiting', async () => {
		const queue = new FairQueue(2, 10);
		const turns = await Promise.all([queue.enter('a'), queue.enter('a')]);
		expect(turns).toEqual([
			{ granted: true, waitedMs: 0, release: expect.any(Function) },
			{ granted: true, waitedMs: 0, release: expect.any(Function) },
		]);
	});

	it('says how many more could come', async () => {
		const queue = new FairQueue(1, 2);
		const rooms = [queue.room];
		const turn = await enter(queue, 'a');
		rooms.push(queue.room);
		const waiting = [queue.enter('a'), queue.enter('b')];
		rooms.push(queue.room);
		turn.release();
		rooms.push(queue.room);
		queue.pause();
		rooms.push(queue.room);
		expect(rooms).toEqual([3, 2, 0, 1, 1]);
		await waiting[0];
	});

	it('takes turns between keys, so that one busy workflow starves nobody', async () => {
		const queue = new FairQueue(1, 10);
		expect(await orderOf(queue, ['a1', 'a1', 'a1', 'b', 'c', 'b'])).toEqual(['a1', 'b', 'c', 'a1', 'b', 'a1']);
	});

	it('is first come, first served within a key', async () => {
		const queue = new FairQueue(1, 10);
		const holder = await enter(queue, 'a');
		const order: number[] = [];
		const jobs = [1, 2, 3].map(async (number) => {
			const turn = await enter(queue, 'a');
			order.push(number);
			turn.release();
		});
		holder.release();
		await Promise.all(jobs);
		expect(order).toEqual([1, 2, 3]);
	});

	it('turns a job away when too many are waiting', async () => {
		const queue = new FairQueue(1, 1);
		const holder = await enter(queue, 'a');
		const waiting = enter(queue, 'a');
		expect(await queue.enter('b')).toEqual({ granted: false, reason: 'full', waiting: 1 });
		holder.release();
		(await waiting).release();
		expect(await queue.enter('b')).toMatchObject({ granted: true });
	});

	it('says how long a job has waited', async () => {
		const queue = new FairQueue(1, 1);
		const holder = await enter(queue, 'a');
		const waiting = enter(queue, 'a');
		const since = performance.now();
		await new Promise((resolve) => setTimeout(resolve, 20));
		holder.release();
		const { waitedMs } = await waiting;
		expect(waitedMs).toBeGreaterThanOrEqual(19);
		expect(waitedMs).toBeLessThanOrEqual(performance.now() - since + 1);
	});

	it('lets a job leave the line, and the others keep their places', async () => {
		const queue = new FairQueue(1, 10);
		const holder = await enter(queue, 'a');
		const leaving = new AbortController();
		const first = queue.enter('a', leaving.signal);
		const second = queue.enter('a');
		leaving.abort();
		expect(await first).toEqual({ granted: false, reason: 'cancelled', waiting: 1 });
		holder.release();
		expect(await second).toMatchObject({ granted: true });
	});

	it('forgets a job that left, so that its place in the queue is free again', async () => {
		const queue = new FairQueue(1, 1);
		const holder = await enter(queue, 'a');
		const leaving = new AbortController();
		const first = queue.enter('a', leaving.signal);
		leaving.abort();
		await first;
		const second = queue.enter('b');
		holder.release();
		expect(await second).toMatchObject({ granted: true });
	});

	it('does not let a job in that was cancelled before it came', async () => {
		const queue = new FairQueue(1, 1);
		expect(await queue.enter('a', AbortSignal.abort())).toEqual({ granted: false, reason: 'cancelled', waiting: 0 });
		expect(await queue.enter('a')).toMatchObject({ granted: true });
	});

	it('takes no notice of a cancellation once the turn was granted', async () => {
		const queue = new FairQueue(1, 1);
		const holder = await enter(queue, 'a');
		const controller = new AbortController();
		const waiting = queue.enter('a', controller.signal);
		holder.release();
		const turn = await waiting;
		controller.abort();
		expect(turn.granted).toBe(true);
		expect(await Promise.race([queue.enter('b'), 'still taken'])).toBe('still taken');
	});

	it('frees a slot once, however often it is given back', async () => {
		const queue = new FairQueue(1, 10);
		const holder = await enter(queue, 'a');
		holder.release();
		holder.release();
		await enter(queue, 'a');
		const next = queue.enter('a');
		expect(await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 5, 'still waiting'))])).toBe(
			'still waiting',
		);
	});

	it('gives no turn any more once it is paused, neither at once nor when one is given back', async () => {
		const queue = new FairQueue(2, 10);
		const first = await queue.enter('a');
		queue.pause();
		let granted = 0;
		void queue.enter('a').then(() => granted++);
		if (first.granted) first.release();
		void queue.enter('b').then(() => granted++);
		await new Promise((resolve) => setImmediate(resolve));
		expect(granted).toBe(0);
	});
});

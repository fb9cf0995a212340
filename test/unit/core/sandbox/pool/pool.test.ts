import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pool, type PoolBox } from '../../../../../src/core/sandbox/pool/pool.ts';

/** A box whose making, readiness and end are in the hands of the test. */
class FakeBox implements PoolBox {
	readonly kind: string;
	readonly madeAt = now();
	bytes = size;
	isWaiting = false;
	isDismissed = false;
	#answer: (isReady: boolean) => void = () => {};
	#left: () => void = () => {};
	readonly isReady = new Promise<boolean>((resolve) => {
		this.#answer = resolve;
	});
	readonly isGone = new Promise<void>((resolve) => {
		this.#left = resolve;
	});

	constructor(kind: string) {
		this.kind = kind;
	}

	become(isReady: boolean): void {
		this.isWaiting = isReady;
		this.#answer(isReady);
	}

	dismiss(): void {
		this.isDismissed = true;
		this.become(false);
		if (leavesAtOnce) this.#left();
	}

	leave(): void {
		this.#left();
	}
}

const MiB = 1024 * 1024;
let size = 10 * MiB;
let leavesAtOnce = true;
/** What happens to a box that was begun. */
let onMake: (box: FakeBox) => void = () => {};
let isPressed = false;
let boxes: FakeBox[] = [];
const now = (): number => Date.now();

beforeEach(() => {
	vi.useFakeTimers();
	[size, leavesAtOnce, isPressed, boxes] = [10 * MiB, true, false, []];
	onMake = (box) => box.become(true);
});
afterEach(() => {
	vi.useRealTimers();
});

const poolOf = (more: Partial<ConstructorParameters<typeof Pool<string, FakeBox>>[0]> = {}) =>
	new Pool<string, FakeBox>({
		kindOf: (kind) => kind,
		make: (kind) => {
			const box = new FakeBox(kind);
			boxes.push(box);
			onMake(box);
			return box;
		},
		budgetBytes: 256 * MiB,
		calmBytes: 60 * MiB,
		assumedBytes: 10 * MiB,
		longestWaitMs: 450_000,
		isPressed: () => isPressed,
		processors: 2,
		now,
		...more,
	});

/** A job from its beginning to its end. */
async function call(pool: Pool<string, FakeBox>, kind = 'a'): Promise<FakeBox | undefined> {
	pool.begin();
	const box = await pool.take(kind);
	if (box) box.isWaiting = false;
	pool.done();
	return box;
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const waiting = (): string =>
	boxes
		.filter((box) => box.isWaiting && !box.isDismissed)
		.map(({ kind }) => kind)
		.sort()
		.join('');

/** So many jobs at once. */
async function burst(pool: Pool<string, FakeBox>, jobs: number, kind = 'a'): Promise<void> {
	for (let n = 0; n < jobs; n++) pool.begin();
	const taken = await Promise.all(Array.from({ length: jobs }, () => pool.take(kind)));
	for (const box of taken) if (box) box.isWaiting = false;
	for (let n = 0; n < jobs; n++) pool.done();
	await pass(50);
}

describe('kinds that share a budget', () => {
	it('give way to a burst of another when nobody has called for them for a moment, but for one box each', async () => {
		const pool = poolOf({ budgetBytes: 40 * MiB, processors: 8 });
		await burst(pool, 4, 'a');
		await pass(1_000);
		expect(waiting()).toBe('aaaa');
		await pass(2_000);
		await burst(pool, 4, 'b');
		await pass(1_000);
		expect(waiting()).toBe('abbb');
	});

	it('keep what they have when they are called at the same time', async () => {
		const pool = poolOf({ budgetBytes: 40 * MiB, processors: 8 });
		await burst(pool, 3, 'a');
		await burst(pool, 3, 'b');
		await pass(1_000);
		expect(waiting()).toBe('aaab');
	});
});

describe('a kind that was called last and lacks a box', () => {
	it('takes the place of no other when that would not be enough, however often it looks', async () => {
		const sizes: Record<string, number> = { a: 20 * MiB, b: 30 * MiB, c: 30 * MiB };
		onMake = (box) => {
			if (boxes.length > 100) throw new Error('the making never ends');
			box.bytes = sizes[box.kind] ?? size;
			box.become(true);
		};
		const pool = poolOf({ calmBytes: 55 * MiB });
		for (const kind of ['a', 'b', 'c']) {
			await call(pool, kind);
			await pass(500);
		}
		expect([waiting(), boxes.length]).toEqual(['abc', 3]);
		await pass(120_000);
		expect([waiting(), boxes.length]).toEqual(['ac', 4]);
	});
});

describe('a job that comes while its box is being made', () => {
	/** A pool with one box in the making. */
	async function withUnfinished(): Promise<Pool<string, FakeBox>> {
		const pool = poolOf();
		onMake = () => {};
		await call(pool);
		await pass(10);
		return pool;
	}

	it('starts cold when that takes too long, and leaves the box to a later one', async () => {
		const pool = await withUnfinished();
		const taken = pool.take('a');
		await pass(2_000);
		expect(await taken).toBeUndefined();
		boxes[0]?.become(true);
		expect(await call(pool)).toBe(boxes[0]);
	});

	it('waits no longer when nobody wants it any more', async () => {
		const pool = await withUnfinished();
		const stop = new AbortController();
		const taken = pool.take('a', stop.signal);
		stop.abort();
		expect(await taken).toBeUndefined();
		expect(await pool.take('b', AbortSignal.abort())).toBeUndefined();
	});

	it('gives a box back to a pool that was closed meanwhile as one that nobody needs', async () => {
		const pool = await withUnfinished();
		const taken = pool.take('a');
		const closed = pool.close();
		await pass(2_000);
		expect(await taken).toBeUndefined();
		await closed;
		expect(boxes[0]?.isDismissed).toBe(true);
	});
});

describe('a pool', () => {
	it('has nothing for the first job of a kind, and one box for the next', async () => {
		const pool = poolOf();
		expect(await call(pool)).toBeUndefined();
		expect(boxes).toEqual([]);
		await pass(10);
		expect(waiting()).toBe('a');
		await pass(400);
		expect(await call(pool)).toBe(boxes[0]);
		await pass(10);
		expect([waiting(), boxes.length]).toEqual(['a', 2]);
	});

	it('makes boxes when answers have been given and a processor is free, not before', async () => {
		const pool = poolOf({ processors: 1 });
		for (const kind of ['a', 'b']) {
			pool.begin();
			await pool.take(kind);
		}
		await pass(5_000);
		pool.done();
		await pass(5_000);
		expect(boxes).toEqual([]);
		pool.done();
		await pass(9);
		expect(boxes).toEqual([]);
		await pass(1);
		expect(boxes.length).toBe(1);
	});

	it('makes no box beside a job that takes none, such as a command', async () => {
		const pool = poolOf({ processors: 1 });
		pool.begin();
		await call(pool);
		await pass(5_000);
		expect(boxes).toEqual([]);
		pool.done();
		await pass(10);
		expect(waiting()).toBe('a');
	});

	it('does not mix kinds', async () => {
		const pool = poolOf();
		await call(pool, 'a');
		await pass(10);
		expect(await call(pool, 'b')).toBeUndefined();
		await pass(10);
		expect(waiting()).toBe('ab');
	});

	it('grows with a burst, shrinks to one when it is forgotten, and to none when nobody calls', async () => {
		const pool = poolOf();
		await burst(pool, 6);
		expect(waiting()).toBe('aaaaaa');
		await pass(31_000);
		expect(waiting()).toBe('a');
		await pass(260_000);
		expect(waiting()).toBe('a');
		await pass(12_000);
		expect([waiting(), vi.getTimerCount()]).toEqual(['', 0]);
	});

	it('makes no more at a time than there are processors', async () => {
		onMake = () => {};
		const pool = poolOf({ processors: 2 });
		await burst(pool, 5);
		expect(boxes.length).toBe(2);
		boxes[0]?.become(true);
		await pass(0);
		expect(boxes.length).toBe(3);
	});

	it('never holds more than it may', async () => {
		const pool = poolOf({ budgetBytes: 35 * MiB });
		await burst(pool, 10);
		expect(waiting()).toBe('aaa');
	});

	it('goes by what boxes really hold, once one was made', async () => {
		size = 30 * MiB;
		const pool = poolOf({ budgetBytes: 95 * MiB, processors: 1 });
		await burst(pool, 10);
		expect(waiting()).toBe('aaa');
	});

	it('gives up a box that turns out larger than all that it may hold', async () => {
		size = 80 * MiB;
		const pool = poolOf({ budgetBytes: 50 * MiB });
		await call(pool);
		await pass(5_000);
		expect([waiting(), boxes.map(({ isDismissed }) => isDismissed)]).toEqual(['', [true]]);
	});

	it('holds less when nobody has called for half a minute, the kind that was called last to the end', async () => {
		size = 25 * MiB;
		const pool = poolOf({ assumedBytes: 25 * MiB });
		for (const kind of ['a', 'b', 'c']) {
			await call(pool, kind);
			await pass(500);
		}
		expect(waiting()).toBe('abc');
		await pass(31_000);
		expect(waiting()).toBe('bc');
	});

	it('does not hold more when it is calm than it ever may', async () => {
		const pool = poolOf({ budgetBytes: 15 * MiB, calmBytes: 60 * MiB });
		await call(pool, 'a');
		await pass(40_000);
		expect(waiting()).toBe('a');
	});

	it('gives up everything when the machine is short of memory, and begins anew a minute after that', async () => {
		const pool = poolOf();
		await burst(pool, 4);
		isPressed = true;
		await pass(1_000);
		expect(waiting()).toBe('');
		await call(pool);
		await pass(5_000);
		expect(waiting()).toBe('');
		isPressed = false;
		await pass(58_000);
		await burst(pool, 4);
		expect(waiting()).toBe('');
		await pass(2_000);
		expect([waiting(), boxes.length]).toEqual(['aaaa', 8]);
	});

	it('makes and ends nothing every other second where the machine is short of memory every other second', async () => {
		const pool = poolOf({ isPressed: () => now() % 2_000 < 1_000 });
		for (let n = 0; n < 60; n++) {
			await call(pool);
			await pass(1_000);
		}
		expect(boxes.length).toBeLessThanOrEqual(1);
	});

	it('gives the first box of a kind the place of the kind that was called least lately', async () => {
		const pool = poolOf({ budgetBytes: 30 * MiB });
		await burst(pool, 1, 'a');
		await pass(400);
		await burst(pool, 2, 'b');
		expect(waiting()).toBe('abb');
		await pass(400);
		await call(pool, 'c');
		await pass(10);
		expect(waiting()).toBe('bbc');
		await pass(5_000);
		expect(waiting()).toBe('bbc');
	});

	it('takes no place from another kind for a second box', async () => {
		const pool = poolOf({ budgetBytes: 30 * MiB });
		await call(pool, 'a');
		await pass(400);
		await burst(pool, 5, 'b');
		expect(waiting()).toBe('abb');
	});

	it('replaces boxes that have waited for too long', async () => {
		const pool = poolOf({ longestWaitMs: 20_000 });
		await call(pool);
		await pass(10);
		await pass(22_000);
		expect([waiting(), boxes.map(({ isDismissed }) => isDismissed)]).toEqual(['a', [true, false]]);
	});

	it('pauses a kind whose box cannot be made for a minute; its jobs start cold meanwhile', async () => {
		onMake = (box) => box.become(false);
		const pool = poolOf();
		await call(pool);
		await pass(50_000);
		expect([boxes.length, boxes[0]?.isDismissed]).toEqual([1, true]);
		expect(await call(pool)).toBeUndefined();
		onMake = (box) => box.become(true);
		await pass(5_000);
		expect(boxes.length).toBe(1);
		await pass(6_000);
		expect(waiting()).toBe('a');
	});

	it('pauses a kind whose box throws, and no other', async () => {
		const pool = poolOf({
			make: (kind) => {
				if (kind === 'a') throw new Error('no folder can be made');
				const box = new FakeBox(kind);
				boxes.push(box);
				box.become(true);
				return box;
			},
		});
		await call(pool, 'a');
		await call(pool, 'b');
		await pass(1_000);
		expect(waiting()).toBe('b');
	});

	it('never hands out a box that is dead, nor one twice', async () => {
		const pool = poolOf();
		await burst(pool, 3);
		const [first, second, third] = boxes;
		if (first) first.isWaiting = false;
		const taken = await Promise.all([pool.take('a'), pool.take('a'), pool.take('a')]);
		expect(new Set(taken)).toEqual(new Set([second, third, undefined]));
	});

	it('hands out a box that is being made when it is ready, and none when it never will be', async () => {
		onMake = () => {};
		const pool = poolOf();
		await burst(pool, 2);
		const taken = [pool.take('a'), pool.take('a')];
		boxes[0]?.become(false);
		boxes[1]?.become(true);
		expect(await Promise.all(taken)).toEqual([undefined, boxes[1]]);
	});

	it('is settled when everything that is called for waits', async () => {
		onMake = () => {};
		const pool = poolOf();
		await burst(pool, 2);
		let isSettled = false;
		void pool.settle().then(() => {
			isSettled = true;
		});
		await pass(100);
		expect(isSettled).toBe(false);
		for (const box of boxes) box.become(true);
		await pass(1);
		expect(isSettled).toBe(true);
	});

	it('is settled when nothing can be made: a kind that fails, no memory, nobody called', async () => {
		onMake = (box) => box.become(false);
		const pools = [poolOf(), poolOf({ budgetBytes: 1 }), poolOf()];
		for (const pool of pools.slice(0, 2)) await call(pool);
		const settled = Promise.all(pools.map((pool) => pool.settle()));
		await pass(100);
		expect(await settled).toEqual([undefined, undefined, undefined]);
	});

	it('ends everything when it is closed, waits until it is gone, and makes nothing more', async () => {
		leavesAtOnce = false;
		const pool = poolOf();
		await burst(pool, 3);
		let isClosed = false;
		const closing = pool.close().then(() => {
			isClosed = true;
		});
		await pass(100);
		expect([isClosed, boxes.map(({ isDismissed }) => isDismissed)]).toEqual([false, [true, true, true]]);
		for (const box of boxes) box.leave();
		await closing;
		expect(await call(pool)).toBeUndefined();
		await pool.settle();
		await pass(100_000);
		expect([boxes.length, vi.getTimerCount()]).toEqual([3, 0]);
	});

	it('lets nobody wait who waits while it is closed', async () => {
		onMake = () => {};
		const pool = poolOf();
		await call(pool);
		await pass(10);
		const settled = pool.settle();
		await pass(1);
		await pool.close();
		await settled;
		expect(boxes.map(({ isDismissed }) => isDismissed)).toEqual([true]);
	});
});

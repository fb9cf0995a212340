/** Asks again and again, ever more slowly, until something is so or the time is over. */
import { setTimeout as pause } from 'node:timers/promises';

const firstMs = 50;
const slowestMs = 2_000;

/** @returns the last answer; an abort of the signal throws its reason */
export async function poll<T>(
	ask: () => Promise<T>,
	isDone: (answer: T) => boolean,
	ms: number,
	signal?: AbortSignal,
): Promise<T> {
	const deadline = performance.now() + ms;
	for (let waitMs = firstMs; ; waitMs = Math.min(slowestMs, waitMs * 1.5)) {
		signal?.throwIfAborted();
		const answer = await ask();
		const left = deadline - performance.now();
		if (isDone(answer) || left <= 0) return answer;
		await pause(Math.min(waitMs, left), undefined, { signal }).catch(() => signal?.throwIfAborted());
	}
}

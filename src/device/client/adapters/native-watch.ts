/** Follows one job of the native protocol to its end, over lost connections and restarts of the device. */
import { setTimeout as pause } from 'node:timers/promises';
import type { JobEvent, JobView } from '../../../contract/device-job.ts';
import { KnownError } from '../../../contract/error.ts';
import type { Watch } from '../client.ts';

export interface Followed {
	/** The job as it is once something has happened, or after so many milliseconds. */
	job(leftMs: number): Promise<JobView>;
	events(after: number, signal: AbortSignal): AsyncIterable<JobEvent>;
}

/** How long a device that was there may be away. */
const awayMs = 60_000;
const againMs = 250;

const isAway = (error: unknown): boolean =>
	KnownError.is(error) && (error.code === 'AGENT_UNREACHABLE' || error.code === 'AGENT_STOPPING');

/** Tries until the device is back or has been away for too long. */
async function overGaps<T>(ask: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	const deadline = performance.now() + awayMs;
	while (true) {
		signal?.throwIfAborted();
		try {
			return await ask();
		} catch (error) {
			if (!isAway(error) || performance.now() > deadline) throw error;
			await pause(againMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
		}
	}
}

/** Live output without a gap and without a repetition: each stream is decoded as one text, and each event comes once. */
async function listen(
	{ events }: Followed,
	onOutput: NonNullable<Watch['onOutput']>,
	signal: AbortSignal,
): Promise<void> {
	const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
	let seen = 0;
	while (!signal.aborted) {
		try {
			for await (const event of events(seen, signal)) {
				seen = event.seq;
				if (event.type === 'end') return;
				if (event.type === 'output')
					onOutput(event.stream, decoders[event.stream].decode(Buffer.from(event.base64, 'base64'), { stream: true }));
			}
		} catch (error) {
			if (!signal.aborted && !isAway(error) && KnownError.is(error)) return;
		}
		await pause(againMs, undefined, { signal }).catch(() => {});
	}
}

/** What was printed is told before the end is. */
const lastWordsMs = 2_000;

export async function follow(
	followed: Followed,
	isSettled: (job: JobView) => boolean,
	ms: number,
	{ onOutput, signal }: Watch,
): Promise<JobView> {
	const stop = new AbortController();
	const listening = onOutput ? listen(followed, onOutput, stop.signal) : undefined;
	const deadline = performance.now() + ms;
	try {
		while (true) {
			const begun = performance.now();
			const left = deadline - begun;
			const job = await overGaps(() => followed.job(left), signal);
			if (!isSettled(job) && performance.now() < deadline) {
				// A device that answers at once, for example because it cannot write how a job ended, is not asked without a pause.
				await pause(Math.max(0, begun + againMs - performance.now()), undefined, { signal }).catch(() => {});
				signal?.throwIfAborted();
				continue;
			}
			await Promise.race([listening, pause(isSettled(job) ? lastWordsMs : 0)]);
			return job;
		}
	} finally {
		stop.abort();
	}
}

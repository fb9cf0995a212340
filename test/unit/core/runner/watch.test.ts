import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Watch } from '../../../../src/core/runner/watch.ts';
import type { BoxIo, OutputStream } from '../../../../src/core/sandbox/backend.ts';
import { goodOutcome } from '../../../helpers/box.ts';

interface Kept {
	readonly io: BoxIo;
	readonly heard: string[];
	readonly stop: AbortController;
}

function keeper(take: () => void | Promise<void> = () => {}): Kept {
	const heard: string[] = [];
	const stop = new AbortController();
	const onOutput = (stream: OutputStream, chunk: Buffer) => {
		heard.push(`${stream} ${chunk}`);
		return take();
	};
	return { io: { stdin: 'in', onOutput, signal: stop.signal }, heard, stop };
}

const noLimits = { idleTimeoutMs: null, floodBytes: 1_000 };

describe('a watch', () => {
	it('passes everything on, and the cancellation of the caller', () => {
		const { io, heard, stop } = keeper();
		const watch = new Watch(io, noLimits);
		void watch.io.onOutput('stdout', Buffer.from('a'));
		void watch.io.onOutput('stderr', Buffer.from('b'));
		stop.abort('cancelled');
		expect([heard, watch.io.stdin, watch.io.signal.reason]).toEqual([['stdout a', 'stderr b'], 'in', 'cancelled']);
		expect(watch.end(goodOutcome)).toBe(goodOutcome);
	});

	it('was cancelled before it began', () => {
		const { io, stop } = keeper();
		stop.abort('cancelled');
		expect(new Watch(io, noLimits).io.signal.reason).toBe('cancelled');
	});

	it('ends a job that prints too much: the piece that crosses the limit is kept, nothing after it', () => {
		const { io, heard } = keeper();
		const watch = new Watch(io, { ...noLimits, floodBytes: 4 });
		for (const piece of ['ab', 'cd', 'ef', 'gh']) void watch.io.onOutput('stdout', Buffer.from(piece));
		expect([heard, watch.io.signal.reason]).toEqual([['stdout ab', 'stdout cd', 'stdout ef'], 'output']);
		expect(watch.end(goodOutcome)).toEqual({ ...goodOutcome, stopped: 'output' });
	});

	it('does not blame the output for what went wrong otherwise', () => {
		const { io } = keeper();
		const watch = new Watch(io, { ...noLimits, floodBytes: 1 });
		void watch.io.onOutput('stdout', Buffer.from('abc'));
		const [late, broken] = [
			{ ...goodOutcome, stopped: 'timeout' as const },
			{ ...goodOutcome, fault: 'x' },
		];
		expect([watch.end(late), watch.end(broken)]).toEqual([late, broken]);
	});

	it('ends a job that is silent for too long, counted from its start and from each piece', async () => {
		const { io } = keeper();
		const watch = new Watch(io, { ...noLimits, idleTimeoutMs: 150 });
		await sleep(250);
		expect(watch.io.signal.aborted).toBe(false);
		watch.io.onStart?.();
		for (let n = 0; n < 4; n++) {
			await sleep(60);
			void watch.io.onOutput('stdout', Buffer.from('x'));
		}
		expect(watch.io.signal.aborted).toBe(false);
		await sleep(400);
		expect(watch.io.signal.reason).toBe('idle');
	});

	it('does not take it for silence when whoever keeps the output holds the job back', async () => {
		let letGo = () => {};
		const held = new Promise<void>((resolve) => {
			letGo = resolve;
		});
		const { io } = keeper(() => held);
		const watch = new Watch(io, { ...noLimits, idleTimeoutMs: 80 });
		const taken = watch.io.onOutput('stdout', Buffer.from('x'));
		await sleep(250);
		expect(watch.io.signal.aborted).toBe(false);
		letGo();
		await taken;
		await sleep(250);
		expect(watch.io.signal.reason).toBe('idle');
	});

	it('is silent itself when the job is over', async () => {
		const { io, stop } = keeper();
		const watch = new Watch(io, { ...noLimits, idleTimeoutMs: 40 });
		watch.io.onStart?.();
		watch.end(goodOutcome);
		void watch.io.onOutput('stdout', Buffer.from('late'));
		stop.abort('cancelled');
		await sleep(120);
		expect(watch.io.signal.aborted).toBe(false);
	});
});

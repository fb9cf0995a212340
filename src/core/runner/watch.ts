/** Listens to the output of a job beside whoever keeps it: ends a job that prints too much, or nothing for too long. */
import type { BoxIo, BoxOutcome, OutputStream, StopReason } from '../sandbox/backend.ts';
import type { DeviceLimits } from './runner.ts';

export class Watch {
	/** What the job is run with instead of what came with it. */
	readonly io: BoxIo;
	readonly #outer: BoxIo;
	readonly #limits: Pick<DeviceLimits, 'idleTimeoutMs' | 'floodBytes'>;
	readonly #controller = new AbortController();
	readonly #onAbort = () => this.stop(this.#outer.signal.reason as StopReason);
	#timer: NodeJS.Timeout | undefined;
	#printed = 0;
	#isOver = false;

	constructor(io: BoxIo, limits: Pick<DeviceLimits, 'idleTimeoutMs' | 'floodBytes'>) {
		this.#outer = io;
		this.#limits = limits;
		const onStart = () => {
			this.#wait();
			io.onStart?.();
		};
		this.io = {
			...io,
			onStart,
			onOutput: (stream, chunk) => this.#hear(stream, chunk),
			signal: this.#controller.signal,
		};
		if (io.signal.aborted) this.#onAbort();
		io.signal.addEventListener('abort', this.#onAbort);
	}

	stop(reason: StopReason): void {
		this.#controller.abort(reason);
	}

	/** Nothing is listened to any more. A job that ended by itself in the moment in which it had printed too much has printed too much. */
	end<Outcome extends BoxOutcome>(outcome: Outcome): Outcome {
		this.close();
		const isTooMuch = this.#printed > this.#limits.floodBytes && outcome.fault === null;
		return isTooMuch && outcome.stopped === null ? { ...outcome, stopped: 'output' } : outcome;
	}

	close(): void {
		this.#isOver = true;
		clearTimeout(this.#timer);
		this.#outer.signal.removeEventListener('abort', this.#onAbort);
	}

	/** The piece that crosses the limit is passed on whole, and nothing after it. */
	#hear(stream: OutputStream, chunk: Buffer): void | Promise<void> {
		if (this.#printed > this.#limits.floodBytes) return;
		this.#printed += chunk.length;
		if (this.#printed > this.#limits.floodBytes) this.stop('output');
		const taken = this.#outer.onOutput(stream, chunk);
		if (!taken) return this.#wait();
		// While whoever keeps the output holds the job back, its silence is not its own.
		clearTimeout(this.#timer);
		return taken.finally(() => this.#wait());
	}

	#wait(): void {
		clearTimeout(this.#timer);
		const { idleTimeoutMs } = this.#limits;
		if (idleTimeoutMs !== null && !this.#isOver) this.#timer = setTimeout(() => this.stop('idle'), idleTimeoutMs);
	}
}

/** Lets a limited number of jobs run at a time and takes turns between those who wait, so that nobody starves. */

export type Turn =
	| { readonly granted: true; readonly waitedMs: number; release(): void }
	| { readonly granted: false; readonly reason: 'full' | 'cancelled'; readonly waiting: number };

interface Waiter {
	readonly since: number;
	readonly grant: (turn: Turn) => void;
}

export class FairQueue {
	readonly #slots: number;
	readonly #length: number;
	#running = 0;
	#waiting = 0;
	#isPaused = false;
	/** One line per key; the map's order is the order of turns. */
	readonly #lines = new Map<string, Waiter[]>();

	constructor(slots: number, length: number) {
		this.#slots = slots;
		this.#length = length;
	}

	get running(): number {
		return this.#running;
	}

	get waiting(): number {
		return this.#waiting;
	}

	/** How many more could come now without being turned away. */
	get room(): number {
		const slots = this.#isPaused ? 0 : this.#slots - this.#running;
		return slots + this.#length - this.#waiting;
	}

	/** @param key whose turn it is; keys take turns, within a key it is first come, first served */
	enter(key: string, signal?: AbortSignal): Promise<Turn> {
		if (signal?.aborted) return Promise.resolve({ granted: false, reason: 'cancelled', waiting: this.#waiting });
		if (this.#running < this.#slots && !this.#isPaused) {
			this.#running++;
			return Promise.resolve(this.#turn(0));
		}
		if (this.#waiting >= this.#length)
			return Promise.resolve({ granted: false, reason: 'full', waiting: this.#waiting });
		return this.#wait(key, signal);
	}

	#wait(key: string, signal: AbortSignal | undefined): Promise<Turn> {
		return new Promise((resolve) => {
			const line = this.#lines.get(key) ?? [];
			const waiter: Waiter = {
				since: performance.now(),
				grant: (turn) => {
					signal?.removeEventListener('abort', leave);
					resolve(turn);
				},
			};
			const leave = () => {
				this.#remove(key, waiter);
				waiter.grant({ granted: false, reason: 'cancelled', waiting: this.#waiting });
			};
			signal?.addEventListener('abort', leave, { once: true });
			line.push(waiter);
			this.#lines.set(key, line);
			this.#waiting++;
		});
	}

	#remove(key: string, waiter: Waiter): void {
		const line = this.#lines.get(key)?.filter((other) => other !== waiter) ?? [];
		this.#waiting--;
		if (line.length > 0) this.#lines.set(key, line);
		else this.#lines.delete(key);
	}

	/** Gives no more turns; who waits goes on waiting. */
	pause(): void {
		this.#isPaused = true;
	}

	/** The first of the first line goes; its line moves to the end. */
	#next(): void {
		const [key, line] = this.#isPaused ? [] : (this.#lines.entries().next().value ?? []);
		const waiter = line?.shift();
		if (key === undefined || !line || !waiter) {
			this.#running--;
			return;
		}
		this.#waiting--;
		this.#lines.delete(key);
		if (line.length > 0) this.#lines.set(key, line);
		waiter.grant(this.#turn(performance.now() - waiter.since));
	}

	#turn(waitedMs: number): Turn {
		let isReleased = false;
		const release = () => {
			if (isReleased) return;
			isReleased = true;
			this.#next();
		};
		return { granted: true, waitedMs, release };
	}
}

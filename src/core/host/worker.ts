/** A second thread that answers questions one by one; it is started with the first and replaced when it does not answer. */
import { Worker } from 'node:worker_threads';

interface Asked {
	readonly question: object;
	readonly resolve: (answer: unknown) => void;
	readonly reject: (error: Error) => void;
}

/** One long program may not take the memory of the process that asked. */
const resourceLimits = { maxOldGenerationSizeMb: 256 };

export class AnsweringThread {
	readonly #file: string;
	readonly #timeoutMs: number;
	readonly #waiting: Asked[] = [];
	#thread: Worker | undefined;
	#current: Asked | undefined;
	#timer: NodeJS.Timeout | undefined;
	#asked = 0;

	/** @param timeoutMs how long one answer may take; the questions before it do not count */
	constructor(file: string, timeoutMs: number) {
		this.#file = file;
		this.#timeoutMs = timeoutMs;
	}

	/** Rejects when the thread ends over this question or is silent for too long; those behind it are asked of the next thread. */
	ask<Answer>(question: object): Promise<Answer> {
		return new Promise((resolve, reject) => {
			this.#waiting.push({ question, resolve: resolve as (answer: unknown) => void, reject });
			this.#next();
		});
	}

	#next(): void {
		if (this.#current) return;
		this.#current = this.#waiting.shift();
		if (this.#current) this.#put(this.#start(), this.#current.question);
		else this.#thread?.unref();
	}

	#put(thread: Worker, question: object): void {
		thread.ref();
		this.#timer = setTimeout(() => this.#end(thread, new Error('the thread did not answer in time')), this.#timeoutMs);
		thread.postMessage({ id: ++this.#asked, ...question });
	}

	/** What a thread says that was replaced is nobody's business any more. */
	#start(): Worker {
		if (this.#thread) return this.#thread;
		const thread = new Worker(this.#file, { env: {}, stdin: false, resourceLimits });
		thread.on('message', ({ answer }: { answer: unknown }) => {
			if (thread === this.#thread) this.#settle((asked) => asked.resolve(answer));
		});
		thread.on('error', (error) => this.#end(thread, error as Error));
		thread.on('exit', () => this.#end(thread, new Error('the thread ended')));
		this.#thread = thread;
		return thread;
	}

	#end(thread: Worker, error: Error): void {
		if (thread !== this.#thread) return;
		void thread.terminate();
		this.#thread = undefined;
		this.#settle((asked) => asked.reject(error));
	}

	#settle(tell: (asked: Asked) => void): void {
		const asked = this.#current;
		clearTimeout(this.#timer);
		this.#current = undefined;
		if (asked) tell(asked);
		this.#next();
	}
}

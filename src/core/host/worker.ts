/** A second thread that answers questions one by one; it is started with the first and replaced when it does not answer. */
import { Worker } from 'node:worker_threads';

interface Waiting {
	readonly resolve: (answer: unknown) => void;
	readonly reject: (error: Error) => void;
	readonly timer: NodeJS.Timeout;
}

export class AnsweringThread {
	readonly #file: string;
	readonly #timeoutMs: number;
	readonly #waiting = new Map<number, Waiting>();
	#thread: Worker | undefined;
	#asked = 0;

	/** @param timeoutMs how long one answer may take, with all questions before it */
	constructor(file: string, timeoutMs: number) {
		this.#file = file;
		this.#timeoutMs = timeoutMs;
	}

	/** Rejects when the thread ends or is silent for too long; nobody is left without an answer. */
	ask<Answer>(question: object): Promise<Answer> {
		const id = ++this.#asked;
		const thread = this.#start();
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => this.#end(new Error('the thread did not answer in time')), this.#timeoutMs);
			this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject, timer });
			thread.ref();
			thread.postMessage({ id, ...question });
		});
	}

	#start(): Worker {
		if (this.#thread) return this.#thread;
		const thread = new Worker(this.#file, { env: {}, stdin: false });
		thread.on('message', ({ id, answer }: { id: number; answer: unknown }) => this.#hear(id, answer));
		thread.on('error', (error) => this.#end(error as Error));
		this.#thread = thread;
		return thread;
	}

	#hear(id: number, answer: unknown): void {
		const waiting = this.#waiting.get(id);
		clearTimeout(waiting?.timer);
		this.#waiting.delete(id);
		if (this.#waiting.size === 0) this.#thread?.unref();
		waiting?.resolve(answer);
	}

	#end(error: Error): void {
		void this.#thread?.terminate();
		this.#thread = undefined;
		for (const waiting of this.#waiting.values()) {
			clearTimeout(waiting.timer);
			waiting.reject(error);
		}
		this.#waiting.clear();
	}
}

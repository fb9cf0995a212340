/** The stored output of a job in the unit of Agent3, characters. */
import { isOver, type JobView } from '../../../contract/device-job.ts';
import type { OutputStream } from '../../../core/sandbox/backend.ts';
import type { Jobs } from '../ports.ts';
import { StoredText } from './characters.ts';

/** Streams whose characters are counted already; the least recently read one goes first. */
const mostTexts = 128;

export interface Tail {
	readonly text: string;
	readonly totalCharacters: number;
}

export interface Page extends Tail {
	readonly nextOffset: number;
	readonly isEnd: boolean;
}

export class Agent3Output {
	readonly #jobs: Jobs;
	readonly #texts = new Map<string, StoredText>();

	constructor(jobs: Jobs) {
		this.#jobs = jobs;
	}

	/** The last characters of a stream. */
	async tail(job: JobView, stream: OutputStream, count: number): Promise<Tail> {
		const text = this.#textOf(job.jobId, stream);
		const totalCharacters = await text.count(job.output[stream].isComplete);
		return { text: await text.slice(Math.max(0, totalCharacters - count), count), totalCharacters };
	}

	/** @param offset below zero: from the end */
	async page(job: JobView, stream: OutputStream, offset: number, limit: number): Promise<Page> {
		const text = this.#textOf(job.jobId, stream);
		const totalCharacters = await text.count(job.output[stream].isComplete);
		const from = offset < 0 ? Math.max(0, totalCharacters + offset) : offset;
		const nextOffset = Math.min(totalCharacters, from + limit);
		const isEnd = isOver(job.state) && nextOffset >= totalCharacters;
		const slice = await text.slice(from, limit);
		return { text: slice, totalCharacters, nextOffset: Math.max(from, nextOffset), isEnd };
	}

	#textOf(jobId: string, stream: OutputStream): StoredText {
		const key = `${jobId} ${stream}`;
		const text =
			this.#texts.get(key) ?? new StoredText((offset, limit) => this.#jobs.read(jobId, stream, offset, limit));
		this.#texts.delete(key);
		this.#texts.set(key, text);
		const [oldest] = this.#texts.keys();
		if (this.#texts.size > mostTexts && oldest !== undefined) this.#texts.delete(oldest);
		return text;
	}
}

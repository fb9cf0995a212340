/** Server-sent events: one job event each, with its number as id, and their reading piece by piece. Pure. */
import type { JobEvent } from '../../contract/device-job.ts';

export const sseType = 'text/event-stream';

/** JSON has no line breaks, so one line of data is enough. */
export const encodeSse = (event: JobEvent): string => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`;

/** A comment; readers pass it over. */
export const sseHeartbeat = ': still here\n\n';

export interface SseMessage {
	/** The last id that was told; what a reader sends as Last-Event-ID when it comes back. */
	readonly id: string | undefined;
	readonly data: string;
}

/** Takes text as it comes and gives back whole messages, whatever ends their lines. */
export class SseReader {
	#rest = '';
	#id: string | undefined;
	#data: string[] = [];

	push(text: string): SseMessage[] {
		const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
		this.#rest = lines.pop() ?? '';
		return lines.flatMap((line) => this.#take(line));
	}

	#take(line: string): SseMessage[] {
		if (line === '') return this.#dispatch();
		const [, field, value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
		if (field === 'data') this.#data.push(value);
		if (field === 'id') this.#id = value;
		return [];
	}

	#dispatch(): SseMessage[] {
		const lines = this.#data;
		this.#data = [];
		return lines.length === 0 ? [] : [{ id: this.#id, data: lines.join('\n') }];
	}
}

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

/** A message that is longer than any of ours is none. */
const mostCharacters = 4 * 1024 * 1024;

/** Takes text as it comes and gives back whole messages, whatever ends their lines. Each character is looked at once. */
export class SseReader {
	/** Pieces of the line that is not whole. */
	#rest: string[] = [];
	#id: string | undefined;
	#data: string[] = [];
	/** Of the message that is not whole. */
	#characters = 0;
	/** The last piece ended with a carriage return, and a line feed that follows belongs to it. */
	#isReturned = false;

	/** @throws for a message that is too long; nothing can be read behind it */
	push(text: string): SseMessage[] {
		const lines = this.#continued(text).split(/\r\n|\n|\r/);
		const rest = lines.pop() ?? '';
		const messages = lines.flatMap((line) => this.#take(this.#whole(line)));
		this.#keep(rest);
		return messages;
	}

	#continued(text: string): string {
		if (text === '') return text;
		const fresh = this.#isReturned && text.startsWith('\n') ? text.slice(1) : text;
		this.#isReturned = text.endsWith('\r');
		return fresh;
	}

	#whole(line: string): string {
		this.#keep(line);
		const whole = this.#rest.join('');
		this.#rest = [];
		return whole;
	}

	#keep(part: string): void {
		this.#characters += part.length;
		if (this.#characters > mostCharacters) throw new Error('a message is too long');
		if (part !== '') this.#rest.push(part);
	}

	#take(line: string): SseMessage[] {
		if (line === '') return this.#dispatch();
		const [, field, value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
		if (field === 'data') this.#data.push(value);
		else if (this.#data.length === 0) this.#characters = 0;
		if (field === 'id') this.#id = value;
		return [];
	}

	#dispatch(): SseMessage[] {
		const lines = this.#data;
		this.#data = [];
		this.#characters = 0;
		return lines.length === 0 ? [] : [{ id: this.#id, data: lines.join('\n') }];
	}
}

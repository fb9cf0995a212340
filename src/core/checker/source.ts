/** Turns offsets of a text into lines and columns, and cuts out what stands there. */
import type { Span } from './languages/ir.ts';

export interface Place {
	readonly line: number;
	readonly column: number;
}

export class Source {
	readonly #text: string;
	readonly #starts: readonly number[];

	constructor(text: string) {
		this.#text = text;
		const starts = [0];
		for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
		this.#starts = starts;
	}

	/** 1-based, columns in UTF-16 units. */
	place(offset: number): Place {
		const inside = Math.max(0, Math.min(offset, this.#text.length));
		let low = 0;
		let high = this.#starts.length - 1;
		while (low < high) {
			const middle = Math.ceil((low + high) / 2);
			if ((this.#starts[middle] as number) <= inside) low = middle;
			else high = middle - 1;
		}
		return { line: low + 1, column: inside - (this.#starts[low] as number) + 1 };
	}

	line(number: number): string {
		const start = this.#starts[number - 1] ?? 0;
		const end = this.#starts[number] ?? this.#text.length + 1;
		return this.#text.slice(start, end - 1).slice(0, 500);
	}

	/** What is written in a span, on one line and not too long. */
	excerpt({ from, to }: Span): string {
		const written = this.#text
			.slice(from, Math.min(to, from + 400))
			.replaceAll(/\s+/g, ' ')
			.trim();
		return written.length > 60 ? `${written.slice(0, 57)}…` : written;
	}
}

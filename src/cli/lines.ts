/** Reads lines from a stream in bounded memory and writes lines without running ahead of the reader. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** A line that is longer than allowed is reported, not kept. */
export type Line = { readonly text: string } | { readonly tooLong: true };

export async function* readLines(input: Readable, maxBytes: number): AsyncGenerator<Line> {
	let parts: Buffer[] = [];
	let size = 0;
	const finish = (): Line => {
		const line: Line = size > maxBytes ? { tooLong: true } : { text: Buffer.concat(parts).toString('utf8') };
		parts = [];
		size = 0;
		return line;
	};
	const add = (part: Buffer) => {
		size += part.length;
		if (size <= maxBytes) parts.push(part);
		else parts = [];
	};
	for await (const chunk of input) {
		let rest = chunk as Buffer;
		for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
			add(rest.subarray(0, end));
			yield finish();
			rest = rest.subarray(end + 1);
		}
		if (rest.length > 0) add(rest);
	}
	if (size > 0) yield finish();
}

export async function writeLine(output: Writable, value: unknown): Promise<void> {
	if (!output.write(`${JSON.stringify(value)}\n`)) await once(output, 'drain');
}

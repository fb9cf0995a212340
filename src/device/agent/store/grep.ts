/** Looks for a pattern in stored output, line by line, in time linear in its size. */

import { setImmediate as breathe } from 'node:timers/promises';
import { toUSVString } from 'node:util';
import { RE2JS } from 're2js';
import { KnownError } from '../../../contract/error.ts';
import type { GrepHit } from '../ports.ts';

/** Characters of a pattern, and instructions that it may become. */
const longestPattern = 1000;
const mostInstructions = 2000;
/** Bytes of a line that are looked at; the rest of a longer line is passed over. */
const longestLine = 16 * 1024;
/** Characters of a line that are given back. */
const longestText = 1000;
export const mostHits = 1000;

const refuse = (details: string): KnownError => new KnownError('REQUEST_INVALID', { details });

export function compilePattern(pattern: string): RE2JS {
	if (pattern.length > longestPattern) throw refuse(`the pattern has more than ${longestPattern} characters`);
	let compiled: RE2JS;
	try {
		compiled = RE2JS.compile(pattern);
	} catch {
		throw refuse('the pattern is not valid in RE2 syntax');
	}
	if (compiled.programSize() > mostInstructions) throw refuse('the pattern repeats too much');
	return compiled;
}

/** Splits what comes into lines, of which only the first bytes are kept. */
class Lines {
	#parts: Buffer[] = [];
	#kept = 0;
	#size = 0;
	#start = 0;
	#count = 0;

	*push(chunk: Buffer): Generator<{ line: number; offset: number; bytes: Buffer }> {
		let rest = chunk;
		for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
			this.#add(rest.subarray(0, end));
			yield this.#take(1);
			rest = rest.subarray(end + 1);
		}
		this.#add(rest);
	}

	*end(): Generator<{ line: number; offset: number; bytes: Buffer }> {
		if (this.#size > 0) yield this.#take(0);
	}

	#add(part: Buffer): void {
		this.#size += part.length;
		const room = longestLine - this.#kept;
		if (room <= 0 || part.length === 0) return;
		this.#parts.push(part.subarray(0, room));
		this.#kept += Math.min(room, part.length);
	}

	#take(endBytes: number) {
		const found = { line: ++this.#count, offset: this.#start, bytes: Buffer.concat(this.#parts) };
		this.#start += this.#size + endBytes;
		this.#parts = [];
		this.#kept = 0;
		this.#size = 0;
		return found;
	}
}

/** @returns at most `most` lines in which the pattern is found; lines count from 1, offsets are bytes */
export async function grep(parts: AsyncIterable<Buffer>, pattern: RE2JS, most: number): Promise<GrepHit[]> {
	const hits: GrepHit[] = [];
	const lines = new Lines();
	const look = ({ line, offset, bytes }: { line: number; offset: number; bytes: Buffer }): boolean => {
		const text = bytes.toString().replace(/\r$/, '');
		if (pattern.matcher(text).find()) hits.push({ line, offset, text: toUSVString(text.slice(0, longestText)) });
		return hits.length >= most;
	};
	for await (const part of parts) {
		for (const line of lines.push(part)) if (look(line)) return hits;
		await breathe();
	}
	for (const line of lines.end()) look(line);
	return hits;
}

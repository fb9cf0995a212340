/** Looks for a pattern in stored output, line by line, in time linear in its size. */

import { setImmediate as breathe } from 'node:timers/promises';
import { toUSVString } from 'node:util';
import { RE2JS } from 're2js';
import { KnownError } from '../../../contract/error.ts';
import type { GrepHit } from '../ports.ts';

/** Characters of a pattern, and instructions that it may become. */
const longestPattern = 1000;
const mostInstructions = 500;
/** Bytes of a line that are looked at; the rest of a longer line is passed over. */
const longestLine = 8 * 1024;
/** Milliseconds of looking, after which the event loop gets a turn, and after which the search is given up. */
const turnMs = 20;
const mostMs = 10_000;
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

interface Line {
	/** From 1 on. */
	readonly line: number;
	readonly offset: number;
	/** Its first ones. */
	readonly bytes: Buffer;
}

/** Splits what comes into lines, of which only the first bytes are kept. */
class Lines {
	#parts: Buffer[] = [];
	#kept = 0;
	#size = 0;
	#start = 0;
	#count = 0;

	*push(chunk: Buffer): Generator<Line> {
		let rest = chunk;
		for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
			this.#add(rest.subarray(0, end));
			yield this.#take(1);
			rest = rest.subarray(end + 1);
		}
		this.#add(rest);
	}

	*end(): Generator<Line> {
		if (this.#size > 0) yield this.#take(0);
	}

	#add(part: Buffer): void {
		this.#size += part.length;
		const room = longestLine - this.#kept;
		if (room <= 0 || part.length === 0) return;
		this.#parts.push(part.subarray(0, room));
		this.#kept += Math.min(room, part.length);
	}

	#take(endBytes: number): Line {
		const found = { line: ++this.#count, offset: this.#start, bytes: Buffer.concat(this.#parts) };
		this.#start += this.#size + endBytes;
		this.#parts = [];
		this.#kept = 0;
		this.#size = 0;
		return found;
	}
}

/** How much time the search itself has taken. */
class Stopwatch {
	#turn = performance.now();
	#spent = 0;

	/** After each line. */
	async lap(): Promise<void> {
		const now = performance.now();
		if (now - this.#turn < turnMs) return;
		this.#spent += now - this.#turn;
		if (this.#spent > mostMs) throw refuse('the pattern takes too long on this output');
		await breathe();
		this.restart();
	}

	/** What passed since the last lap was waiting. */
	restart(): void {
		this.#turn = performance.now();
	}
}

async function* linesOf(parts: AsyncIterable<Buffer>, watch: Stopwatch): AsyncGenerator<Line> {
	const lines = new Lines();
	for await (const part of parts) {
		watch.restart();
		yield* lines.push(part);
	}
	yield* lines.end();
}

/** @returns at most `most` lines in which the pattern is found; lines count from 1, offsets are bytes */
export async function grep(parts: AsyncIterable<Buffer>, pattern: RE2JS, most: number): Promise<GrepHit[]> {
	const hits: GrepHit[] = [];
	const watch = new Stopwatch();
	for await (const { line, offset, bytes } of linesOf(parts, watch)) {
		const text = bytes.toString().replace(/\r$/, '');
		if (pattern.matcher(text).find()) hits.push({ line, offset, text: toUSVString(text.slice(0, longestText)) });
		if (hits.length >= most) break;
		await watch.lap();
	}
	return hits;
}

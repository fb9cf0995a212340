import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Line, readLines, writeLine } from '../../../src/cli/lines.ts';

async function read(chunks: readonly (string | Buffer)[], maxBytes = 1_000): Promise<Line[]> {
	const lines: Line[] = [];
	for await (const line of readLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), maxBytes))
		lines.push(line);
	return lines;
}

const texts = (lines: readonly Line[]) => lines.map((line) => ('text' in line ? line.text : 'too long'));

describe('readLines', () => {
	it('joins what arrives in pieces, also inside a character', async () => {
		const bytes = Buffer.from('{"a":"ñ"}\n');
		expect(texts(await read([bytes.subarray(0, 7), bytes.subarray(7)]))).toEqual(['{"a":"ñ"}']);
	});

	it('reads a last line without an end', async () => {
		expect(texts(await read(['a\nb']))).toEqual(['a', 'b']);
	});

	it('reads nothing from nothing', async () => {
		expect(await read([])).toEqual([]);
	});

	it('reports a line that is too long and goes on with the next', async () => {
		expect(await read(['abc\nab', 'cd', 'ef\nabc\n'], 3)).toEqual([
			{ text: 'abc' },
			{ tooLong: true },
			{ text: 'abc' },
		]);
	});

	it('splits as split does, whatever the chunks', async () => {
		const chunks = fc.array(fc.stringMatching(/^[ab\n]{0,8}$/), { maxLength: 20 });
		const property = fc.asyncProperty(chunks, async (parts) => {
			const expected = parts.join('').split('\n');
			if (expected.at(-1) === '') expected.pop();
			expect(texts(await read(parts))).toEqual(expected);
		});
		await fc.assert(property, { numRuns: 500 });
	});
});

describe('writeLine', () => {
	it('writes one line of JSON', async () => {
		const output = new PassThrough();
		await writeLine(output, { text: 'a\nb' });
		expect(output.read().toString()).toBe('{"text":"a\\nb"}\n');
	});

	it('waits for a reader that is slower', async () => {
		const output = new PassThrough({ highWaterMark: 4 });
		const written = writeLine(output, 'a long line');
		expect(await Promise.race([written, new Promise((resolve) => setTimeout(resolve, 10, 'waiting'))])).toBe('waiting');
		output.resume();
		await expect(written).resolves.toBeUndefined();
	});
});

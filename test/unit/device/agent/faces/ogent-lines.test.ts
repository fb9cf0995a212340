import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LastLines } from '../../../../../src/device/agent/faces/ogent-lines.ts';

function linesOf(...chunks: (string | Buffer)[]): LastLines {
	const lines = new LastLines(3);
	for (const chunk of chunks) lines.push(Buffer.from(chunk));
	return lines;
}

describe('LastLines', () => {
	it.each([
		[['a\nb\nc\nd\n'], 'b\nc\nd', 4],
		[['a\nb\nc\nd'], 'b\nc\nd', 4],
		[['a', 'b', '\nc'], 'ab\nc', 2],
		[['a\r\nb\r\n'], 'a\nb', 2],
		[['\n\na\n'], '\n\na', 3],
		[[], '', 0],
	])('of %j are %j', (chunks, text, count) => {
		const lines = linesOf(...chunks);
		expect([lines.text, lines.count]).toEqual([text, count]);
	});

	it('are the same however the bytes are parted', () => {
		fc.assert(
			fc.property(fc.array(fc.constantFrom('é', '😀', '\n', 'x'), { maxLength: 30 }), fc.nat(40), (characters, at) => {
				const bytes = Buffer.from(characters.join(''));
				const [whole, parted] = [linesOf(bytes), linesOf(bytes.subarray(0, at), bytes.subarray(at))];
				expect([parted.text, parted.count]).toEqual([whole.text, whole.count]);
			}),
		);
	});

	it('keep the end of a line that never ends', () => {
		const lines = linesOf('x'.repeat(1_000_000), 'y');
		expect([lines.text, lines.count]).toEqual([`${'x'.repeat(4095)}y`, 1]);
	});
});

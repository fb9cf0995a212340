import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Capture } from '../../../../src/core/sandbox/capture.ts';
import { cutMark } from '../../../../src/core/text.ts';

function capture(keep: number, chunks: readonly string[]) {
	const stream = new Capture(keep);
	for (const chunk of chunks) stream.push(Buffer.from(chunk));
	return { ...stream.result(), total: stream.total };
}

describe('Capture', () => {
	it('keeps a short stream whole', () => {
		expect(capture(10, ['01234', '56789'])).toEqual({ text: '0123456789', truncated: false, total: 10 });
	});

	it('keeps head and tail of a long one and says how much is missing', () => {
		expect(capture(4, ['0123456789'])).toEqual({ text: `01${cutMark(6)}89`, truncated: true, total: 10 });
	});

	it('gives the odd byte to the head', () => {
		expect(capture(5, ['0', '123456', '789']).text).toBe(`012${cutMark(5)}89`);
	});

	it('keeps nothing when nothing may be kept', () => {
		expect(capture(0, ['abc'])).toEqual({ text: cutMark(3), truncated: true, total: 3 });
	});

	it('cleans what it kept', () => {
		expect(capture(100, ['\u001b[31m', 'red\r\n']).text).toBe('red\n');
	});

	it.each([
		[10, '01234', '01234'],
		[4, '012345', `01${cutMark(2)}45`],
	])('of %i bytes says at the end how much somebody dropped behind it', (keep, given, kept) => {
		const stream = new Capture(keep);
		stream.push(Buffer.from(given));
		stream.drop(7);
		stream.drop(2);
		const total = given.length + 9;
		expect({ ...stream.result(), total: stream.total }).toEqual({ text: kept + cutMark(9), truncated: true, total });
	});

	it('can be asked twice', () => {
		const stream = new Capture(4);
		stream.push(Buffer.from('0123456789'));
		expect(stream.result()).toEqual(stream.result());
	});

	it('never loses head or tail and never keeps more than allowed, whatever the chunks', () => {
		const chunks = fc.array(fc.stringMatching(/^[a-z]{0,9}$/), { maxLength: 30 });
		fc.assert(
			fc.property(chunks, fc.integer({ min: 1, max: 40 }), (parts, keep) => {
				const all = parts.join('');
				const { text, truncated, total } = capture(keep, parts);
				if (all.length <= keep) return text === all && !truncated && total === all.length;
				const half = Math.ceil(keep / 2);
				const tail = keep - half;
				const expected = all.slice(0, half) + cutMark(all.length - keep) + all.slice(all.length - tail);
				return text === expected && truncated && total === all.length;
			}),
			{ numRuns: 2_000 },
		);
	});

	it('keeps of a flood no more than it was told to', () => {
		const stream = new Capture(1024);
		for (let sent = 0; sent < 2_000; sent++) stream.push(Buffer.alloc(65_536, 0x61));
		const half = 'a'.repeat(512);
		expect({ total: stream.total, ...stream.result() }).toEqual({
			total: 2_000 * 65_536,
			text: `${half}${cutMark(2_000 * 65_536 - 1024)}${half}`,
			truncated: true,
		});
	});

	it('takes no more memory for a flood that comes byte by byte', () => {
		const stream = new Capture(1 << 20);
		const { heapUsed, external } = process.memoryUsage();
		for (let sent = 0; sent < 1_000_000; sent++) stream.push(Buffer.from('a'));
		const after = process.memoryUsage();
		expect(stream.result().text.length).toBe(1_000_000);
		expect(after.heapUsed + after.external - heapUsed - external).toBeLessThan(64 << 20);
	});
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameError, FrameReader } from '../../../../../src/device/agent/exec/frames.ts';

const read = (reader: FrameReader, pieces: readonly Buffer[]): unknown[] =>
	pieces.flatMap((piece) => [...reader.push(piece)]);

/** Cuts bytes at the given places, whatever they are. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
	const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
	return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe('frames', () => {
	it('are four bytes of length and JSON', () => {
		expect(encodeFrame({ a: 'é' })).toEqual(Buffer.from('\0\0\0\x0a{"a":"é"}', 'utf8'));
	});

	it('read back as what was sent, however they are cut', () => {
		fc.assert(
			fc.property(
				fc.array(fc.jsonValue(), { maxLength: 6 }),
				fc.array(fc.nat(), { maxLength: 8 }),
				(values, places) => {
					const sent = values.map((value) => JSON.parse(JSON.stringify(value)));
					const bytes = Buffer.concat(sent.map(encodeFrame));
					expect(read(new FrameReader(1_000_000), cut(bytes, places))).toEqual(sent);
				},
			),
		);
	});

	it('are refused as soon as their length is known to be too great, before anything of them is kept', () => {
		const reader = new FrameReader(10);
		expect(() => read(reader, [Buffer.from([0, 0, 0, 11])])).toThrow(new FrameError('a frame is longer than 10 bytes'));
		expect(() => read(new FrameReader(10), [Buffer.from('GET / HTTP/1.1\r\n')])).toThrow(FrameError);
	});

	it.each([
		['no JSON', Buffer.from('\0\0\0\x03{"a')],
		['no UTF-8', Buffer.from([0, 0, 0, 3, 0x22, 0xff, 0x22])],
		['nothing', Buffer.from([0, 0, 0, 0])],
	])('that hold %s are refused', (_name, bytes) => {
		expect(() => read(new FrameReader(100), [bytes])).toThrow(new FrameError('a frame is no JSON'));
	});

	it('never end in anything but values or a refusal, whatever comes', () => {
		fc.assert(
			fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (pieces) => {
				try {
					read(
						new FrameReader(1_000),
						pieces.map((piece) => Buffer.from(piece)),
					);
				} catch (error) {
					expect(error).toBeInstanceOf(FrameError);
				}
			}),
		);
	});
});

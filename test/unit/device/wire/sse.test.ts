import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../../src/contract/device-job.ts';
import { encodeSse, type SseMessage, SseReader, sseHeartbeat } from '../../../../src/device/wire/sse.ts';

const events: JobEvent[] = [
	{ seq: 1, at: 5, type: 'state', state: 'running' },
	{ seq: 2, at: 6, type: 'output', stream: 'stdout', offset: 0, base64: 'aGkK' },
];
const text = events.map(encodeSse).join(sseHeartbeat);
const messages: SseMessage[] = events.map((event) => ({ id: String(event.seq), data: JSON.stringify(event) }));

describe('a server-sent event', () => {
	it('is an id and one line of JSON', () => {
		expect(encodeSse({ seq: 1, at: 5, type: 'state', state: 'queued' })).toBe(
			'id: 1\ndata: {"seq":1,"at":5,"type":"state","state":"queued"}\n\n',
		);
	});

	it.each([
		['\\n', text],
		['\\r\\n', text.replaceAll('\n', '\r\n')],
	])('is read back wherever the text is cut, with %s at the ends of lines', (_, sent) => {
		for (let cut = 0; cut <= sent.length; cut++) {
			const reader = new SseReader();
			expect([...reader.push(sent.slice(0, cut)), ...reader.push(sent.slice(cut))]).toEqual(messages);
		}
	});

	it('may have several lines of data, fields that nobody knows, and no id of its own', () => {
		const reader = new SseReader();
		expect(reader.push('id: 7\ndata: a\nevent: x\ndata:b\n\n:c\n\ndata\n\n')).toEqual([
			{ id: '7', data: 'a\nb' },
			{ id: '7', data: '' },
		]);
	});

	it('is read in the time that its length takes, however small the pieces', () => {
		const reader = new SseReader();
		const piece = 'a'.repeat(10);
		const since = performance.now();
		reader.push('data: ');
		for (let count = 0; count < 200_000; count++) reader.push(piece);
		const [message] = reader.push('\n\n');
		expect(message?.data.length).toBe(2_000_000);
		expect(performance.now() - since).toBeLessThan(2_000);
	});

	it.each([
		['one line', 'a'],
		['many lines', 'data: aaaaaaaaaa\n'],
		['lines that are no data behind one that is', 'data: a\n: aaaaaaaaaaaaa\n'],
	])('that is too long is an error: %s', (_, part) => {
		const reader = new SseReader();
		const piece = part.repeat(10_000);
		expect(() => {
			for (let count = 0; count < 1_000; count++) reader.push(piece);
		}).toThrow('a message is too long');
	});

	it('ends with every carriage return, also one whose line feed comes later', () => {
		const reader = new SseReader();
		expect([
			...reader.push('data: a\r'),
			...reader.push('\r'),
			...reader.push('\ndata: b\r'),
			...reader.push('\n\r'),
		]).toEqual([
			{ id: undefined, data: 'a' },
			{ id: undefined, data: 'b' },
		]);
	});

	it('may come after any number of comments', () => {
		const reader = new SseReader();
		for (let count = 0; count < 5_000; count++) reader.push(`: ${'a'.repeat(1_000)}\n\n`);
		expect(reader.push('data: a\n\n')).toEqual([{ id: undefined, data: 'a' }]);
	});

	it('is not there before it is whole', () => {
		expect(new SseReader().push('id: 1\ndata: {}\n')).toEqual([]);
	});
});

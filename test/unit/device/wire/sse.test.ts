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

	it('is not there before it is whole', () => {
		expect(new SseReader().push('id: 1\ndata: {}\n')).toEqual([]);
	});
});

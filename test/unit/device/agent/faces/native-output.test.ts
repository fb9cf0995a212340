import { describe, expect, it } from 'vitest';
import { type Act, goodEnd, untilStopped } from '../../../../helpers/desk.ts';
import type { HandClient } from '../../../../helpers/native-client.ts';
import { nativeAgent, uptime } from '../../../../helpers/native-face.ts';

const printing =
	(stdout: string | Buffer, stderr = ''): Act =>
	async (_job, io) => {
		io.onOutput('stdout', Buffer.from(stdout));
		if (stderr !== '') io.onOutput('stderr', Buffer.from(stderr));
		return goodEnd;
	};

async function ran(act: Act): Promise<{ ann: HandClient; eve: HandClient; vic: HandClient; at: string }> {
	const { ann, eve, vic } = await nativeAgent({ act });
	const { jobId } = (await ann.submit(uptime, {}, '/v2/jobs?wait=5000')).json;
	return { ann, eve, vic, at: `/v2/jobs/${jobId}/output` };
}

describe('a page of output', () => {
	it('has text, where it stands, and where the next one begins', async () => {
		const { ann, at } = await ran(printing('0123456789', 'oops'));
		expect((await ann.get(`${at}/stdout?offset=2&limit=4`)).json).toEqual({
			...{ stream: 'stdout', encoding: 'utf8', text: '2345', offset: 2, nextOffset: 6, eof: false },
			...{ totalBytes: 10, storedBytes: 10 },
		});
		expect((await ann.get(`${at}/stderr`)).json).toMatchObject({ stream: 'stderr', text: 'oops', eof: true });
	});

	it('is one of many that together are every byte, with no character cut', async () => {
		const text = 'é😀x'.repeat(3000);
		const { ann, at } = await ran(printing(text));
		let read = '';
		for (let offset = 0, eof = false; !eof; ) {
			const { json } = await ann.get(`${at}/stdout?offset=${offset}&limit=1001`);
			expect(json.encoding).toBe('utf8');
			read += json.text;
			offset = json.nextOffset;
			eof = json.eof;
		}
		expect(read).toBe(text);
	});

	it('of other bytes than UTF-8 is base64', async () => {
		const bytes = Buffer.from([0xff, 0x00, 0xfe]);
		const { ann, at } = await ran(printing(bytes));
		expect((await ann.get(`${at}/stdout`)).json).toMatchObject({ encoding: 'base64', text: bytes.toString('base64') });
	});

	it('is the bytes themselves where that is asked for, and headers tell the rest', async () => {
		const bytes = Buffer.from([0xff, 0x00, 0xfe, 0x0a]);
		const { ann, at } = await ran(printing(bytes));
		const reply = await ann.get(`${at}/stdout?raw=1`);
		expect([reply.bytes, reply.headers]).toEqual([
			bytes,
			expect.objectContaining({
				...{ 'content-type': 'application/octet-stream', 'x-output-offset': '0', 'x-output-next-offset': '4' },
				...{ 'x-output-eof': 'true', 'x-output-total-bytes': '4', 'x-output-stored-bytes': '4' },
			}),
		]);
		expect((await ann.get(`${at}/stdout/tail?raw=1&lines=1`)).bytes).toEqual(bytes);
	});

	it('beyond the end is empty', async () => {
		const { ann, at } = await ran(printing('abc'));
		expect((await ann.get(`${at}/stdout?offset=99`)).json).toMatchObject({ text: '', eof: true, nextOffset: 3 });
	});

	it.each([
		'offset=-1',
		'offset=1.5',
		'offset=x',
		'limit=0',
		'limit=3',
		'limit=1048577',
		'raw=yes',
		'colour=red',
		'limit=9&limit=9',
	])('is not made for %s', async (query) => {
		const { ann, at } = await ran(printing('abc'));
		const { status, json } = await ann.get(`${at}/stdout?${query}`);
		expect([status, json.error.code]).toEqual([400, 'REQUEST_INVALID']);
	});

	it('is of one of the two streams', async () => {
		const { ann, at } = await ran(printing('abc'));
		expect((await ann.get(`${at}/stdin`)).status).toBe(400);
	});
});

describe('the last lines', () => {
	it('are as many as were asked for', async () => {
		const { ann, at } = await ran(printing('one\ntwo\nthree\n'));
		expect((await ann.get(`${at}/stdout/tail?lines=2`)).json).toMatchObject({
			text: 'two\nthree\n',
			offset: 4,
			eof: true,
		});
		expect((await ann.get(`${at}/stdout/tail`)).json).toMatchObject({ text: 'one\ntwo\nthree\n' });
	});
});

describe('a search', () => {
	it('finds lines with their numbers and offsets', async () => {
		const { ann, at } = await ran(printing('one\ntwo\nthree\n'));
		expect((await ann.get(`${at}/stdout/grep?pattern=${encodeURIComponent('^t.*e')}`)).json).toEqual({
			...{ stream: 'stdout', hits: [{ line: 3, offset: 8, text: 'three' }], isCut: false },
		});
	});

	it('says when there are more', async () => {
		const { ann, at } = await ran(printing('a\n'.repeat(10)));
		const [some, all] = await Promise.all(
			[9, 10].map(async (limit) => (await ann.get(`${at}/stdout/grep?pattern=a&limit=${limit}`)).json),
		);
		expect([some.hits.length, some.isCut, all.hits.length, all.isCut]).toEqual([9, true, 10, false]);
	});

	it.each(['', '(', 'a{1000}{1000}', 'x'.repeat(1001)])('for no pattern (%j) is refused', async (pattern) => {
		const { ann, at } = await ran(printing('a'));
		const { status, json } = await ann.get(`${at}/stdout/grep?pattern=${encodeURIComponent(pattern)}`);
		expect([status, json.error.code]).toEqual([400, 'REQUEST_INVALID']);
	});
});

describe('deleting output', () => {
	it('leaves the record of the job', async () => {
		const { ann, at } = await ran(printing('secret'));
		const { status, json } = await ann.send('DELETE', at);
		expect([status, json.output.isKept, json.result.status]).toEqual([200, false, 'succeeded']);
		expect((await ann.get(`${at}/stdout`)).json).toMatchObject({ text: '', eof: true });
	});

	it('is for the owner, not for those who may only look', async () => {
		const { ann, eve, vic, at } = await ran(printing('x'));
		const codes = [await eve.send('DELETE', at), await vic.send('DELETE', at)].map(({ json }) => json.error.code);
		expect([codes, (await ann.get(`${at}/stdout`)).json.text]).toEqual([['JOB_NOT_FOUND', 'AUTH_FORBIDDEN'], 'x']);
	});

	it('waits for the end of the job', async () => {
		const { ann } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const { status, json } = await ann.send('DELETE', `/v2/jobs/${jobId}/output`);
		expect([status, json.error.message]).toEqual([400, expect.stringContaining('not over')]);
	});
});

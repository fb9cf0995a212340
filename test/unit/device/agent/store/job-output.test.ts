/** The stored output of a job, on real files: nothing is lost up to the cap, and every byte can be found again. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputStore, Store } from '../../../../../src/device/agent/ports.ts';
import { addJob, agentFolder, openTestStore, runJob, succeeded } from '../../../../helpers/store.ts';

async function running(dir = agentFolder(), capBytes?: number): Promise<{ store: Store; output: OutputStore }> {
	const store = openTestStore(dir);
	await addJob(store);
	return { store, output: store.output('job-1', capBytes) };
}

async function printed(text: string | Buffer): Promise<OutputStore> {
	const { output } = await running();
	output.append('stdout', Buffer.from(text));
	await output.finish();
	return output;
}

const end = (store: Store, jobId = 'job-1') =>
	store.change((tx) => tx.setJob(jobId, { state: 'ended', result: succeeded, endedAt: 2 }), {
		event: 'job.end',
		jobId,
	});

describe('reading', () => {
	it('gives pages of bytes that join to what was printed, none cut inside a character', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.string({ unit: 'grapheme', maxLength: 300 }).filter((text) => !text.includes('\ufffd')),
				fc.integer({ min: 1, max: 40 }),
				async (text, limit) => {
					const output = await printed(text);
					const pages: Buffer[] = [];
					for (let offset = 0, eof = false; !eof; ) {
						const page = await output.read('stdout', offset, limit);
						expect({ offset: page.offset, length: page.bytes.length }).toEqual({
							offset,
							length: page.nextOffset - offset,
						});
						expect(page.bytes.toString()).not.toContain('\ufffd');
						pages.push(page.bytes);
						({ nextOffset: offset, eof } = page);
					}
					expect(Buffer.concat(pages)).toEqual(Buffer.from(text));
				},
			),
			{ numRuns: 30 },
		);
	});

	it('passes bytes through that are no text, and always comes forward', async () => {
		await fc.assert(
			fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 9 }), async (bytes, limit) => {
				const output = await printed(Buffer.from(bytes));
				const pages: Buffer[] = [];
				for (let offset = 0, eof = false; !eof; ) {
					const page = await output.read('stdout', offset, limit);
					if (!page.eof) expect(page.nextOffset).toBeGreaterThan(offset);
					pages.push(page.bytes);
					({ nextOffset: offset, eof } = page);
				}
				expect(Buffer.concat(pages)).toEqual(Buffer.from(bytes));
			}),
			{ numRuns: 30 },
		);
	});

	it('holds an unfinished character back until its rest has come, or the stream is over', async () => {
		const { output } = await running();
		const euro = Buffer.from('€');
		output.append('stdout', Buffer.concat([Buffer.from('a'), euro.subarray(0, 2)]));
		expect(await output.read('stdout', 0, 100)).toMatchObject({
			bytes: Buffer.from('a'),
			nextOffset: 1,
			eof: false,
			storedBytes: 3,
		});
		output.append('stdout', euro.subarray(2));
		expect(await output.read('stdout', 1, 100)).toMatchObject({ bytes: euro, eof: false });
		output.append('stdout', euro.subarray(0, 1));
		await output.finish();
		expect(await output.read('stdout', 4, 100)).toMatchObject({ bytes: euro.subarray(0, 1), eof: true });
	});

	it('answers every offset and limit', async () => {
		const output = await printed('0123456789');
		const read = async (offset: number, limit: number) => {
			const { bytes, offset: from, nextOffset, eof } = await output.read('stdout', offset, limit);
			return [bytes.toString(), from, nextOffset, eof];
		};
		expect(await read(0, 5)).toEqual(['01234', 0, 5, false]);
		expect(await read(8, 100)).toEqual(['89', 8, 10, true]);
		expect(await read(10, 5)).toEqual(['', 10, 10, true]);
		expect(await read(99, 5)).toEqual(['', 10, 10, true]);
		expect(await read(-3, 2)).toEqual(['0123', 0, 4, false]);
		expect(await read(1.7, Number.NaN)).toEqual(['1234', 1, 5, false]);
		expect(await read(Number.POSITIVE_INFINITY, 5)).toEqual(['', 10, 10, true]);
		expect(await read(0, Number.POSITIVE_INFINITY)).toEqual(['0123456789', 0, 10, true]);
		expect((await output.slice('stdout', 2, 3)).bytes.toString()).toBe('234');
		expect((await output.slice('stderr', 0, 3)).bytes.toString()).toBe('');
	});
});

describe('the tail', () => {
	it.each([
		['a\nb\nc\n', 1, 'c\n'],
		['a\nb\nc', 1, 'c'],
		['a\nb\nc\n', 2, 'b\nc\n'],
		['a\nb\nc\n', 3, 'a\nb\nc\n'],
		['a\nb\nc\n', 99, 'a\nb\nc\n'],
		['\n\n\n', 2, '\n\n'],
		['\nabc\n', 2, '\nabc\n'],
		['abc', 0, ''],
		['', 5, ''],
	])('of %j, %i lines, is %j', async (text, lines, tail) => {
		const page = await (await printed(text)).tail('stdout', lines);
		expect([page.bytes.toString(), page.offset, page.eof]).toEqual([tail, text.length - tail.length, true]);
	});

	it('looks as far back as it must', async () => {
		const text = Array.from({ length: 20_000 }, (_, n) => `line ${n}`).join('\n');
		const page = await (await printed(text)).tail('stdout', 15_000);
		expect(page.bytes.toString()).toBe(text.slice(text.indexOf('line 5000')));
	});

	it('of one endless line is its last mebibyte, from a whole character on', async () => {
		const page = await (await printed('€'.repeat(700_000))).tail('stdout', 1);
		expect(page.bytes.length).toBeGreaterThan(1024 * 1024 - 4);
		expect(page.bytes.toString()).toBe('€'.repeat(page.bytes.length / 3));
		expect(page.nextOffset).toBe(2_100_000);
	});
});

describe('grep', () => {
	it('finds lines, and says where they are', async () => {
		const output = await printed('alpha\nbeta\r\n\ngamma beta');
		expect(await output.grep('stdout', 'b.ta$', 10)).toEqual([
			{ line: 2, offset: 6, text: 'beta' },
			{ line: 4, offset: 13, text: 'gamma beta' },
		]);
		expect(await output.grep('stdout', 'a', 2)).toHaveLength(2);
		expect(await output.grep('stdout', 'a', 0)).toEqual([]);
		expect(await output.grep('stderr', 'a', 5)).toEqual([]);
	});

	it.each(['(', 'a{2000}', '(?=a)', 'x'.repeat(1001), '((a{100}){100}){100}', '(\\pL{30}){30}'])(
		'refuses %j',
		async (pattern) => {
			const output = await printed('a\n');
			await expect(output.grep('stdout', pattern, 5)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
		},
	);

	it('takes no longer for a pattern that would never end elsewhere', async () => {
		const output = await printed(`${'a'.repeat(200_000)}b\n`);
		expect(await output.grep('stdout', '^(a+)+$', 5)).toHaveLength(1);
		expect(await output.grep('stdout', '(x+x+)+y', 5)).toEqual([]);
	});

	it('gives back the beginning of a long line', async () => {
		const [hit] = await (await printed(`${'é'.repeat(50_000)}\nlast`)).grep('stdout', 'é', 5);
		expect(hit).toEqual({ line: 1, offset: 0, text: 'é'.repeat(1000) });
	});
});

describe('the cap', () => {
	it('is for both streams together; what is over it is counted', async () => {
		const { store, output } = await running(agentFolder(), 10);
		const text = Buffer.from('0123456');
		expect([output.append('stdout', text), output.append('stderr', text), output.append('stdout', text)]).toEqual([
			7, 3, 0,
		]);
		await output.finish();
		await end(store);
		expect(store.job('job-1')?.output).toEqual({
			stdout: { totalBytes: 14, storedBytes: 7, isComplete: true },
			stderr: { totalBytes: 7, storedBytes: 3, isComplete: true },
			isKept: true,
		});
		expect(await output.read('stderr', 0, 100)).toMatchObject({ bytes: Buffer.from('012'), eof: true, totalBytes: 7 });
	});

	it('is what a disk takes that is slower than the command: memory stays small, and what is kept has no hole', async () => {
		const { output } = await running(agentFolder(), 1024 * 1024 * 1024);
		const chunk = Buffer.alloc(1024 * 1024);
		const taken = Array.from({ length: 40 }, (_, n) => output.append('stdout', chunk.fill(n + 1)));
		expect(taken.slice(4).every((bytes) => bytes === 0)).toBe(true);
		await output.finish();
		const { storedBytes, totalBytes } = await output.read('stdout', 0, 1);
		expect([storedBytes, totalBytes]).toEqual([
			taken.filter((bytes) => bytes > 0).length * 1024 * 1024,
			40 * 1024 * 1024,
		]);
	});

	it('is kept whole when the command waits for a disk that is slower', async () => {
		const { output } = await running(agentFolder(), 1024 * 1024 * 1024);
		const chunk = Buffer.alloc(64 * 1024);
		let waits = 0;
		for (let n = 0; n < 640; n++) {
			expect(output.append('stdout', chunk.fill(n))).toBe(chunk.length);
			const room = output.room('stdout');
			if (room) waits++;
			await room;
		}
		await output.finish();
		expect([waits > 0, output.room('stdout')]).toEqual([true, undefined]);
		expect(await output.read('stdout', 0, 1)).toMatchObject({ storedBytes: 40 * 1024 * 1024 });
	});

	it('takes nothing after the end', async () => {
		const output = await printed('a');
		expect(output.append('stdout', Buffer.from('b'))).toBe(0);
		expect(await output.read('stdout', 0, 10)).toMatchObject({ bytes: Buffer.from('a'), eof: true });
	});
});

describe('the story of a job', () => {
	it('is kept in order, over a restart, and also after the end', async () => {
		const dir = agentFolder();
		const { store, output } = await running(dir);
		for (const line of ['["a"]', '["b"]']) output.note(line);
		await output.finish();
		await end(store);
		output.note('["c"]');
		expect(await output.notes()).toEqual(['["a"]', '["b"]', '["c"]']);
		store.close();
		expect(await openTestStore(dir).output('job-1').notes()).toEqual(['["a"]', '["b"]', '["c"]']);
	});

	it('goes on behind a line that a crash cut', async () => {
		const dir = agentFolder();
		const first = await running(dir);
		first.output.note('["a"]');
		await first.output.notes();
		first.store.close();
		appendFileSync(join(dir, 'state', 'output', 'job-1', 'story'), '["torn');
		const second = openTestStore(dir).output('job-1');
		expect(await second.notes()).toEqual(['["a"]']);
		second.note('["b"]');
		expect(await second.notes()).toEqual(['["a"]', '["b"]']);
	});

	it('makes no folder for a job that never began', async () => {
		const dir = agentFolder();
		const { store, output } = await running(dir);
		await output.finish();
		await end(store);
		output.note('["ended"]');
		await output.notes();
		expect(existsSync(join(dir, 'state', 'output', 'job-1'))).toBe(false);
	});
});

describe('files that somebody put there', () => {
	it('are not followed and not written over', async () => {
		const dir = agentFolder();
		const { output } = await running(dir);
		const target = join(dir, 'target');
		writeFileSync(target, 'mine');
		mkdirSync(join(dir, 'state', 'output', 'job-1'));
		symlinkSync(target, join(dir, 'state', 'output', 'job-1', 'stdout'));
		writeFileSync(join(dir, 'state', 'output', 'job-1', 'stderr'), 'theirs');
		output.append('stdout', Buffer.from('a'));
		output.append('stderr', Buffer.from('b'));
		await output.finish();
		expect(readFileSync(target, 'utf8')).toBe('mine');
		expect(await output.read('stdout', 0, 10)).toMatchObject({
			bytes: Buffer.alloc(0),
			storedBytes: 0,
			totalBytes: 1,
			eof: true,
		});
	});

	it.each(['../job', 'a/b', '.', '', 'a\0b', '-x', 'x'.repeat(200)])('an id like %j is no folder', (jobId) => {
		expect(() => openTestStore().output(jobId)).toThrow('There is no such job on this device');
	});

	it('that are gone are an end, not a wait', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		await runJob(store, await addJob(store), 'abc');
		const { rmSync } = await import('node:fs');
		rmSync(join(dir, 'state', 'output', 'job-1'), { recursive: true });
		expect(await store.output('job-1').read('stdout', 0, 10)).toMatchObject({
			bytes: Buffer.alloc(0),
			eof: true,
			totalBytes: 3,
		});
	});
});

describe('output that was removed', () => {
	it('is gone at once and for ever, and the audit says so', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		await runJob(store, await addJob(store), 'abc');
		const output = store.output('job-1');
		output.remove();
		const gone = {
			stdout: { totalBytes: 3, storedBytes: 0, isComplete: true },
			stderr: { totalBytes: 0, storedBytes: 0, isComplete: true },
			isKept: false,
		};
		expect(store.job('job-1')?.output).toEqual(gone);
		expect(await output.read('stdout', 0, 10)).toMatchObject({ bytes: Buffer.alloc(0), eof: true, storedBytes: 0 });
		expect(await store.output('job-1').read('stdout', 0, 10)).toMatchObject({ bytes: Buffer.alloc(0), eof: true });
		await store.change(() => {});
		await expect.poll(() => existsSync(join(dir, 'state', 'output', 'job-1'))).toBe(false);
		expect(store.job('job-1')).toMatchObject({ output: gone, result: { stdout: '', truncated: { stdout: true } } });
		store.close();
		const again = openTestStore(dir);
		expect(again.job('job-1')?.output).toEqual(gone);
		expect(await again.output('job-1').notes()).toEqual([]);
	});
});

import { describe, expect, it } from 'vitest';
import type { JobEvent, JobView } from '../../../../src/contract/device-job.ts';
import type { OutputStream } from '../../../../src/core/sandbox/backend.ts';
import { Feed, type FeedPlace } from '../../../../src/device/agent/feed.ts';
import type { OutputStore } from '../../../../src/device/agent/ports.ts';

/** Output that is kept in memory up to a cap; what a feed needs of a store. */
class Kept {
	readonly streams: Record<OutputStream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
	readonly lines: string[] = [];
	readonly cap: number;
	constructor(cap = 1_000_000) {
		this.cap = cap;
	}

	store(): OutputStore {
		const part: Partial<OutputStore> = {
			append: (stream, chunk) => {
				const room = this.cap - this.streams.stdout.length - this.streams.stderr.length;
				const kept = chunk.subarray(0, Math.max(0, room));
				this.streams[stream] = Buffer.concat([this.streams[stream], kept]);
				return kept.length;
			},
			note: (line) => void this.lines.push(line),
			notes: async () => this.lines,
			slice: async (stream, offset, length) => ({ bytes: this.streams[stream].subarray(offset, offset + length) }),
		};
		return part as OutputStore;
	}
}

function viewOf(kept: Kept, state: JobView['state']): JobView {
	const stateOf = (stream: OutputStream) => ({
		totalBytes: kept.streams[stream].length,
		storedBytes: kept.streams[stream].length,
		isComplete: true,
	});
	return {
		jobId: 'job-1',
		state,
		endedAt: 9,
		output: { stdout: stateOf('stdout'), stderr: stateOf('stderr'), isKept: true },
	} as JobView;
}

function place(kept: Kept, state: JobView['state'] = 'ended'): FeedPlace {
	let time = 0;
	return { output: kept.store(), view: () => viewOf(kept, state), now: () => ++time };
}

async function eventsOf(feed: Feed, after = 0): Promise<JobEvent[]> {
	const events: JobEvent[] = [];
	for await (const event of feed.watch(after, AbortSignal.timeout(5_000))) events.push(event);
	return events;
}

/** What an event says, without times. */
const brief = (event: JobEvent): unknown[] => {
	if (event.type === 'state') return [event.seq, event.state];
	if (event.type === 'end') return [event.seq, 'end', event.job.state];
	return [event.seq, event.stream, event.offset, Buffer.from(event.base64, 'base64').toString()];
};

const pause = () => new Promise((resolve) => setTimeout(resolve, 40));

async function ordinaryJob(kept: Kept): Promise<Feed> {
	const feed = Feed.begin(place(kept));
	feed.state('queued');
	feed.state('running');
	feed.output('stdout', Buffer.from('one '));
	await pause();
	feed.output('stdout', Buffer.from('two '));
	feed.output('stdout', Buffer.from('three'));
	feed.output('stderr', Buffer.from('oops'));
	await pause();
	feed.state('ended');
	feed.end();
	return feed;
}

const ordinaryStory = [
	[1, 'queued'],
	[2, 'running'],
	[3, 'stdout', 0, 'one '],
	[4, 'stdout', 4, 'two '],
	[5, 'stdout', 8, 'three'],
	[6, 'stderr', 0, 'oops'],
	[7, 'ended'],
	[8, 'end', 'ended'],
];

describe('the events of a job', () => {
	it('are numbered without a gap and end with the job', async () => {
		expect((await eventsOf(await ordinaryJob(new Kept()))).map(brief)).toEqual(ordinaryStory);
	});

	it('are the same for one who watches live and for one who comes late', async () => {
		const kept = new Kept();
		const feed = Feed.begin(place(kept));
		const live = eventsOf(feed);
		feed.state('running');
		for (let count = 0; count < 20; count++) {
			feed.output(count % 3 ? 'stdout' : 'stderr', Buffer.from(`${count} `));
			if (count % 5 === 0) await pause();
		}
		feed.state('ended');
		feed.end();
		expect(await live).toEqual(await eventsOf(feed));
	});

	it.each(ordinaryStory.map((_event, index) => index))(
		'go on after event %i as if nobody had been away',
		async (seen) => {
			const feed = await ordinaryJob(new Kept());
			expect((await eventsOf(feed, seen)).map(brief)).toEqual(ordinaryStory.slice(seen));
		},
	);

	it('end at once for one who has seen them all, or says to have seen more', async () => {
		const feed = await ordinaryJob(new Kept());
		expect([await eventsOf(feed, 8), await eventsOf(feed, 99)]).toEqual([[], []]);
	});

	it('never go back in time, whatever the clock does and whenever the job ended', async () => {
		const clock = [5, 3, 20];
		const feed = Feed.begin({ ...place(new Kept()), now: () => clock.shift() ?? 0 });
		feed.state('running');
		feed.output('stdout', Buffer.from('x'));
		feed.state('ended');
		feed.end();
		expect((await eventsOf(feed)).map(({ at }) => at)).toEqual([5, 5, 20, 20]);
	});

	it('gather small writes that come close together', async () => {
		const feed = Feed.begin(place(new Kept()));
		for (let count = 0; count < 100; count++) feed.output('stdout', Buffer.from('x'));
		feed.end();
		const events = await eventsOf(feed);
		expect(events.map(brief)).toEqual([
			[1, 'stdout', 0, 'x'],
			[2, 'stdout', 1, 'x'.repeat(99)],
			[3, 'end', 'ended'],
		]);
	});

	it('carry a long write in pieces of 64 KiB', async () => {
		const feed = Feed.begin(place(new Kept()));
		feed.output('stdout', Buffer.alloc(150_000, 'x'));
		feed.end();
		const offsets = (await eventsOf(feed)).map((event) => (event.type === 'output' ? event.offset : event.type));
		expect(offsets).toEqual([0, 65_536, 131_072, 'end']);
	});

	it('tell nothing of output beyond the cap, because it is not kept', async () => {
		const feed = Feed.begin(place(new Kept(5)));
		feed.output('stdout', Buffer.from('1234567'));
		feed.output('stdout', Buffer.from('89'));
		feed.end();
		expect((await eventsOf(feed)).map(brief)).toEqual([
			[1, 'stdout', 0, '12345'],
			[2, 'end', 'ended'],
		]);
	});

	it('stop for a watcher who goes away', async () => {
		const feed = Feed.begin(place(new Kept(), 'running'));
		feed.state('running');
		const away = new AbortController();
		const seen: number[] = [];
		for await (const { seq } of feed.watch(0, away.signal)) {
			seen.push(seq);
			away.abort();
		}
		expect(seen).toEqual([1]);
	});
});

describe('a job that changes between its streams with every byte', () => {
	it('costs its watchers few events, and none of its output', async () => {
		const kept = new Kept();
		const feed = Feed.begin(place(kept));
		for (let count = 0; count < 1_000; count++) feed.output(count % 2 === 0 ? 'stdout' : 'stderr', Buffer.from('ab'));
		feed.end();
		const events = await eventsOf(feed);
		const text = { stdout: '', stderr: '' };
		for (const event of events) if (event.type === 'output') text[event.stream] += Buffer.from(event.base64, 'base64');
		expect(text).toEqual({ stdout: 'ab'.repeat(500), stderr: 'ab'.repeat(500) });
		expect(events.length).toBeLessThan(100);
	});
});

describe('the events of a job after a restart', () => {
	it('are what was noted, with the same numbers', async () => {
		const kept = new Kept();
		await ordinaryJob(kept);
		expect((await eventsOf(await Feed.resume(place(kept)))).map(brief)).toEqual(ordinaryStory);
	});

	it('go on with the next number for a job that had not begun', async () => {
		const kept = new Kept();
		Feed.begin(place(kept)).state('queued');
		const feed = await Feed.resume(place(kept, 'queued'));
		feed.state('running');
		feed.end();
		expect((await eventsOf(feed)).map(brief)).toEqual([
			[1, 'queued'],
			[2, 'running'],
			[3, 'end', 'queued'],
		]);
	});

	it('tell of a lost job what was kept but not noted any more, and that it is lost', async () => {
		const kept = new Kept();
		const feed = Feed.begin(place(kept));
		feed.state('running');
		feed.output('stdout', Buffer.from('noted '));
		kept.store().append('stdout', Buffer.from('kept'));
		const events = await eventsOf(await Feed.resume(place(kept, 'lost')));
		expect(events.map(brief)).toEqual([
			[1, 'running'],
			[2, 'stdout', 0, 'noted '],
			[3, 'stdout', 6, 'kept'],
			[4, 'lost'],
			[5, 'end', 'lost'],
		]);
	});

	it.each([
		['a line that is cut', ['["state",1,1,"queued"]', '["output",2,']],
		['a line with other things in it', ['["state",1,1,"queued"]', '{"a":1}', '["state",2,1,"gone"]']],
		['a gap', ['["state",1,1,"queued"]', '["output",3,1,"stdout",0,4]']],
	])('leave out %s, and tell the output all the same', async (_what, lines) => {
		const kept = new Kept();
		kept.lines.push(...lines);
		kept.streams.stdout = Buffer.from('text');
		const events = await eventsOf(await Feed.resume(place(kept)));
		expect(events.map(brief)).toEqual([
			[1, 'queued'],
			[2, 'stdout', 0, 'text'],
			[3, 'ended'],
			[4, 'end', 'ended'],
		]);
	});
});

/** The story of one job for those who watch it: numbered events without a gap, the same live, late and after a restart. */
import { EventEmitter, once } from 'node:events';
import { z } from 'zod';
import { isOver, type JobEvent, type JobState, type JobView, jobStates } from '../../contract/device-job.ts';
import type { OutputStream } from '../../core/sandbox/backend.ts';
import type { OutputStore } from './ports.ts';

/** Small writes that come close together are one event, so that a chatty command costs its watchers no more than a quiet one. */
const gatherMs = 15;
/** Of so many ranges the order between the streams is kept; a command that changes between them with every byte has no more. */
const mostRanges = 16;
/** Bytes of output in one event. */
const eventBytes = 64 * 1024;

/** As it is noted beside the output: never output itself, only where it lies. */
const noteSchema = z.union([
	z.tuple([z.literal('state'), z.int(), z.int(), z.enum(jobStates)]),
	z.tuple([z.literal('output'), z.int(), z.int(), z.enum(['stdout', 'stderr']), z.int(), z.int()]),
]);
type Note = z.infer<typeof noteSchema>;

interface Range {
	readonly stream: OutputStream;
	readonly offset: number;
	length: number;
}

/** What the feed needs to know of its surroundings. */
export interface FeedPlace {
	readonly output: OutputStore;
	view(): JobView | undefined;
	now(): number;
}

export class Feed {
	readonly #place: FeedPlace;
	readonly #notes: Note[];
	readonly #changed = new EventEmitter().setMaxListeners(0);
	readonly #ends: Record<OutputStream, number> = { stdout: 0, stderr: 0 };
	#gathered: Range[] = [];
	#timer: NodeJS.Timeout | undefined;
	#isOver: boolean;

	private constructor(place: FeedPlace, notes: Note[], isOver: boolean) {
		this.#place = place;
		this.#notes = notes;
		this.#isOver = isOver;
		for (const note of notes) if (note[0] === 'output') this.#ends[note[3]] = note[4] + note[5];
	}

	/** Of a job that begins now. */
	static begin(place: FeedPlace): Feed {
		return new Feed(place, [], false);
	}

	/** Of a job that an earlier process began, or that ended long ago. Stored output that was not noted is told at the end. */
	static async resume(place: FeedPlace): Promise<Feed> {
		const notes = (await place.output.notes()).flatMap((line) => readNote(line));
		const view = place.view();
		const feed = new Feed(place, inOrder(notes), false);
		if (view && isOver(view.state)) feed.#complete(view);
		return feed;
	}

	/** @param at when it was entered, where that was noted before */
	state(state: JobState, at = this.#place.now()): void {
		this.flush();
		this.#add('state', at, state);
	}

	/** Keeps a chunk in the store and tells where it lies; counts what is dropped behind it. */
	output(stream: OutputStream, chunk: Buffer, dropped = 0): void {
		const kept = this.#place.output.append(stream, chunk, dropped);
		if (kept === 0) return;
		this.#gather(stream, kept);
		this.#timer ??= this.#flushAndWait();
	}

	/** After this the job is over and every watcher hears its end. */
	end(): void {
		this.flush();
		clearTimeout(this.#timer);
		this.#isOver = true;
		this.#changed.emit('change');
	}

	/** The number of the last event; a watcher that has seen it and more is at the end. */
	get lastSeq(): number {
		return this.#notes.length + (this.#isOver ? 1 : 0);
	}

	async *watch(afterSeq: number, signal: AbortSignal): AsyncGenerator<JobEvent> {
		let seq = afterSeq;
		while (!signal.aborted) {
			const note = this.#notes[seq];
			if (note) {
				yield await this.#eventOf(note);
				seq = note[1];
			} else if (this.#isOver) {
				if (seq === this.#notes.length) yield this.#endEvent();
				return;
			} else await once(this.#changed, 'change', { signal }).catch(() => {});
		}
	}

	#gather(stream: OutputStream, length: number): void {
		const isMuch = this.#gathered.length >= mostRanges;
		const last = isMuch ? this.#gathered.findLast((range) => range.stream === stream) : this.#gathered.at(-1);
		if (last?.stream === stream && last.length + length <= eventBytes) last.length += length;
		else this.#gathered.push({ stream, offset: this.#ends[stream], length });
		this.#ends[stream] += length;
	}

	/** The first output is told at once. */
	#flushAndWait(): NodeJS.Timeout {
		this.flush();
		return setTimeout(() => {
			this.#timer = undefined;
			if (this.#gathered.length > 0) this.#timer = this.#flushAndWait();
		}, gatherMs);
	}

	/** Tells now what was gathered. */
	flush(): void {
		const gathered = this.#gathered;
		this.#gathered = [];
		for (const range of gathered.flatMap(pieces))
			this.#add('output', this.#place.now(), range.stream, range.offset, range.length);
	}

	#add(...rest: ['state', number, JobState] | ['output', number, OutputStream, number, number]): void {
		const [kind, at, ...more] = rest;
		const note = [kind, this.#notes.length + 1, this.#notBefore(at), ...more] as Note;
		this.#notes.push(note);
		this.#place.output.note(JSON.stringify(note));
		this.#changed.emit('change');
	}

	/** Events never go back in time, also when somebody sets the clock. */
	#notBefore = (at: number): number => Math.max(at, this.#notes.at(-1)?.[2] ?? at);

	/** A crash may have kept output whose note is gone, and always kept the last state from being told. */
	#complete(view: JobView): void {
		for (const stream of ['stdout', 'stderr'] as const) {
			const missing = view.output[stream].storedBytes - this.#ends[stream];
			if (missing > 0) this.#gather(stream, missing);
		}
		this.flush();
		const last = this.#notes.findLast((note) => note[0] === 'state');
		if (last?.[3] !== view.state) this.#add('state', view.endedAt ?? this.#place.now(), view.state);
		this.#isOver = true;
	}

	async #eventOf(note: Note): Promise<JobEvent> {
		const [type, seq, at] = note;
		if (type === 'state') return { seq, at, type, state: note[3] };
		const [, , , stream, offset, length] = note;
		const { bytes } = await this.#place.output.slice(stream, offset, length);
		return { seq, at, type, stream, offset, base64: bytes.toString('base64') };
	}

	#endEvent(): JobEvent {
		const job = this.#place.view();
		if (!job) throw new Error('a watched job is gone');
		return { seq: this.lastSeq, at: this.#notBefore(job.endedAt ?? this.#place.now()), type: 'end', job };
	}
}

function readNote(line: string): Note[] {
	try {
		const parsed = noteSchema.safeParse(JSON.parse(line));
		return parsed.success ? [parsed.data] : [];
	} catch {
		return [];
	}
}

/** What follows a gap cannot be told in order, so it is told as output that was not noted. */
function inOrder(notes: readonly Note[]): Note[] {
	const gap = notes.findIndex((note, index) => note[1] !== index + 1);
	return gap === -1 ? [...notes] : notes.slice(0, gap);
}

function pieces(range: Range): Range[] {
	const count = Math.ceil(range.length / eventBytes);
	return Array.from({ length: count }, (_, index) => ({
		stream: range.stream,
		offset: range.offset + index * eventBytes,
		length: Math.min(eventBytes, range.length - index * eventBytes),
	}));
}

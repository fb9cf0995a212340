/** Keeps boxes that wait for a job, of each kind as many as are called for, and never more memory than it may. */
import { type Deferred, deferred } from '../deferred.ts';
import { type Demand, isCalm, noteCall, wantedBoxes } from './demand.ts';

/** What the pool knows of a box. */
export interface PoolBox {
	/** True when it waits, false when it never will. */
	readonly isReady: Promise<boolean>;
	/** Whether it can still be given a job. */
	readonly isWaiting: boolean;
	/** Memory that it holds while it waits. */
	readonly bytes: number;
	readonly madeAt: number;
	/** Resolves when nothing of it is left. */
	readonly isGone: Promise<unknown>;
	dismiss(): void;
}

export interface PoolSettings<Spec, Box extends PoolBox> {
	/** Jobs of one kind can use each other's boxes. */
	kindOf(spec: Spec): string;
	make(spec: Spec): Box;
	/** Bytes that all waiting boxes may hold. */
	readonly budgetBytes: number;
	/** Bytes that they may hold when nobody has called for a while. */
	readonly calmBytes: number;
	/** Taken for what a box will hold before the first of its kind was measured. */
	readonly assumedBytes: number;
	/** A box that has waited for so long is replaced. */
	readonly longestWaitMs: number;
	/** Whether the machine, or our part of it, is short of memory. */
	isPressed(): boolean;
	/** How many may be in the making, and how many jobs may run meanwhile. */
	readonly processors: number;
	now(): number;
}

/** Boxes of one kind; those in the making stand behind those that wait. */
interface Shelf<Spec, Box> {
	/** The last job of the kind, of whose parts a box is made. */
	spec: Spec;
	demand: Demand;
	/** Until when no box of this kind is made, because the last one failed. */
	pausedUntil: number;
	readonly boxes: Box[];
	/** What the last box of the kind held. */
	bytes: number;
}

/** After a box that could not be made, and after the machine was short of memory. */
const pauseMs = 60_000;
/** Boxes are made when the answer has long been given. */
const afterAnswerMs = 10;
const lookMs = 1_000;
/** Kinds that were called within this time of one another share what there is. */
const momentMs = 2_000;
/** How long a job waits for a box in the making. */
const patienceMs = 2_000;

/** What waits keeps no process alive; whoever waits for it does. */
function awake<T>(awaited: Promise<T>): Promise<T> {
	const timer = setInterval(() => {}, lookMs);
	return awaited.finally(() => clearInterval(timer));
}

/** One that waits goes before one in the making. */
function takeFirst<Box extends PoolBox>(boxes: Box[]): Box | undefined {
	const at = boxes.findIndex(({ isWaiting }) => isWaiting);
	return boxes.splice(Math.max(at, 0), 1)[0];
}

/** Resolves with undefined when a cold start would be there first, or nobody wants it any more. */
async function withPatience(isReady: Promise<boolean>, signal: AbortSignal | undefined): Promise<boolean | undefined> {
	const enough = deferred();
	const timer = setTimeout(enough.resolve, patienceMs);
	signal?.addEventListener('abort', enough.resolve);
	if (signal?.aborted) enough.resolve();
	try {
		return await Promise.race([isReady, enough.promise.then(() => undefined)]);
	} finally {
		clearTimeout(timer);
		signal?.removeEventListener('abort', enough.resolve);
	}
}

export class Pool<Spec, Box extends PoolBox> {
	readonly #settings: PoolSettings<Spec, Box>;
	readonly #shelves = new Map<string, Shelf<Spec, Box>>();
	readonly #dismissed = new WeakSet<Box>();
	readonly #leaving = new Set<Promise<unknown>>();
	#making = 0;
	#running = 0;
	/** What may be held, asked of the machine once for each look. */
	#allowedBytes = 0;
	/** Until when nothing waits, because the machine was short of memory: what is made as soon as it is not makes it short again. */
	#pressedUntil = 0;
	/** Looks since nobody has called for a while. */
	#calmLooks = 0;
	#nextLook: NodeJS.Timeout | undefined;
	#lookAt = 0;
	#isClosed = false;
	/** Resolved when nothing more is to be made for now. */
	#settled: Deferred | undefined;

	constructor(settings: PoolSettings<Spec, Box>) {
		this.#settings = settings;
	}

	/** A job has begun, whether it takes a box or not; `done` says when it is over. */
	begin(): void {
		this.#running++;
	}

	/**
	 * A box that waits, or will in a moment; undefined: there is none.
	 * @param signal ends the waiting for a box in the making
	 */
	async take(spec: Spec, signal?: AbortSignal): Promise<Box | undefined> {
		const shelf = this.#shelfOf(spec);
		for (let box = takeFirst(shelf.boxes); box; box = takeFirst(shelf.boxes)) {
			const isReady = await withPatience(box.isReady, signal);
			if (isReady === undefined) return this.#giveBack(shelf, box);
			if (isReady && box.isWaiting) return box;
		}
		return undefined;
	}

	/** A box that takes too long to make is for a later job. */
	#giveBack(shelf: Shelf<Spec, Box>, box: Box): undefined {
		if (this.#isClosed) this.#dismiss(box);
		else shelf.boxes.push(box);
	}

	done(): void {
		this.#running--;
		this.#lookIn(afterAnswerMs);
	}

	/** Resolves when everything that is called for waits. */
	async settle(): Promise<void> {
		if (this.#isClosed) return;
		this.#lookIn(0);
		this.#settled ??= deferred();
		await awake(this.#settled.promise);
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		clearTimeout(this.#nextLook);
		this.#settled?.resolve();
		for (const shelf of this.#shelves.values()) this.#clear(shelf, 0);
		await awake(Promise.all(this.#leaving));
	}

	#shelfOf(spec: Spec): Shelf<Spec, Box> {
		const kind = this.#settings.kindOf(spec);
		const found = this.#shelves.get(kind);
		const demand = noteCall(found?.demand, this.#settings.now());
		if (found) return Object.assign(found, { spec, demand });
		const shelf = { spec, demand, pausedUntil: 0, boxes: [], bytes: this.#settings.assumedBytes };
		this.#shelves.set(kind, shelf);
		return shelf;
	}

	/** One look is enough, the nearest. It keeps no process alive. */
	#lookIn(ms: number): void {
		const at = this.#settings.now() + ms;
		if (this.#isClosed || (this.#nextLook && this.#lookAt <= at)) return;
		clearTimeout(this.#nextLook);
		this.#lookAt = at;
		this.#nextLook = setTimeout(() => {
			this.#nextLook = undefined;
			this.#look();
		}, ms).unref();
	}

	#look(): void {
		this.#allowedBytes = this.#allow();
		this.#shrink();
		this.#measureWhenCalm();
		this.#fill();
		if (this.#shelves.size > 0) this.#lookIn(lookMs);
	}

	get #heldBytes(): number {
		return [...this.#shelves.values()].reduce((sum, { boxes, bytes }) => sum + boxes.length * bytes, 0);
	}

	#allow(): number {
		const { budgetBytes, calmBytes, isPressed, now } = this.#settings;
		if (isPressed()) this.#pressedUntil = now() + pauseMs;
		if (now() < this.#pressedUntil) return 0;
		return this.#isCalm ? Math.min(calmBytes, budgetBytes) : budgetBytes;
	}

	/** Gives up what is not called for, what is too old, and, beginning with the kind that was called least lately, what is too much. */
	#shrink(): void {
		const { now, longestWaitMs } = this.#settings;
		for (const [kind, shelf] of this.#shelves) {
			const wanted = wantedBoxes(shelf.demand, now());
			this.#clear(shelf, wanted);
			for (const box of shelf.boxes.filter(({ madeAt }) => now() - madeAt > longestWaitMs)) this.#drop(shelf, box);
			if (wanted === 0) this.#shelves.delete(kind);
		}
		for (const shelf of this.#byLastCall().reverse())
			while (shelf.boxes.length > 0 && this.#heldBytes > this.#allowedBytes) this.#clear(shelf, shelf.boxes.length - 1);
	}

	/** What boxes share is more for each of them when there are few, so those that are left are measured once more. */
	#measureWhenCalm(): void {
		const wasCalm = this.#calmLooks > 0;
		this.#calmLooks = this.#isCalm ? this.#calmLooks + 1 : 0;
		// The first time the others may still be ending.
		if (!wasCalm || this.#calmLooks !== 2) return;
		for (const shelf of this.#shelves.values())
			if (shelf.boxes.length > 0) shelf.bytes = Math.max(...shelf.boxes.map(({ bytes }) => bytes));
		this.#shrink();
	}

	get #isCalm(): boolean {
		return isCalm(
			[...this.#shelves.values()].map(({ demand }) => demand),
			this.#settings.now(),
		);
	}

	#byLastCall(): Shelf<Spec, Box>[] {
		return [...this.#shelves.values()].sort((a, b) => b.demand.lastAt - a.demand.lastAt);
	}

	#clear(shelf: Shelf<Spec, Box>, left: number): void {
		for (const box of shelf.boxes.splice(left)) this.#dismiss(box);
	}

	#drop(shelf: Shelf<Spec, Box>, box: Box): void {
		const at = shelf.boxes.indexOf(box);
		if (at >= 0) shelf.boxes.splice(at, 1);
		this.#dismiss(box);
	}

	#dismiss(box: Box): void {
		this.#dismissed.add(box);
		box.dismiss();
		this.#leaving.add(box.isGone);
		void box.isGone.then(() => this.#leaving.delete(box.isGone));
	}

	/** Jobs come first: while they keep all processors busy no box is made, for it would be no faster than a cold start. */
	#fill(): void {
		const { processors } = this.#settings;
		while (this.#making < processors && this.#running < processors) {
			const shelf = this.#nextShelf();
			if (!shelf) break;
			void this.#make(shelf);
		}
		if (this.#making > 0 || this.#nextShelf()) return;
		this.#settled?.resolve();
		this.#settled = undefined;
	}

	/** The kind that was called last goes first, if there is room for one more of it. */
	#nextShelf(): Shelf<Spec, Box> | undefined {
		const { now } = this.#settings;
		const shelves = this.#byLastCall();
		const lacking = ({ boxes, demand, pausedUntil }: Shelf<Spec, Box>) =>
			boxes.length < wantedBoxes(demand, now()) && pausedUntil <= now();
		return shelves.find((shelf) => lacking(shelf) && this.#hasRoom(shelf, shelves));
	}

	/** Takes the place of others, beginning with the kind that was called least lately, but only where that is enough. */
	#hasRoom(shelf: Shelf<Spec, Box>, byLastCall: readonly Shelf<Spec, Box>[]): boolean {
		const yielding = this.#yieldingTo(shelf, byLastCall);
		const yielded = yielding.reduce((sum, { other, boxes }) => sum + boxes * other.bytes, 0);
		const lacks = () => shelf.bytes - (this.#allowedBytes - this.#heldBytes);
		if (lacks() > yielded) return false;
		for (const { other, boxes } of yielding)
			for (let n = 0; n < boxes && lacks() > 0; n++) this.#clear(other, other.boxes.length - 1);
		return true;
	}

	/**
	 * Who gives way, and with how many boxes: to the first box of a kind any kind that was called before it; to further ones
	 * kinds that nobody has called for a moment, of which one box is left.
	 */
	#yieldingTo(shelf: Shelf<Spec, Box>, byLastCall: readonly Shelf<Spec, Box>[]) {
		const isFirst = shelf.boxes.length === 0;
		return byLastCall
			.slice(byLastCall.indexOf(shelf) + 1)
			.filter(({ demand }) => isFirst || shelf.demand.lastAt - demand.lastAt > momentMs)
			.reverse()
			.map((other) => ({ other, boxes: Math.max(0, other.boxes.length - (isFirst ? 0 : 1)) }));
	}

	async #make(shelf: Shelf<Spec, Box>): Promise<void> {
		this.#making++;
		try {
			const box = this.#settings.make(shelf.spec);
			shelf.boxes.push(box);
			if (await box.isReady) shelf.bytes = box.bytes;
			else this.#fail(shelf, box);
		} catch {
			this.#fail(shelf);
		} finally {
			this.#making--;
			this.#lookIn(0);
		}
	}

	/** A kind that cannot wait starts cold meanwhile. */
	#fail(shelf: Shelf<Spec, Box>, box?: Box): void {
		if (box && this.#dismissed.has(box)) return;
		shelf.pausedUntil = this.#settings.now() + pauseMs;
		if (box) this.#drop(shelf, box);
	}
}

/** Passes output on to a chat while it comes, where n8n streams; elsewhere there is nobody to see it. */
import type { NodeContext } from './context.ts';

/** Present at run time in every context of a tool, though not in every type. */
interface Streaming {
	isStreaming?(): boolean;
	sendChunk?(type: 'begin' | 'item' | 'end', itemIndex: number, content?: string): void | Promise<void>;
}

/** Small pieces are gathered for so long, so that a chatty program costs no message for each line. */
const gatherMs = 100;
/** What a chat is shown of one program; the result has the rest. */
const mostCharacters = 64 * 1024;

export class LiveOutput {
	readonly #context: Streaming;
	readonly #itemIndex: number;
	#text = '';
	#shown = 0;
	#timer: NodeJS.Timeout | undefined;
	#sent: Promise<void> = Promise.resolve();
	#hasBegun = false;

	private constructor(context: Streaming, itemIndex: number) {
		this.#context = context;
		this.#itemIndex = itemIndex;
	}

	/** Undefined where n8n does not stream. */
	static of(context: NodeContext, itemIndex: number): LiveOutput | undefined {
		const streaming = context as unknown as Streaming;
		return streaming.isStreaming?.() && streaming.sendChunk ? new LiveOutput(streaming, itemIndex) : undefined;
	}

	push(text: string): void {
		const room = mostCharacters - this.#shown;
		if (room <= 0 || text === '') return;
		this.#text += text.slice(0, room);
		this.#shown += Math.min(room, text.length);
		this.#timer ??= setTimeout(() => this.#flush(), gatherMs);
	}

	/** Everything is sent when it resolves; a chat that cannot be reached is no failure of the program. */
	async end(): Promise<void> {
		this.#flush();
		if (this.#hasBegun) this.#send('end');
		await this.#sent;
	}

	#flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#text === '') return;
		if (!this.#hasBegun) this.#send('begin');
		this.#hasBegun = true;
		this.#send('item', this.#text);
		this.#text = '';
	}

	#send(type: 'begin' | 'item' | 'end', content?: string): void {
		this.#sent = this.#sent.then(() => this.#context.sendChunk?.(type, this.#itemIndex, content)).catch(() => {});
	}
}

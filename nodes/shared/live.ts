/** Shows what a program prints while it runs: in a chat that is streamed, and in the browser's console of a manual run. */
import { StringDecoder } from 'node:string_decoder';
import { cleanText } from '../../src/core/text.ts';
import type { NodeContext } from './context.ts';

type Stream = 'stdout' | 'stderr';

export interface Live {
	readonly onOutput: (stream: Stream, chunk: Buffer) => void;
	/** Resolves when everything has been handed on. */
	end(): Promise<void>;
}

/** Not every context has them, and not every type says so. */
interface Streaming {
	isStreaming?(): boolean;
	sendChunk?(type: 'begin' | 'item' | 'end', itemIndex: number, content?: string): Promise<void>;
	sendMessageToUI?(message: string): void;
}

/** A chat is for people; whoever wants more reads the file. */
const mostCharacters = 32_768;

type Send = (type: 'begin' | 'item' | 'end', content?: string) => Promise<void>;

/** Hands texts on in order; one that cannot be handed on must not spoil the job. */
class ChatStream {
	readonly #send: Send;
	#last: Promise<void>;
	#characters = 0;

	constructor(send: Send) {
		this.#send = send;
		this.#last = send('begin').catch(() => {});
	}

	push(text: string): void {
		const room = mostCharacters - this.#characters;
		this.#characters += text.length;
		if (room <= 0) return;
		const shown = text.length <= room ? text : `${text.slice(0, room)}\n[… more is not shown here …]\n`;
		this.#last = this.#last.then(() => this.#send('item', shown)).catch(() => {});
	}

	async end(): Promise<void> {
		await this.#last;
		await this.#send('end').catch(() => {});
	}
}

/** @param isWanted whether the author wants the chat to see it; the console of the author's own browser always may */
export function liveFor(context: NodeContext, itemIndex: number, isWanted: boolean): Live {
	const node = context as unknown as Streaming;
	const isStreamed = isWanted && node.isStreaming?.() === true && node.sendChunk !== undefined;
	const chat = isStreamed ? new ChatStream(async (type, text) => node.sendChunk?.(type, itemIndex, text)) : undefined;
	const isManual = context.getMode() === 'manual';
	const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
	return {
		onOutput: (stream, chunk) => {
			const text = cleanText(Buffer.from(decoders[stream].write(chunk)));
			if (text === '') return;
			chat?.push(text);
			if (isManual) node.sendMessageToUI?.(text);
		},
		end: async () => chat?.end(),
	};
}

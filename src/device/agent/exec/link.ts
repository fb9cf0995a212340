/** One connection between the front and the exec side: whole messages in and out, and a writer that waits for its reader. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { z } from 'zod';
import { encodeFrame, FrameError, FrameReader } from './frames.ts';

export interface LinkOptions<In> {
	readonly schema: z.ZodType<In>;
	readonly mostBytes: number;
	hear(message: In): void;
	/** The other side said what it must not say; the connection is closed after this. */
	malformed(details: string): void;
}

export class Link<In, Out> {
	readonly #socket: Socket;
	/** Resolves when the connection is over, whoever ended it. */
	readonly closed: Promise<void>;

	constructor(socket: Socket, options: LinkOptions<In>) {
		this.#socket = socket;
		this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
		socket.on('error', () => {
			// The other side is gone; "close" follows.
		});
		const reader = new FrameReader(options.mostBytes);
		socket.on('data', (piece: Buffer) => {
			try {
				for (const frame of reader.push(piece)) options.hear(parsed(options.schema, frame));
			} catch (error) {
				if (!(error instanceof FrameError)) throw error;
				socket.pause();
				options.malformed(error.message);
			}
		});
	}

	/** @returns a promise when the other side does not keep up: it resolves when there is room again, or nobody left */
	send(message: Out): Promise<void> | undefined {
		if (this.#socket.destroyed || this.#socket.write(encodeFrame(message))) return undefined;
		return Promise.race([once(this.#socket, 'drain').then(() => {}), this.closed]).catch(() => {});
	}

	/** What was sent before still goes out. */
	end(): void {
		this.#socket.destroySoon();
	}

	destroy(): void {
		this.#socket.destroy();
	}

	pause(): void {
		this.#socket.pause();
	}

	resume(): void {
		this.#socket.resume();
	}
}

function parsed<In>(schema: z.ZodType<In>, frame: unknown): In {
	const result = schema.safeParse(frame);
	if (result.success) return result.data;
	const [issue] = result.error.issues;
	throw new FrameError(`a message does not fit: ${issue?.path.join('.') || 'type'}: ${issue?.message ?? 'unknown'}`);
}

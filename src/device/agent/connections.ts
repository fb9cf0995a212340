/** Watches the connections of one listener: not too many, none of one address alone, and none that takes its answer too slowly. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionLimits {
	readonly connections: number;
	readonly connectionsPerPeer: number;
}

/** A peer that takes nothing of its answer in so many looks in a row is cut off. */
const lookMs = 15_000;
const stallsUntilCut = 4;

/** What was sent to a peer when it was looked at last. */
interface Seen {
	sentBytes: number;
	/** Of one long write, what the system has not taken yet; the rest of it counts as sent only when all of it is. */
	queuedBytes: number;
	stalls: number;
}

/** Node.js itself looks there when it waits for a slow peer. */
const queuedOf = (socket: Socket): number =>
	(socket as { readonly _handle?: { readonly writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0;

export class Connections {
	readonly #seen = new Map<Socket, Seen>();
	readonly #perPeer = new Map<string, number>();
	readonly #limits: ConnectionLimits;
	readonly #timer: NodeJS.Timeout;

	constructor(server: Server, limits: ConnectionLimits) {
		this.#limits = limits;
		server.maxConnections = limits.connections;
		server.on('connection', (socket: Socket) => {
			if (this.#admit(socket)) this.#watch(socket);
		});
		// What is sent over TLS goes through a socket of its own.
		server.on('secureConnection', (socket: Socket) => this.#watch(socket));
		this.#timer = setInterval(() => this.#look(), lookMs).unref();
	}

	/** Ends everything that is still open, also what was upgraded. */
	destroy(): void {
		clearInterval(this.#timer);
		for (const socket of this.#seen.keys()) socket.destroy();
	}

	#admit(socket: Socket): boolean {
		const peer = socket.remoteAddress ?? '';
		const count = this.#perPeer.get(peer) ?? 0;
		if (count >= this.#limits.connectionsPerPeer) {
			socket.destroy();
			return false;
		}
		this.#perPeer.set(peer, count + 1);
		socket.once('close', () => this.#leave(peer));
		return true;
	}

	#leave(peer: string): void {
		const count = (this.#perPeer.get(peer) ?? 1) - 1;
		if (count > 0) this.#perPeer.set(peer, count);
		else this.#perPeer.delete(peer);
	}

	#watch(socket: Socket): void {
		this.#seen.set(socket, { sentBytes: 0, queuedBytes: 0, stalls: 0 });
		socket.once('close', () => this.#seen.delete(socket));
	}

	#look(): void {
		for (const [socket, seen] of this.#seen) {
			const sentBytes = socket.bytesWritten - socket.writableLength;
			const queuedBytes = queuedOf(socket);
			const isSame = sentBytes === seen.sentBytes && queuedBytes === seen.queuedBytes;
			const isStuck = socket.writableLength > 0 && isSame;
			seen.stalls = isStuck ? seen.stalls + 1 : 0;
			Object.assign(seen, { sentBytes, queuedBytes });
			if (seen.stalls >= stallsUntilCut) socket.destroy();
		}
	}
}

/** The only way out of a jail: stands outside, hears every name and every connection, and lets through what the rules allow. */
import type { Socket as UdpSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect, type Server, type Socket } from 'node:net';
import { fixedLimits } from '../../contract/limits.ts';
import type { BoxSocket } from '../sandbox/backend.ts';
import { readFirstWords } from './first-words.ts';
import { Names } from './names.ts';
import { dnsPort, type NetworkRules, normaliseName } from './rules.ts';

/** One thing that was let through or not, once for each host, port and reason. */
export interface Decision {
	readonly host: string;
	/** Null: only the name was asked for. */
	readonly port: number | null;
	/** Null: it was let through. */
	readonly refused: string | null;
}

/** How long a connection to the outside may take to come about. */
const connectMs = 10_000;
/** How long a client of an unusual port may stay silent before it is taken for one that waits for the server. */
const silentMs = 300;
const mostDecisions = 100;
/** Where the client always speaks first, so it can be heard first. */
const clientSpeaksFirst = [80, 443, 8080, 8443];

class Refusal extends Error {}

export class Gateway {
	readonly #rules: NetworkRules;
	readonly #names: Names;
	readonly #open = new Set<{ destroy(): void }>();
	readonly #listeners = new Set<BoxSocket>();
	readonly #decisions = new Map<string, Decision>();
	#connections = 0;
	#bytes = 0;

	constructor(rules: NetworkRules) {
		this.#rules = rules;
		this.#names = new Names(rules);
	}

	get decisions(): readonly Decision[] {
		return [...this.#decisions.values()];
	}

	/** What an author allowed, in their words. */
	get allowed(): readonly string[] {
		return this.#rules.allowed;
	}

	/** Takes over a socket of the jail's own network. */
	take(port: number, socket: BoxSocket): void {
		this.#listeners.add(socket);
		socket.on('error', () => {});
		if (port === dnsPort) this.#answerNames(socket as UdpSocket);
		else (socket as Server).on('connection', (client) => void this.#serve(client, port));
	}

	close(): void {
		for (const one of this.#open) one.destroy();
		for (const socket of this.#listeners) socket.close();
		this.#listeners.clear();
	}

	#answerNames(socket: UdpSocket): void {
		socket.on('message', (message, from) => {
			const answer = this.#names.answer(message);
			if (!answer) return;
			if (answer.refused !== null) this.#note(answer.refused, null, 'not allowed');
			socket.send(answer.reply, from.port, from.address, () => {});
		});
	}

	#note(host: string, port: number | null, refused: string | null): void {
		const key = JSON.stringify([host, port, refused]);
		if (this.#decisions.size < mostDecisions) this.#decisions.set(key, { host, port, refused });
	}

	async #serve(client: Socket, port: number): Promise<void> {
		this.#keep(client);
		const name = this.#names.nameAt(client.localAddress ?? '');
		try {
			const server = await this.#admit(client, name, port);
			this.#note(name ?? '', port, null);
			this.#join(client, server);
		} catch (error) {
			const reason = error instanceof Refusal ? error.message : 'the connection failed';
			this.#note(name ?? client.localAddress ?? '', port, reason);
			client.destroy();
		}
	}

	/** Every reason to say no, then the connection to the outside. */
	async #admit(client: Socket, name: string | undefined, port: number): Promise<Socket> {
		if (name === undefined) throw new Refusal('only names can be reached, no bare addresses');
		if (!this.#rules.allowsPort(name, port)) throw new Refusal('this port is not allowed');
		if (this.#connections > fixedLimits.connections) throw new Refusal('too many connections at a time');
		if (clientSpeaksFirst.includes(port)) await this.#hear(client, name);
		else await Promise.race([this.#hear(client, name), silence()]);
		return this.#connect(await this.#addressOf(name), port);
	}

	/** A client that says it wants another host than the one it was let through for is after something. */
	async #hear(client: Socket, name: string): Promise<void> {
		const { host } = await readFirstWords(client);
		if (host !== null && normaliseName(host) !== name)
			throw new Refusal(`the request was for another host (${host.slice(0, 80)})`);
	}

	/** Names are looked up here and nowhere else, and the address that was judged is the one that is used. */
	async #addressOf(name: string): Promise<string> {
		const found = await lookup(name, { all: true }).catch(() => []);
		if (found.length === 0) throw new Refusal('the name leads nowhere');
		const usable = found.find(({ address }) => this.#rules.allowsAddress(address));
		if (!usable) throw new Refusal('the name leads to a private address');
		return usable.address;
	}

	#connect(address: string, port: number): Promise<Socket> {
		return new Promise((resolve, reject) => {
			const server = connect({ host: address, port, timeout: connectMs });
			this.#keep(server);
			server.once('connect', () => {
				server.setTimeout(0);
				resolve(server);
			});
			server.once('timeout', () => server.destroy(new Error('timeout')));
			server.once('error', reject);
		});
	}

	#join(client: Socket, server: Socket): void {
		const count = (chunk: Buffer) => {
			this.#bytes += chunk.length;
			if (this.#bytes <= fixedLimits.networkBytes) return;
			this.#note('', null, 'too much data');
			client.destroy();
			server.destroy();
		};
		client.on('data', count);
		server.on('data', count);
		client.on('close', () => server.destroy());
		server.on('close', () => client.destroy());
		client.pipe(server);
		server.pipe(client);
	}

	#keep(socket: Socket): void {
		this.#connections++;
		this.#open.add(socket);
		socket.on('error', () => socket.destroy());
		socket.once('close', () => {
			this.#connections--;
			this.#open.delete(socket);
		});
	}
}

const silence = (): Promise<void> =>
	new Promise((resolve) => {
		setTimeout(resolve, silentMs).unref();
	});

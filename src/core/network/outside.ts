/** The way to the outside: looks a name up, judges every address, and connects to one that it judged. */
import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { FairQueue } from '../queue.ts';
import { connectThrough, type HttpProxy } from './proxy.ts';
import { Refusal } from './refusal.ts';
import type { NetworkRules } from './rules.ts';

export type ProxyFor = (name: string, port: number) => HttpProxy | undefined;

/** How long one address may take to answer, and how many are tried. */
const connectMs = 8_000;
const mostAddresses = 4;
/**
 * Looking up a name holds, for as long as its servers are silent, one of two threads that this process has for names, its own
 * among them. So one at a time is looked up, and jobs take turns; how many wait is bounded by the ways of each job.
 */
const lookups = new FairQueue(1, 10_000);
/** A page of many pictures asks for one name many times. */
const freshMs = 5_000;

function connectTo(host: string, port: number, keep: (socket: Socket) => void): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host, port, timeout: connectMs, allowHalfOpen: true });
		keep(socket);
		socket.once('connect', () => {
			socket.setTimeout(0);
			resolve(socket);
		});
		socket.once('timeout', () => socket.destroy(new Error('no answer in time')));
		socket.once('error', reject);
		socket.once('close', () => reject(new Error('closed')));
	});
}

export class Outside {
	readonly #rules: NetworkRules;
	readonly #keep: (socket: Socket) => void;
	readonly #known = new Map<string, { readonly addresses: Promise<string[]>; readonly until: number }>();
	readonly #proxyFor: ProxyFor;
	readonly #key = randomUUID();
	readonly #closing = new AbortController();

	/**
	 * @param keep sees every socket before it connects, so that it can be ended at any time
	 * @param proxyFor who is asked for a name in place of its addresses
	 */
	constructor(rules: NetworkRules, keep: (socket: Socket) => void, proxyFor: ProxyFor = () => undefined) {
		this.#rules = rules;
		this.#keep = keep;
		this.#proxyFor = proxyFor;
	}

	/** What waits for its turn is not looked up any more. */
	close(): void {
		this.#closing.abort();
	}

	async connect(name: string, port: number): Promise<Socket> {
		const proxy = this.#proxyFor(name, port);
		if (proxy) return connectThrough(proxy, { name, port }, this.#keep);
		for (const address of await this.#addressesOf(name)) {
			const socket = await connectTo(address, port, this.#keep).catch(() => undefined);
			if (socket) return socket;
		}
		throw new Refusal('it does not answer');
	}

	/** What was judged is what is used: nobody looks the name up a second time. */
	async #addressesOf(name: string): Promise<string[]> {
		const found = await this.#lookUp(name);
		if (found.length === 0) throw new Refusal('the name leads nowhere');
		const usable = found.filter((address) => this.#rules.allowsAddress(address));
		if (usable.length === 0) throw new Refusal('the name leads to a private address');
		return usable.slice(0, mostAddresses);
	}

	#lookUp(name: string): Promise<string[]> {
		const known = this.#known.get(name);
		if (known && known.until > performance.now()) return known.addresses;
		const addresses = this.#ask(name);
		this.#known.set(name, { addresses, until: performance.now() + freshMs });
		return addresses;
	}

	async #ask(name: string): Promise<string[]> {
		const { signal } = this.#closing;
		const turn = await lookups.enter(this.#key, signal);
		if (!turn.granted) throw new Refusal('too many names are looked up at a time');
		try {
			const found = signal.aborted ? [] : await lookup(name, { all: true });
			return found.map(({ address }) => address);
		} catch {
			return [];
		} finally {
			turn.release();
		}
	}
}

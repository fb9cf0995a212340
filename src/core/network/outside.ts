/** The way to the outside: looks a name up, judges every address, and connects to one that it judged. */
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { connectThrough, type HttpProxy } from './proxy.ts';
import { Refusal } from './refusal.ts';
import type { NetworkRules } from './rules.ts';

export type ProxyFor = (name: string, port: number) => HttpProxy | undefined;

/** How long one address may take to answer, and how many are tried. */
const connectMs = 8_000;
const mostAddresses = 4;
/** Looking up a name holds a thread that this process needs for its files, too. */
const mostLookups = 2;
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
	readonly #waiting: (() => void)[] = [];
	readonly #proxyFor: ProxyFor;
	#lookups = 0;

	/**
	 * @param keep sees every socket before it connects, so that it can be ended at any time
	 * @param proxyFor who is asked for a name in place of its addresses
	 */
	constructor(rules: NetworkRules, keep: (socket: Socket) => void, proxyFor: ProxyFor = () => undefined) {
		this.#rules = rules;
		this.#keep = keep;
		this.#proxyFor = proxyFor;
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
		const addresses = this.#inTurn(() => lookup(name, { all: true })).then(
			(found) => found.map(({ address }) => address),
			() => [],
		);
		this.#known.set(name, { addresses, until: performance.now() + freshMs });
		return addresses;
	}

	async #inTurn<T>(task: () => Promise<T>): Promise<T> {
		if (this.#lookups >= mostLookups) await new Promise<void>((resolve) => this.#waiting.push(resolve));
		else this.#lookups++;
		try {
			return await task();
		} finally {
			const next = this.#waiting.shift();
			if (next) next();
			else this.#lookups--;
		}
	}
}

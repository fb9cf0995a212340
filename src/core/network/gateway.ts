/** The only way out of a jail: stands outside, hears every name and every connection, and lets through what the rules allow. */
import type { Socket as UdpSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import { connect as connectTls, type SecureContext, TLSSocket } from 'node:tls';
import { fixedLimits } from '../../contract/limits.ts';
import type { BoxSocket } from '../sandbox/backend.ts';
import type { Mask } from '../secrets/redact.ts';
import type { Authority } from './authority.ts';
import { type FirstWords, readFirstWords } from './first-words.ts';
import { type Rewrite, relayHttp, WrongHost } from './http-relay.ts';
import { afterClose, join } from './join.ts';
import { Names } from './names.ts';
import { Outside, type ProxyFor } from './outside.ts';
import { Refusal } from './refusal.ts';
import { rewriteFor } from './rewrite.ts';
import { dnsPort, type NetworkRules, normaliseName } from './rules.ts';
import type { Substitution } from './substitution.ts';

/** One thing that was let through or not, once for each host, port and reason. */
export interface Decision {
	readonly host: string;
	/** Null: only the name was asked for. */
	readonly port: number | null;
	/** Null: it was let through. */
	readonly refused: string | null;
}

/** What it takes to put secrets in: the values, who vouches for their hosts, whom we trust, and what masks the answers. */
export interface Interception {
	readonly substitution: Substitution;
	readonly authority: Authority;
	readonly trusted: SecureContext;
	readonly mask: Mask;
}

/** Where a server may speak first, a client that is silent for so long is taken for one that waits for it. */
const silentMs = 300;
const firstWordsMs = 10_000;
const handshakeMs = 10_000;
const mostDecisions = 100;
/** Here clients speak first, and in one of two languages, so that each can be asked for whom it is. */
const webPorts = [80, 443, 8080, 8443];
/** No program needs more names in a second; each costs time of this process. */
const questionsPerSecond = 2_000;

export class Gateway {
	readonly #rules: NetworkRules;
	readonly #interception: Interception | undefined;
	readonly #onDecision: (decision: Decision) => void;
	readonly #mostBytes: number;
	readonly #names: Names;
	readonly #outside: Outside;
	readonly #open = new Set<Socket>();
	readonly #listeners = new Set<BoxSocket>();
	readonly #decisions = new Map<string, Decision>();
	#clients = 0;
	/** To the outside, open or in the making: these outlive a client that has gone meanwhile. */
	#ways = 0;
	#bytes = 0;
	#isClosed = false;

	/**
	 * @param onDecision hears of each decision once, as it is made
	 * @param mostBytes in and out, all connections together
	 * @param proxyFor who leads to a name, where its addresses are not asked
	 */
	constructor(
		rules: NetworkRules,
		interception?: Interception,
		onDecision: (decision: Decision) => void = () => {},
		mostBytes: number = fixedLimits.networkBytes,
		proxyFor?: ProxyFor,
	) {
		this.#onDecision = onDecision;
		this.#mostBytes = mostBytes;
		this.#rules = rules;
		this.#interception = interception;
		this.#names = new Names(rules);
		this.#outside = new Outside(rules, (socket) => this.#keep(socket), proxyFor);
	}

	get decisions(): readonly Decision[] {
		return [...this.#decisions.values()];
	}

	/** What an author allowed, in their words. */
	get allowed(): readonly string[] {
		return this.#rules.allowed;
	}

	/** Takes over a socket of the jail's own network; one that arrives after the end is closed at once. */
	take(port: number, socket: BoxSocket): void {
		if (this.#isClosed) {
			socket.close();
			return;
		}
		this.#listeners.add(socket);
		socket.on('error', () => {});
		socket.on('close', () => this.#listeners.delete(socket));
		if (port === dnsPort) this.#answerNames(socket as UdpSocket);
		else this.#answerConnections(socket as Server, port);
	}

	close(): void {
		this.#isClosed = true;
		this.#outside.close();
		for (const one of this.#open) one.destroy();
		for (const socket of this.#listeners) socket.close();
		this.#listeners.clear();
	}

	#answerNames(socket: UdpSocket): void {
		let second = 0;
		let asked = 0;
		socket.on('message', (message, from) => {
			const now = Math.floor(performance.now() / 1000);
			asked = now === second ? asked + 1 : 1;
			second = now;
			const answer = asked > questionsPerSecond ? undefined : this.#names.answer(message);
			if (!answer || this.#isClosed) return;
			if (answer.refused !== null) this.#note(answer.refused, null, 'not allowed');
			socket.send(answer.reply, from.port, from.address, () => {});
		});
	}

	#answerConnections(server: Server, port: number): void {
		// A client may end its side and wait for the answer.
		Object.assign(server, { allowHalfOpen: true });
		server.on('connection', (client) => void this.#serve(client, port));
	}

	#note(host: string, port: number | null, refused: string | null): void {
		const key = JSON.stringify([host, port, refused]);
		if (this.#decisions.has(key) || this.#decisions.size >= mostDecisions) return;
		const decision = { host, port, refused };
		this.#decisions.set(key, decision);
		this.#onDecision(decision);
	}

	async #serve(client: Socket, port: number): Promise<void> {
		this.#keep(client);
		this.#clients++;
		client.once('close', () => this.#clients--);
		const name = this.#names.nameAt(client.localAddress ?? '');
		try {
			if (name === undefined) throw new Refusal('only names can be reached, no bare addresses');
			if (!this.#rules.allowsPort(name, port)) throw new Refusal('this port is not allowed');
			if (this.#clients > fixedLimits.connections) throw new Refusal('too many connections at a time');
			if (this.#bytes > this.#mostBytes) throw new Refusal('too much data');
			await this.#carry(client, name, port);
		} catch (error) {
			this.#answer(name ?? client.localAddress ?? '', port, error);
			client.destroy();
		}
	}

	/** What a program reads; what is no decision of ours, as a client or a server that hangs up, the model is not told. */
	#answer(host: string, port: number, error: unknown): string {
		const reason = refusalIn(error);
		if (reason === undefined) return `${host}:${port} did not answer as it should`;
		this.#note(host, port, reason);
		return `refused by policy: ${host}:${port} (${reason}); allowed: ${this.allowed.join(', ')}`;
	}

	/** Hears for whom the connection is, and takes it to where that language is understood. */
	async #carry(client: Socket, name: string, port: number): Promise<void> {
		const isWeb = webPorts.includes(port);
		const words = await readFirstWords(client, isWeb ? firstWordsMs : silentMs);
		judgeWords(words, name, isWeb);
		const intercepted = this.#interception?.substitution.appliesTo(name, port) ? this.#interception : undefined;
		if (words.kind === 'http') this.#relay(client, name, port, intercepted, () => this.#reach(name, port));
		else if (words.kind === 'tls' && intercepted) await this.#terminate(client, name, port, intercepted);
		else join(client, await this.#reach(name, port), this.#count);
	}

	async #reach(name: string, port: number): Promise<Socket> {
		if (this.#ways >= fixedLimits.connections) throw new Refusal('too many connections at a time');
		this.#ways++;
		const server = await this.#outside.connect(name, port).catch((error: unknown) => {
			this.#ways--;
			throw error;
		});
		afterClose(server, () => this.#ways--);
		this.#note(name, port, null);
		return server;
	}

	#relay(
		client: Socket,
		name: string,
		port: number,
		intercepted: Interception | undefined,
		connect: () => Promise<Socket>,
	): void {
		const rewrite: Rewrite | undefined =
			intercepted && rewriteFor(name, port, intercepted.substitution, intercepted.mask);
		const refuse = (error: unknown) => this.#answer(name, port, error);
		relayHttp(client, { host: name, connect, count: this.#count, refuse, rewrite });
	}

	/** The jail trusts our authority for this host; we trust the host only if it proves itself. */
	async #terminate(client: Socket, name: string, port: number, intercepted: Interception): Promise<void> {
		const { authority, trusted } = intercepted;
		const secureContext = authority.contextFor(name);
		const inner = new TLSSocket(client, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
		this.#keep(inner);
		await within(handshakeMs, inner, 'secure');
		this.#relay(inner, name, port, intercepted, async () => {
			const socket = await this.#reach(name, port);
			const server = connectTls({ socket, servername: name, secureContext: trusted, ALPNProtocols: ['http/1.1'] });
			this.#keep(server);
			await within(handshakeMs, server, 'secureConnect').catch((error: NodeJS.ErrnoException) => {
				throw new Refusal(`its certificate was not accepted (${error.code ?? 'no answer'})`);
			});
			return server;
		});
	}

	/** Over its limit a job has no network any more. */
	readonly #count = (bytes: number): void => {
		this.#bytes += bytes;
		if (this.#bytes <= this.#mostBytes) return;
		this.#note('', null, 'too much data');
		for (const one of this.#open) one.destroy();
	};

	#keep(socket: Socket): void {
		if (this.#isClosed) socket.destroy();
		this.#open.add(socket);
		socket.on('error', () => socket.destroy());
		socket.once('close', () => this.#open.delete(socket));
	}
}

function judgeWords(words: FirstWords, name: string, isWeb: boolean): void {
	if (words.kind === 'tls') {
		if (words.host === null) throw new Refusal('the connection does not name its host');
		if (normaliseName(words.host) !== name) throw otherHost(words.host);
	} else if (isWeb && words.kind !== 'http') throw new Refusal('only HTTP and TLS are understood at this port');
}

const otherHost = (host: string): Refusal => new Refusal(`the request was for another host (${host.slice(0, 80)})`);

function refusalIn(error: unknown): string | undefined {
	if (error instanceof WrongHost) return otherHost(error.message).message;
	return error instanceof Refusal ? error.message : undefined;
}

/** Resolves with the event; a failure, an end or too long a time rejects. */
function within(ms: number, socket: TLSSocket, event: 'secure' | 'secureConnect'): Promise<void> {
	return new Promise((resolve, reject) => {
		const fail = (error?: Error) => {
			socket.destroy();
			reject(error ?? new Error('no handshake'));
		};
		const timer = setTimeout(fail, ms);
		socket.once('error', fail).once('close', () => {
			clearTimeout(timer);
			reject(new Error('closed'));
		});
		socket.once(event, () => {
			clearTimeout(timer);
			resolve();
		});
	});
}

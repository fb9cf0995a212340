/** Carries the HTTP requests of one connection on, one by one: each must be for the host it was let through to. */
import {
	Agent,
	createServer,
	type IncomingMessage,
	type ServerResponse,
	STATUS_CODES,
	request as send,
} from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, pipeline, type Transform } from 'node:stream';
import { normaliseName } from './rules.ts';

export interface Route {
	readonly host: string;
	/** Opens the connection to the server; rejects with words for the model. */
	readonly connect: () => Promise<Socket>;
	/** Told of every byte that is carried. */
	readonly count: (bytes: number) => void;
	/** Told why something was not carried; answers with the words for the program. */
	readonly refuse: (error: unknown) => string;
	/** Absent: requests and answers are carried as they are. */
	readonly rewrite?: Rewrite | undefined;
}

/** Changes what goes by: values go in on the way out, and never come back. */
export interface Rewrite {
	readonly request: (text: string) => string;
	readonly answer: (text: string) => string;
	/** Undefined: bodies need no change. */
	readonly body: (answer: IncomingMessage) => Transform[];
}

/** Some servers set very long cookies and policies. */
const maxHeaderSize = 65_536;
/** Requests that a client may send before the first is answered. */
const mostPending = 32;

/** They belong to one connection, not to the message (RFC 9110, 7.6.1). */
const ofConnection = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade', 'expect'];
const withBody = ['POST', 'PUT', 'PATCH'];

type Pair = readonly [name: string, value: string];

const pairsOf = ({ rawHeaders }: IncomingMessage): Pair[] =>
	rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : []));

function without(pairs: readonly Pair[], names: readonly string[], connection: string | undefined): Pair[] {
	const dropped = new Set([...names, ...(connection ?? '').toLowerCase().split(/[\s,]+/)]);
	return pairs.filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** Why a request is not for the host of its connection; undefined when it is. */
function otherHost(request: IncomingMessage, host: string): string | undefined {
	const hosts = pairsOf(request).flatMap(([name, value]) => (name.toLowerCase() === 'host' ? [value] : []));
	const url = request.url ?? '';
	const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1];
	if (absolute === undefined && !/^[/*]/.test(url)) return url;
	const named = [...hosts, ...(absolute === undefined ? [] : [absolute])];
	if (hosts.length > 1) return hosts.join(', ');
	return named.find((one) => normaliseName(one.replace(/:\d{1,5}$/, '')) !== host);
}

/** With a rewrite the answer must be readable from front to end. */
function headersOn(request: IncomingMessage, rewrite: Rewrite | undefined): string[] {
	const hidden = rewrite ? ['accept-encoding', 'range', 'if-range'] : [];
	const kept = without(pairsOf(request), [...ofConnection, ...hidden], request.headers.connection);
	const isBare = ['content-length', 'transfer-encoding'].every((name) => request.headers[name] === undefined);
	return [
		...kept.flatMap(([name, value]) => [name, rewrite ? rewrite.request(value) : value]),
		...(rewrite ? ['Accept-Encoding', 'identity'] : []),
		...(isBare && withBody.includes(request.method ?? '') ? ['Content-Length', '0'] : []),
	];
}

function headersBack(answer: IncomingMessage, rewrite: Rewrite | undefined): string[] {
	const rewritten = rewrite ? ['content-length', 'content-encoding', 'content-range', 'accept-ranges'] : [];
	const kept = without(
		pairsOf(answer),
		[...ofConnection, 'transfer-encoding', ...rewritten],
		answer.headers.connection,
	);
	return kept.flatMap(([name, value]) => [name, rewrite ? rewrite.answer(value) : value]);
}

const lengthOf = ({ rawHeaders, url }: IncomingMessage): number =>
	rawHeaders.reduce((sum, word) => sum + word.length + 2, (url ?? '').length + 16);

/** The one connection to the server that stands behind one connection of a client. */
class Onward extends Agent {
	readonly #open: () => Promise<Socket>;

	constructor(open: () => Promise<Socket>) {
		super({ keepAlive: true, maxSockets: 1 });
		this.#open = open;
	}

	override createConnection(_options: object, done: (error: Error | null, socket: Duplex) => void): undefined {
		this.#open().then(
			(socket) => done(null, socket),
			(error: Error) => done(error, undefined as never),
		);
	}
}

class Relay {
	readonly #client: Duplex;
	readonly #route: Route;
	readonly #agent: Onward;
	#pending = 0;
	#before: Promise<void> = Promise.resolve();

	constructor(client: Duplex, route: Route) {
		this.#client = client;
		this.#route = route;
		this.#agent = new Onward(async () => {
			const server = await route.connect();
			// Who asked may have gone meanwhile.
			if (client.destroyed) server.destroy();
			// A server that hangs up between two requests hangs up on the client, as it would without us.
			server.once('close', () => {
				if (this.#pending === 0) client.end();
			});
			return server;
		});
		client.once('close', () => this.#agent.destroy());
	}

	serve(request: IncomingMessage, response: ServerResponse): void {
		this.#pending++;
		response.once('close', () => this.#pending--);
		if (this.#pending > mostPending) {
			this.#client.destroy();
			return;
		}
		const before = this.#before;
		this.#before = new Promise((resolve) => response.once('close', resolve));
		void before.then(() => this.#begin(request, response));
	}

	/** One after the other, so that one connection serves them all. */
	#begin(request: IncomingMessage, response: ServerResponse): void {
		if (this.#client.destroyed) return;
		const other = otherHost(request, this.#route.host);
		if (other === undefined) this.#forward(request, response);
		else this.#answer(response, 403, new WrongHost(other));
	}

	#forward(request: IncomingMessage, response: ServerResponse): void {
		const { count, rewrite } = this.#route;
		const fail = (error: Error) => this.#answer(response, 502, error);
		count(lengthOf(request));
		request.on('data', (chunk: Buffer) => count(chunk.length));
		try {
			const { method = 'GET', url = '/' } = request;
			const onward = send({
				agent: this.#agent,
				method,
				path: url,
				headers: headersOn(request, rewrite),
				setHost: false,
				maxHeaderSize,
			});
			onward.on('response', (answer) => this.#back(answer, response));
			onward.on('error', fail);
			// Nobody asked for another protocol.
			onward.on('upgrade', (_answer, server) => {
				server.destroy();
				fail(new Error('the server changed the protocol'));
			});
			response.once('close', () => {
				if (!response.writableFinished) onward.destroy();
			});
			request.pipe(onward);
		} catch (error) {
			fail(error as Error);
		}
	}

	/** Node reads heads that it refuses to write. */
	#back(answer: IncomingMessage, response: ServerResponse): void {
		try {
			this.#pass(answer, response);
		} catch (error) {
			answer.destroy();
			this.#answer(response, 502, error as Error);
		}
	}

	#pass(answer: IncomingMessage, response: ServerResponse): void {
		const { count, rewrite } = this.#route;
		count(lengthOf(answer));
		const reason = answer.statusMessage ?? '';
		response.sendDate = false;
		response.writeHead(
			answer.statusCode ?? 502,
			rewrite ? rewrite.answer(reason) : reason,
			headersBack(answer, rewrite),
		);
		answer.on('data', (chunk: Buffer) => count(chunk.length));
		// A body that was cut must not look whole.
		pipeline([answer, ...(rewrite?.body(answer) ?? []), response], (error) => {
			if (error) this.#client.destroy();
		});
	}

	/** Says it in HTTP while that is possible; then the connection ends, whatever else was sent on it. */
	#answer(response: ServerResponse, status: number, error: Error): void {
		const words = this.#route.refuse(error);
		if (response.headersSent) {
			this.#client.destroy();
			return;
		}
		response.writeHead(status, STATUS_CODES[status], {
			'Content-Type': 'text/plain; charset=utf-8',
			Connection: 'close',
		});
		response.end(`${words}\n`);
	}
}

/** A request that wants another host than the one its connection was let through for. */
export class WrongHost extends Error {}

export function relayHttp(client: Duplex, route: Route): void {
	const relay = new Relay(client, route);
	// No time limit of its own: it ends with either side, and with the job.
	const server = createServer({ keepAliveTimeout: 0, maxHeaderSize }, (request, response) =>
		relay.serve(request, response),
	);
	// A client may end its side and wait for the answer.
	Object.assign(server, { httpAllowHalfOpen: true });
	server.on('connect', (request: IncomingMessage, socket: Duplex) => {
		route.refuse(new WrongHost(request.url ?? ''));
		socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
	});
	server.emit('connection', client);
}

/** One listener: an HTTP server with its faces, which answers strangers, slow clients and broken requests shortly and in JSON. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerOptions } from 'node:http';
import type { ServerOptions as TlsServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Server as TlsServer } from 'node:tls';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AgentConfig } from '../../contract/agent-config.ts';
import { KnownError } from '../../contract/error.ts';
import { endRaw, errorBody, knownFor, sendError } from './answers.ts';
import { Connections } from './connections.ts';
import type { Face, FaceParts, Upgrade } from './face.ts';
import { inside } from './layout.ts';
import type { AgentLog } from './log.ts';
import { networksOf } from './peers.ts';
import { methodsOf, owns, refuseCollisions } from './routes.ts';

export type ListenerConfig = AgentConfig['listeners'][number];

export interface Listener {
	readonly faces: readonly Face['name'][];
	/** For example "https://127.0.0.1:8443". */
	readonly url: string;
	/** Reads its certificate again; connections that are open keep the old one. */
	renew(): void;
	/** Takes no new connections, and ends those in which nothing is under way. */
	close(): Promise<void>;
	/** Ends every connection. */
	destroy(): void;
}

/** Slow clients: time for the head of a request, for all of it, between two requests, and for a handshake. */
const headersMs = 10_000;
const requestMs = 30_000;
const idleMs = 5_000;
const handshakeMs = 10_000;
const headBytes = 16 * 1024;
const urlCharacters = 4096;

const serverOptions: ServerOptions = {
	headersTimeout: headersMs,
	connectionsCheckingInterval: 1000,
	maxHeaderSize: headBytes,
	requireHostHeader: false,
};

/** TLS 1.2 with forward secrecy and authenticated ciphers, or 1.3. */
const ciphers = [
	...['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
	...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
	...['ECDHE-RSA-CHACHA20-POLY1305', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
];

function tlsOptions(dir: string, tls: NonNullable<ListenerConfig['tls']>): TlsServerOptions {
	const read = (file: string): Buffer => {
		try {
			return readFileSync(file.startsWith('/') ? file : inside(dir, file));
		} catch (error) {
			throw new KnownError('CONFIG_INVALID', { details: `${file} cannot be read` }, { cause: error });
		}
	};
	const authority = tls.clientAuthorityFile;
	return {
		cert: read(tls.certFile),
		key: read(tls.keyFile),
		minVersion: 'TLSv1.2',
		ciphers: ciphers.join(':'),
		honorCipherOrder: true,
		ecdhCurve: 'X25519:P-256:P-384',
		ALPNProtocols: ['http/1.1'],
		handshakeTimeout: handshakeMs,
		// Without clients that show certificates nobody needs the authorities of the web, which fill megabytes.
		...(authority === undefined ? { ca: [] } : { ca: read(authority), requestCert: true, rejectUnauthorized: true }),
	};
}

/** Answers to what was no HTTP at all, by the reason that Node.js gives. */
const rawAnswers: Readonly<Record<string, readonly [string, string]>> = {
	ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'it came too slowly'],
	HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'its head is too long'],
};

function answerRaw(error: { code?: string }, socket: Duplex): void {
	if (error.code === 'ECONNRESET' || !socket.writable) {
		socket.destroy();
		return;
	}
	const [status, details] = rawAnswers[error.code ?? ''] ?? ['400 Bad Request', 'it is no HTTP'];
	endRaw(socket, status, JSON.stringify(errorBody('REQUEST_INVALID', { details })));
}

export interface ListenerParts {
	readonly listener: ListenerConfig;
	readonly faces: readonly Face[];
	readonly face: FaceParts;
	readonly log: AgentLog;
}

const placeOf = ({ host, port }: { host: string; port: number }): string =>
	`${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Opens it; throws CONFIG_INVALID when its faces collide or its address cannot be had. */
export async function openListener(parts: ListenerParts): Promise<Listener> {
	const { listener, faces } = parts;
	refuseCollisions(faces, placeOf(listener));
	const app = createApp(parts);
	const connections = new Connections(app.server, parts.face.config.limits);
	const upgrades = await registerFaces(app, parts);
	setFallbacks(app, parts);
	// Java's client offers HTTP/2 with every request; a server that listens for no upgrade answers it as any other.
	if (upgrades.length > 0)
		app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
			upgrade(upgrades, parts.log, request, socket, head),
		);
	await listen(app, listener);
	const { port } = app.server.address() as AddressInfo;
	return {
		faces: listener.faces,
		url: `${listener.tls ? 'https' : 'http'}://${placeOf({ host: listener.host, port })}`,
		renew: () => {
			const { tls } = listener;
			if (tls) (app.server as unknown as TlsServer).setSecureContext(tlsOptions(parts.face.dir, tls));
		},
		close: () => app.close(),
		destroy: () => connections.destroy(),
	};
}

function createApp({ listener, face, log }: ListenerParts): FastifyInstance {
	const { bodyBytes } = face.config.limits;
	const options = {
		bodyLimit: bodyBytes,
		requestTimeout: requestMs,
		keepAliveTimeout: idleMs,
		forceCloseConnections: 'idle' as const,
		return503OnClosing: false,
		routerOptions: { maxParamLength: 512 },
		...{ onProtoPoisoning: 'error' as const, onConstructorPoisoning: 'error' as const },
		clientErrorHandler: answerRaw as (error: Error, socket: Socket) => void,
		frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => {
			sendError(knownFor(error, bodyBytes), reply, log);
		},
	};
	const server = { ...serverOptions, ...(listener.tls && tlsOptions(face.dir, listener.tls)) };
	const app = (
		listener.tls ? Fastify({ ...options, https: server }) : Fastify({ ...options, http: server })
	) as FastifyInstance;
	app.setErrorHandler((error, _request, reply) => sendError(knownFor(error, bodyBytes), reply, log));
	app.addHook('onRequest', async (request, reply) => {
		reply.header('X-Content-Type-Options', 'nosniff').header('Cache-Control', 'no-store');
		if (request.raw.url && request.raw.url.length > urlCharacters)
			throw new KnownError('REQUEST_INVALID', { details: 'its address is too long' });
	});
	return app;
}

/** Each face in a room of its own, so that its parsers and error handlers do not reach the others. */
async function registerFaces(app: FastifyInstance, { faces, face }: ListenerParts): Promise<Upgrade[]> {
	const upgrades: Upgrade[] = [];
	for (const one of faces)
		await app.register(async (scope) => {
			// What is not there can be said by a face that has the listener for itself, and else by the listener alone.
			if (faces.length > 1) scope.setNotFoundHandler = () => scope;
			const { upgrade: take } = one.register(scope, face) ?? {};
			if (take) upgrades.push(take);
		});
	return upgrades;
}

function setFallbacks(app: FastifyInstance, { faces, face }: ListenerParts): void {
	if (!owns(faces, 'GET', '/health')) app.get('/health', async () => ({ status: 'ok', version: face.version }));
	if (!owns(faces, 'GET', '/metrics')) addMetrics(app, face);
	setNotFound(app, faces);
}

/** Who may not read the figures learns nothing about them. */
function addMetrics(app: FastifyInstance, { config, metrics }: FaceParts): void {
	const mayRead = networksOf(config.metrics.from);
	app.get('/metrics', async (request, reply) => {
		if (!mayRead(request.socket.remoteAddress)) return reply.code(404).send(notFound);
		return reply.header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8').send(await metrics());
	});
}

const notFound = errorBody('REQUEST_INVALID', { details: 'nothing is at this address' });
const wrongMethod = errorBody('REQUEST_INVALID', { details: 'this address does not take that method' });

function setNotFound(app: FastifyInstance, faces: readonly Face[]): void {
	try {
		app.setNotFoundHandler((request, reply) => {
			const methods = methodsOf(faces, request.url);
			if (methods.length === 0) return reply.code(404).send(notFound);
			return reply.code(405).header('Allow', methods.join(', ')).send(wrongMethod);
		});
	} catch {
		// The face has said itself how it answers what is not there.
	}
}

function upgrade(
	upgrades: readonly Upgrade[],
	log: AgentLog,
	request: IncomingMessage,
	socket: Duplex,
	head: Buffer,
): void {
	socket.on('error', () => socket.destroy());
	try {
		if (upgrades.some((take) => take(request, socket, head))) return;
		endRaw(socket, '404 Not Found', JSON.stringify(notFound));
	} catch (error) {
		log.error({ stack: (error as Error).stack }, 'an upgrade failed');
		socket.destroy();
	}
}

async function listen(app: FastifyInstance, { host, port }: ListenerConfig): Promise<void> {
	try {
		// The name would open two servers, of which only one is watched.
		await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
	} catch (error) {
		await app.close();
		const { code, message } = error as NodeJS.ErrnoException;
		const why = code === 'EADDRINUSE' ? 'is in use' : code === 'EACCES' ? 'may not be used' : `failed: ${message}`;
		throw new KnownError(
			'CONFIG_INVALID',
			{ details: `the address ${placeOf({ host, port })} ${why}` },
			{ cause: error },
		);
	}
}

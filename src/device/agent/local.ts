/** The agent's own socket, by which the command line talks to it: only the user of the agent, and root, can open it. */
import { chmodSync, rmSync } from 'node:fs';
import Fastify, { type FastifyInstance } from 'fastify';
import { knownFor, sendError } from './answers.ts';
import type { AgentLog } from './log.ts';
import { socketPath } from './socket-path.ts';

/** What came of loading keys and policy again. */
export interface Reloaded {
	readonly keys: readonly string[];
	readonly policyHash: string;
	/** What was not valid, and so changed nothing. */
	readonly problems: readonly string[];
}

export interface LocalParts {
	/** Of the socket. */
	readonly path: string;
	readonly bodyBytes: number;
	readonly log: AgentLog;
	reload(): Promise<Reloaded>;
	/** Adds the routes of the native protocol. */
	register(app: FastifyInstance): void;
}

export interface Local {
	close(): Promise<void>;
}

/** Only for the one agent that holds the lock of the folder: a socket that lies there is a dead one. */
export async function openLocal({ path, bodyBytes, log, reload, register }: LocalParts): Promise<Local> {
	const app = Fastify({ bodyLimit: bodyBytes, forceCloseConnections: true });
	app.setErrorHandler((error, _request, reply) => sendError(knownFor(error, bodyBytes), reply, log));
	app.post('/local/reload', async () => reload());
	await app.register(async (scope) => register(scope));
	rmSync(path, { force: true });
	await app.listen({ path: socketPath(path) });
	chmodSync(path, 0o600);
	return { close: () => app.close() };
}

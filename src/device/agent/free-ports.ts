/** Finds ports that nobody listens on. */
import { createServer } from 'node:net';
import { KnownError } from '../../contract/error.ts';

const lastPort = 65_535;

function isFree(host: string, port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const server = createServer();
		server.once('error', () => resolve(false));
		server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
	});
}

/** The first free port from `wanted` on that is not taken by this agent already. */
export async function freePort(host: string, wanted: number, taken: ReadonlySet<number>): Promise<number> {
	for (let port = wanted; port <= lastPort; port++) if (!taken.has(port) && (await isFree(host, port))) return port;
	throw new KnownError('CONFIG_INVALID', { details: `no port from ${wanted} on is free on ${host}` });
}

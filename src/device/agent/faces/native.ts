/** The face that speaks the native protocol: signed jobs, streams, pages, approvals, and the page of an approver. */
import type { IncomingMessage } from 'node:http';
import { parse as parseQuery } from 'node:querystring';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { KnownError } from '../../../contract/error.ts';
import { holds, type Principal } from '../../../contract/principal.ts';
import { nativeDocument } from '../../wire/native-openapi.ts';
import { nativeRoutes } from '../../wire/native-routes.ts';
import { knownFor, refuseRaw } from '../answers.ts';
import type { Face, FaceParts, Upgrade } from '../face.ts';
import { pageRoutes, servePage } from '../page.ts';
import { networksOf } from '../peers.ts';
import { approvalHandlers } from './native-approvals.ts';
import { type NativeAuth, NetworkAuth } from './native-auth.ts';
import { type Handlers, mount, readQuery } from './native-call.ts';
import { jobFor, jobHandlers } from './native-jobs.ts';
import { LocalAuth } from './native-local.ts';
import { outputHandlers } from './native-output.ts';
import { ordinaryPace, type Pace, Streams } from './native-stream.ts';

const apiRoutes = Object.values(nativeRoutes).map(({ method, path }) => `${method} ${path}`);

export const nativeFace: Face = {
	name: 'native',
	routes: [...apiRoutes, ...pageRoutes],
	register(app, parts) {
		servePage(app);
		return mountNative(app, parts, new NetworkAuth(parts));
	},
};

/** The same calls for the agent's own command line, over a socket that only the agent's user may open. */
export const mountLocal = (
	app: FastifyInstance,
	parts: FaceParts,
	principal: Principal,
): { readonly upgrade: Upgrade } => mountNative(app, parts, new LocalAuth(principal));

export function mountNative(
	app: FastifyInstance,
	parts: FaceParts,
	auth: NativeAuth,
	pace: Pace = ordinaryPace,
): { readonly upgrade: Upgrade } {
	const streams = new Streams(parts, pace);
	const mayReadMetrics = networksOf(parts.config.metrics.from);
	app.register(async (scope) => {
		mount(scope, handlersFor(parts, auth, streams), {
			...parts,
			auth,
			mayReadMetrics: (peer) => mayReadMetrics(peer ?? undefined),
		});
	});
	return { upgrade: upgradeFor(parts, auth, streams) };
}

function handlersFor(parts: FaceParts, auth: NativeAuth, streams: Streams): Handlers {
	return {
		...jobHandlers(parts, auth),
		...outputHandlers(parts),
		...approvalHandlers(parts),
		...aboutHandlers(parts),
		watchJob: ({ caller, params, query, request, reply }) => {
			const job = jobFor(parts, caller.principal, params.jobId);
			return streams.serve(reply, caller, job, query.after ?? lastSeen(request.headers['last-event-id']));
		},
	};
}

/** What a browser sends when it comes back. */
function lastSeen(header: string | string[] | undefined): number {
	if (header === undefined || header === '') return 0;
	if (typeof header !== 'string' || !/^\d{1,15}$/.test(header))
		throw new KnownError('REQUEST_INVALID', { details: 'Last-Event-ID is no number' });
	return Number(header);
}

type AboutHandlers = Pick<
	Handlers,
	'enroll' | 'getHealth' | 'getDocument' | 'getCapabilities' | 'getAuditStatus' | 'getMetrics'
>;

function aboutHandlers(parts: FaceParts): AboutHandlers {
	const { config, version } = parts;
	const document = Buffer.from(JSON.stringify(nativeDocument()));
	const { id: deviceId, labels } = config.device;
	return {
		getHealth: () => ({ status: 'ok', deviceId, version, time: Date.now() }),
		enroll: async ({ body: { token, publicKey }, asked }) => {
			try {
				return { deviceId, ...(await parts.enroll(token, publicKey)) };
			} catch (error) {
				if (KnownError.is(error) && error.code === 'AUTH_REQUIRED') parts.keys.refused('native', 'token', asked.peer);
				throw error;
			}
		},
		getDocument: ({ reply }) => reply.type('application/json').send(document),
		getCapabilities: ({ caller: { principal } }) => ({
			...{ deviceId, version, labels, platform: process.platform, architecture: process.arch },
			faces: [...new Set(config.listeners.flatMap(({ faces }) => faces))],
			you: { name: principal.name, roles: principal.roles, capabilities: principal.capabilities },
			capabilities: parts
				.capabilities()
				.filter(({ name }) => holds(principal, name))
				.map((facts) => ({ ...facts, programs: [...parts.programs(facts.name)] })),
			limits: config.limits,
		}),
		getAuditStatus: () => parts.auditStatus(),
		getMetrics: async ({ reply }) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await parts.metrics()),
	};
}

const eventsPath = /^\/v2\/jobs\/([A-Za-z0-9-]{1,64})\/events$/;

/** Takes every upgrade at the address of a job's events, and answers it there, whatever comes of it. */
function upgradeFor(parts: FaceParts, auth: NativeAuth, streams: Streams): Upgrade {
	return (request, socket, head) => {
		const [path = '', search = ''] = (request.url ?? '').split('?', 2);
		const [, jobId] = eventsPath.exec(path) ?? [];
		if (jobId === undefined) return false;
		const asking = { request, socket, head, jobId, query: { ...parseQuery(search) } };
		watch(parts, auth, streams, asking).catch((error) =>
			refuseRaw(socket, knownFor(error, parts.config.limits.bodyBytes), parts.log),
		);
		return true;
	};
}

interface Asking {
	readonly request: IncomingMessage;
	readonly socket: Duplex;
	readonly head: Buffer;
	readonly jobId: string;
	readonly query: object;
}

async function watch(parts: FaceParts, auth: NativeAuth, streams: Streams, asking: Asking): Promise<void> {
	const { request, socket, head, jobId } = asking;
	const caller = await auth.caller({
		method: request.method ?? '',
		target: request.url ?? '',
		authorization: request.headers.authorization,
		body: Buffer.alloc(0),
		peer: request.socket.remoteAddress ?? null,
	});
	const { after = 0 } = readQuery(nativeRoutes.watchJob, asking.query) as { after?: number };
	streams.upgrade(request, socket, head, caller, jobFor(parts, caller.principal, jobId), after);
}

/** Puts the routes of the native protocol on a server: proves who asks, reads what was sent, answers in one shape. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { KnownError } from '../../../contract/error.ts';
import { decodeBody, wordsOf } from '../../wire/native-codec.ts';
import {
	type NativeRoute,
	type NativeRouteName,
	type NativeRoutes,
	nativeRoutes,
	type ParamsOf,
	type QueryOf,
} from '../../wire/native-routes.ts';
import { knownFor, sendError } from '../answers.ts';
import type { FaceParts } from '../face.ts';
import { bodyOf, ignoreContentType, takeBytes } from './http.ts';
import type { Asked, Caller, NativeAuth } from './native-auth.ts';

type BodyOf<K extends NativeRouteName> = NativeRoutes[K] extends { readonly body: infer B extends z.ZodType }
	? z.output<B>
	: undefined;

/** A call whose sender is known and whose parts were read. */
export interface Call<K extends NativeRouteName> {
	/** Undefined where the route asks for no proof, or the body is the proof. */
	readonly caller: NativeRoutes[K]['proof'] extends 'caller' ? Caller : undefined;
	readonly params: ParamsOf<K>;
	readonly query: QueryOf<K>;
	readonly body: BodyOf<K>;
	readonly asked: Asked;
	readonly request: FastifyRequest;
	readonly reply: FastifyReply;
}

/** One for each route; what it returns is the body of the answer. */
export type Handlers = { readonly [K in NativeRouteName]: (call: Call<K>) => unknown };

export interface MountParts extends Pick<FaceParts, 'config' | 'log'> {
	readonly auth: NativeAuth;
	/** Peers that may read the figures without a proof. */
	mayReadMetrics(peer: string | null): boolean;
}

export function mount(app: FastifyInstance, handlers: Handlers, parts: MountParts): void {
	const { bodyBytes } = parts.config.limits;
	takeBytes(app);
	app.setErrorHandler((error, _request, reply) => {
		const known = knownFor(error, bodyBytes);
		if (known.row.http === 401) reply.header('WWW-Authenticate', 'Bearer');
		return sendError(known, reply, parts.log);
	});
	for (const name of Object.keys(nativeRoutes) as NativeRouteName[]) addRoute(app, name, handlers, parts);
}

function addRoute(app: FastifyInstance, name: NativeRouteName, handlers: Handlers, parts: MountParts): void {
	const { method, path } = nativeRoutes[name];
	app.route({
		method,
		url: path,
		// Whoever only looks whether somebody is there; a proof is for one method.
		exposeHeadRoute: method === 'GET' && nativeRoutes[name].proof === 'nobody',
		bodyLimit: parts.config.limits.bodyBytes,
		onRequest: ignoreContentType,
		handler: async (request, reply) => {
			const call = await readCall(name, request, reply, parts);
			// The table says that both belong together; TypeScript cannot follow it through the loop.
			return (handlers[name] as (call: unknown) => unknown)(call);
		},
	});
}

export const askedBy = (request: FastifyRequest): Asked => ({
	method: request.method,
	target: request.raw.url ?? '',
	authorization: request.headers.authorization,
	body: bodyOf(request),
	peer: request.raw.socket.remoteAddress ?? null,
});

async function readCall(name: NativeRouteName, request: FastifyRequest, reply: FastifyReply, parts: MountParts) {
	const route: NativeRoute = nativeRoutes[name];
	const asked = askedBy(request);
	const isOpen = route.proof !== 'caller' || (name === 'getMetrics' && parts.mayReadMetrics(asked.peer));
	const caller = isOpen ? undefined : await parts.auth.caller(asked);
	return {
		...{ caller, asked, request, reply },
		params: readParams(route, request.params),
		query: readQuery(route, request.query),
		body: route.body ? readBody(route.body, asked.body) : undefined,
	};
}

/** An id that is none names nothing that is there. */
function readParams({ params }: NativeRoute, given: unknown): unknown {
	const parsed = params.safeParse(given);
	if (parsed.success) return parsed.data;
	const names = parsed.error.issues.map(({ path }) => path[0]);
	if (names.includes('jobId')) throw new KnownError('JOB_NOT_FOUND');
	if (names.includes('approvalId')) throw new KnownError('APPROVAL_NOT_FOUND');
	throw invalid(wordsOf(parsed.error));
}

export function readQuery({ query }: Pick<NativeRoute, 'query'>, given: unknown): unknown {
	const parsed = query.safeParse(given);
	if (!parsed.success) throw invalid(`the query: ${wordsOf(parsed.error)}`);
	return parsed.data;
}

function readBody(schema: z.ZodType, body: Uint8Array): unknown {
	const decoded = decodeBody(schema, body);
	if (!decoded.ok) throw invalid(decoded.why);
	return decoded.value;
}

const invalid = (details: string) => new KnownError('REQUEST_INVALID', { details });

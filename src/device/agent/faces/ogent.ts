/** The face that speaks Ogent: three dialects, also as its gateway calls them, behind the authentication that the original leaves out. */
import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { JobState, JobView } from '../../../contract/device-job.ts';
import { KnownError } from '../../../contract/error.ts';
import type { Principal } from '../../../contract/principal.ts';
import {
	decodeOgentSubmit,
	encodeOgentRefused,
	type OgentSubmit,
	ogentAllowedPath,
	ogentDialects,
	ogentGatewayPath,
	ogentRefused,
	ogentValidatePath,
} from '../../wire/ogent.ts';
import type { Face, FaceParts } from '../face.ts';
import { inside } from '../layout.ts';
import {
	answerFailures,
	bodyOf,
	type Failure,
	ignoreContentType,
	Refusal,
	refuse,
	requireJson,
	takeBytes,
} from './http.ts';
import { OgentAuth } from './ogent-auth.ts';
import { executionIdOf, OgentCalls } from './ogent-calls.ts';
import { OgentPushes } from './ogent-push.ts';

type Body = Promise<Record<string, unknown>>;
type OnCommand = (calls: OgentCalls, principal: Principal, submit: OgentSubmit) => Body;
type OnExecution = (calls: OgentCalls, principal: Principal, id: string) => Body;

const { service, documents, langchain } = ogentDialects;

/** These bring a command, in a body that calls itself JSON. */
const commands: Readonly<Record<string, OnCommand>> = {
	[service.submit]: (calls, ...asked) => calls.queue(...asked),
	[documents.submit]: (calls, ...asked) => calls.queue(...asked),
	[langchain.submit]: (calls, ...asked) => calls.run(...asked),
	[ogentValidatePath]: (calls, ...asked) => calls.validate(...asked),
};

/** These are about an execution, or about nothing; a body is not looked at. */
const questions: Readonly<Record<string, OnExecution>> = {
	[`GET ${ogentAllowedPath}`]: (calls) => calls.allowed(),
	...Object.fromEntries(
		[service.execution, documents.execution].flatMap((path): [string, OnExecution][] => [
			[`GET ${path}`, (calls, ...asked) => calls.status(...asked)],
			[`POST ${path}/cancel`, (calls, ...asked) => calls.cancel(...asked)],
		]),
	),
};

const everyRoute = [...Object.keys(commands).map((path) => `POST ${path}`), ...Object.keys(questions)];

/** "GET /api/x" also as the gateway has it. */
const behindGateway = (route: string): string => route.replace(/ .*/, (path) => ` ${ogentGatewayPath(path.slice(1))}`);

export const ogentFace: Face = {
	name: 'ogent',
	routes: ['GET /health', ...everyRoute, ...everyRoute.map(behindGateway)],
	register(app, parts) {
		const pushes = pushesFor(parts);
		const routes = new OgentRoutes(parts, new OgentCalls(parts, pushes));
		followEarlier(parts, pushes);
		app.register(async (scope) => routes.addTo(scope));
		return undefined;
	},
};

function pushesFor({ config, dir, jobs, log, stopping }: FaceParts): OgentPushes | undefined {
	const { pushUrl, pushTokenFile } = config.ogent;
	if (pushUrl === undefined) return undefined;
	const token = pushTokenFile === undefined ? null : tokenIn(dir, pushTokenFile);
	return new OgentPushes({ url: pushUrl, token, jobs, log, stopping });
}

function tokenIn(dir: string, file: string): string {
	try {
		return readFileSync(inside(dir, file), 'utf8').trim();
	} catch (error) {
		throw new KnownError(
			'CONFIG_INVALID',
			{ details: `${file} of ogent.pushTokenFile cannot be read` },
			{ cause: error },
		);
	}
}

const earlier: readonly JobState[] = ['awaiting_approval', 'queued', 'running', 'lost'];
const mostFollowed = 1000;
/** What was lost is known from the start of the agent on; older losses were told then. */
const lostMs = 60_000;

const isNews = ({ face, state, endedAt }: JobView): boolean =>
	face === 'ogent' && (state !== 'lost' || (endedAt ?? 0) > Date.now() - lostMs);

/** Of executions that an earlier process of the agent accepted, the socket service shall hear the end, too. */
function followEarlier({ jobs }: FaceParts, pushes: OgentPushes | undefined): void {
	if (!pushes) return;
	const all: Principal = { name: 'ogent', roles: ['viewer'], capabilities: [], keyId: null, peer: null };
	const found = earlier.flatMap((state) => jobs.list(all, { state, limit: mostFollowed }));
	for (const job of found.filter(isNews)) void pushes.follow(executionIdOf(job), job.jobId);
}

class OgentRoutes {
	readonly #parts: FaceParts;
	readonly #calls: OgentCalls;
	readonly #auth: OgentAuth;
	readonly #principals = new WeakMap<FastifyRequest, Principal>();

	constructor(parts: FaceParts, calls: OgentCalls) {
		this.#parts = parts;
		this.#calls = calls;
		this.#auth = new OgentAuth(parts);
	}

	addTo(scope: FastifyInstance): void {
		takeBytes(scope);
		answerFailures(scope, ogentFace, this.#parts.log, send);
		scope.get('/health', async () => ({ status: 'ok' }));
		for (const [path, act] of Object.entries(commands))
			this.#add(scope, `POST ${path}`, [requireJson], async (principal, request) => {
				const reading = decodeOgentSubmit(bodyOf(request));
				if ('refused' in reading) throw new Refusal(reading.refused);
				return act(this.#calls, principal, reading.submit);
			});
		for (const [route, act] of Object.entries(questions))
			this.#add(scope, route, [], (principal, { params }) =>
				act(this.#calls, principal, (params as { id?: string }).id ?? ''),
			);
	}

	#add(
		scope: FastifyInstance,
		route: string,
		checks: readonly ((request: FastifyRequest) => Promise<void>)[],
		act: (principal: Principal, request: FastifyRequest) => Body,
	): void {
		for (const each of [route, behindGateway(route)]) {
			const [method = '', url = ''] = each.split(' ');
			scope.route({
				method,
				url,
				bodyLimit: this.#parts.config.limits.bodyBytes,
				onRequest: [(request) => this.#authenticate(request), ...checks, ignoreContentType],
				handler: async (request) => act(this.#principalOf(request), request),
			});
		}
	}

	/** Before the body is read. */
	async #authenticate(request: FastifyRequest): Promise<void> {
		const caller = await this.#auth.callerOf(request.headers.authorization, request.ip);
		if ('refused' in caller) throw new Refusal(caller.refused);
		this.#principals.set(request, caller.principal);
	}

	#principalOf(request: FastifyRequest): Principal {
		return this.#principals.get(request) ?? refuse(401, 'Token is missing');
	}
}

const send = (reply: FastifyReply, { httpStatus, error, reason }: Failure): FastifyReply =>
	reply.code(httpStatus).send(encodeOgentRefused(ogentRefused(httpStatus, error, reason)));

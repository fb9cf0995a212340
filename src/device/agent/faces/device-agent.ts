/** The face that speaks device_agent: capabilities of one device, answered when they are done, fetched by their id when people had to be asked. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../../../contract/principal.ts';
import {
	type DeviceAgentEnvelope,
	type DeviceAgentInvalid,
	decodeDeviceAgentRequest,
	deviceAgentKindOf,
	deviceAgentPaths,
} from '../../wire/device-agent.ts';
import {
	type DeviceAgentAnswer,
	type DeviceAgentFailed,
	deviceAgentFailed,
	encodeDeviceAgentAnswer,
	encodeDeviceAgentCapabilities,
	encodeDeviceAgentHealth,
} from '../../wire/device-agent-answer.ts';
import type { Face, FaceParts } from '../face.ts';
import { DeviceAgentAuth, deviceAgentAgeMs } from './device-agent-auth.ts';
import { DeviceAgentJobs, invalidRequest, type PageWords } from './device-agent-jobs.ts';
import { answerFailures, bodyOf, type Failure, ignoreContentType, takeBytes } from './http.ts';

/** Seconds after which it is worth another try when there was too much. */
const retrySeconds = 5;

export const deviceAgentFace: Face = {
	name: 'device',
	routes: [
		`GET ${deviceAgentPaths.health}`,
		`GET ${deviceAgentPaths.capabilities}`,
		`POST ${deviceAgentPaths.submit}`,
		`GET ${deviceAgentPaths.result}`,
		`POST ${deviceAgentPaths.cancel}`,
	],
	register(app, parts) {
		const routes = new DeviceAgentRoutes(parts);
		app.register(async (scope) => routes.addTo(scope));
		return undefined;
	},
};

interface Asked {
	readonly Params: { readonly id: string };
	readonly Querystring: PageWords;
}

/** The same to everybody who proved nothing. */
const stranger = deviceAgentFailed('bad_signature', 'The request does not prove who sends it.');
class DeviceAgentRoutes {
	readonly #parts: FaceParts;
	readonly #auth: DeviceAgentAuth;
	readonly #jobs: DeviceAgentJobs;

	constructor(parts: FaceParts) {
		this.#parts = parts;
		this.#auth = new DeviceAgentAuth(parts);
		this.#jobs = new DeviceAgentJobs(parts);
	}

	addTo(scope: FastifyInstance): void {
		const { log, config } = this.#parts;
		const { health, capabilities, submit, result, cancel } = deviceAgentPaths;
		const options = { bodyLimit: config.limits.bodyBytes, onRequest: ignoreContentType };
		takeBytes(scope);
		answerFailures(scope, deviceAgentFace, log, (reply, failure) => send(reply, failedBy(failure)));
		scope.get(health, async () => encodeDeviceAgentHealth({ isOk: true, ...this.#device }));
		scope.get(capabilities, async ({ raw }, reply) =>
			this.#auth.plain(raw) ? this.#capabilities() : send(reply, stranger),
		);
		scope.post(submit, options, async (request, reply) => send(reply, await this.#submit(request)));
		scope.get<Asked>(result, async ({ raw, params, query }, reply) =>
			send(reply, await this.#known(raw, (who) => this.#jobs.result(who, params.id, query))),
		);
		scope.post<Asked>(cancel, options, async ({ raw, params }, reply) =>
			send(reply, await this.#known(raw, (who) => this.#jobs.cancel(who, params.id))),
		);
	}

	/** Only for those who prove who they are. */
	async #known(
		request: IncomingMessage,
		act: (principal: Principal) => Promise<DeviceAgentAnswer>,
	): Promise<DeviceAgentAnswer> {
		const principal = this.#auth.plain(request);
		return principal ? act(principal) : stranger;
	}

	get #device() {
		return { deviceId: this.#parts.config.device.id, version: this.#parts.version };
	}

	#capabilities(): Record<string, unknown> {
		const { capabilities, programs } = this.#parts;
		const own = capabilities().filter(({ name }) => deviceAgentKindOf(name) !== undefined);
		const entries = own.map(({ name, requiresApproval }) => ({
			...{ name, requiresApproval, binariesAllowed: programs(name) },
		}));
		return encodeDeviceAgentCapabilities(this.#device, entries);
	}

	/** Who sends it first, and only then what is wrong with it. */
	async #submit(request: FastifyRequest): Promise<DeviceAgentAnswer> {
		const reading = decodeDeviceAgentRequest(bodyOf(request));
		const principal = this.#senderOf(request, reading);
		if (!principal) return stranger;
		if ('details' in reading) return invalidRequest(reading.requestId, reading.details);
		const refused = this.#refusalOf(reading);
		if (refused) this.#auth.refused(request.raw, refused.code === 'stale' ? 'too old' : 'other device');
		return refused ?? this.#jobs.run(principal, reading);
	}

	#senderOf({ raw }: FastifyRequest, reading: DeviceAgentEnvelope | DeviceAgentInvalid): Principal | undefined {
		if (reading.proof) return this.#auth.signed(raw, reading.proof);
		if (!('details' in reading && reading.isMissigned)) return this.#auth.plain(raw);
		this.#auth.refused(raw, 'signature');
		return undefined;
	}

	#refusalOf({ request, proof }: DeviceAgentEnvelope): DeviceAgentFailed | undefined {
		const { requestId, ts, deviceId } = request;
		if (ts !== undefined && Math.abs(Date.now() - ts) > deviceAgentAgeMs)
			return deviceAgentFailed('stale', 'The request is too old, or its clock is wrong.', { requestId });
		if (deviceId === undefined || deviceId === this.#device.deviceId) return undefined;
		return proof ? stranger : invalidRequest(requestId, 'it is for another device');
	}
}

function failedBy({ httpStatus, error, reason }: Failure): DeviceAgentAnswer {
	const code = httpStatus >= 500 ? 'internal' : 'invalid_request';
	return deviceAgentFailed(code, reason ?? error, { httpStatus });
}

function send(reply: FastifyReply, answer: DeviceAgentAnswer): FastifyReply {
	const { httpStatus, body } = encodeDeviceAgentAnswer(answer);
	if (answer.kind === 'failed' && answer.code === 'overloaded') reply.header('retry-after', retrySeconds);
	return reply.code(httpStatus).send(body);
}

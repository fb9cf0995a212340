/** Who sends a call of the native protocol: a signed request, a token, a signed job; and nobody else. */
import type { z } from 'zod';
import { KnownError } from '../../../contract/error.ts';
import type { Principal } from '../../../contract/principal.ts';
import {
	bodyDigest,
	compactPattern,
	type JobEnvelope,
	jobEnvelopeSchema,
	nativeLimits,
	type RequestClaims,
	requestClaimsSchema,
} from '../../wire/native.ts';
import type { FaceParts, LiveKey } from '../face.ts';
import type { Submission } from '../ports.ts';
import { parsePayload, readJws, refuseStale, Unproven, verifyJws } from './native-jws.ts';
import { SeenIds } from './seen-ids.ts';

/** A call as it came, before anything is known of it. */
export interface Asked {
	readonly method: string;
	/** Path and query, as they were sent. */
	readonly target: string;
	readonly authorization: string | undefined;
	readonly body: Uint8Array;
	readonly peer: string | null;
}

export interface Caller {
	readonly principal: Principal;
	/** False once the key was revoked or its time is over; streams ask now and then. */
	isGood(): boolean;
}

/** A job on its way in, with the id by which the same bytes are known again. */
export interface SubmittedJob {
	readonly principal: Principal;
	readonly submission: Submission & { readonly clientId: string };
}

export interface NativeAuth {
	/** Throws AUTH_REQUIRED in the same words whatever is wrong. */
	caller(asked: Asked): Promise<Caller>;
	job(asked: Asked): Promise<SubmittedJob>;
}

const bearerPattern = /^Bearer +([\x21-\x7e]+)$/i;
/** Ids of one key in a minute. */
const seenPerKey = 10_000;

/** For the network: everything is proved with a key of the configuration. */
export class NetworkAuth implements NativeAuth {
	readonly #parts: Pick<FaceParts, 'keys' | 'config'>;
	readonly #now: () => number;
	readonly #seen = new SeenIds(seenPerKey);

	constructor(parts: Pick<FaceParts, 'keys' | 'config'>, now: () => number = Date.now) {
		this.#parts = parts;
		this.#now = now;
	}

	caller(asked: Asked): Promise<Caller> {
		return this.#proving(asked, async () => {
			const [, token = ''] = bearerPattern.exec(asked.authorization ?? '') ?? [];
			if (token === '') throw new Unproven(asked.authorization === undefined ? 'no token' : 'no bearer token');
			return compactPattern.test(token) ? this.#signed(asked, token) : this.#held(asked, token);
		});
	}

	job(asked: Asked): Promise<SubmittedJob> {
		return this.#proving(asked, async () => {
			const { key, payload } = await verifyJws(readJws(asked.body), 'job', this.#signers());
			const envelope = this.#parse(jobEnvelopeSchema, payload);
			refuseStale(envelope, nativeLimits.jobSeconds, this.#now());
			return { principal: { ...key.principal, peer: asked.peer }, submission: submissionOf(envelope, payload) };
		});
	}

	/** Every failed proof is counted, and looks the same from outside. */
	async #proving<T>({ peer }: Asked, act: () => Promise<T>): Promise<T> {
		try {
			return await act();
		} catch (error) {
			const reason = reasonOf(error);
			if (reason !== undefined) this.#parts.keys.refused('native', reason, peer);
			throw error instanceof Unproven ? new KnownError('AUTH_REQUIRED') : error;
		}
	}

	#signers = (): readonly LiveKey[] => this.#parts.keys.candidates('native', 'ed25519');

	#held({ peer }: Asked, token: string): Caller {
		const key = this.#parts.keys.byToken('native', token);
		if (!key) throw new Unproven('unknown token');
		return {
			principal: { ...key.principal, peer },
			isGood: () => this.#parts.keys.byToken('native', token)?.id === key.id,
		};
	}

	async #signed(asked: Asked, token: string): Promise<Caller> {
		const { key, payload } = await verifyJws(readJws(Buffer.from(token)), 'request', this.#signers());
		const claims = this.#parse(requestClaimsSchema, payload);
		refuseStale(claims, nativeLimits.requestSeconds, this.#now());
		refuseOther(claims, asked);
		if (claims.method !== 'GET') this.#refuseAgain(key, claims);
		return {
			principal: { ...key.principal, peer: asked.peer },
			isGood: () => this.#signers().some(({ id }) => id === key.id),
		};
	}

	#parse<T extends { readonly aud: string }>(schema: z.ZodType<T>, payload: Buffer): T {
		const parsed = parsePayload(schema, payload);
		if (parsed.aud !== this.#parts.config.device.id) throw new Unproven('other device');
		return parsed;
	}

	/** What changes something is signed for one use. Reading again changes nothing. */
	#refuseAgain(key: LiveKey, { jti, exp }: RequestClaims): void {
		const use = this.#seen.use(key.id, jti, exp * 1000, this.#now());
		if (use === 'again') throw new KnownError('REQUEST_REPLAYED', { details: 'its id was used' });
		if (use === 'too many')
			throw new KnownError('RATE_LIMITED', { details: `more than ${seenPerKey} requests in a minute`, seconds: 60 });
	}
}

/** Under which word a failed proof is counted; undefined for what is no failure of a proof. */
function reasonOf(error: unknown): string | undefined {
	if (error instanceof Unproven) return error.reason;
	if (!KnownError.is(error)) return undefined;
	if (error.code === 'AUTH_STALE') return 'stale';
	return error.code === 'REQUEST_REPLAYED' ? 'replayed' : undefined;
}

function refuseOther({ method, path, body }: RequestClaims, asked: Asked): void {
	const digest = asked.body.length === 0 ? undefined : bodyDigest(asked.body);
	if (method !== asked.method || path !== asked.target || body !== digest) throw new Unproven('other request');
}

function submissionOf({ job, jti, exp }: JobEnvelope, payload: Buffer): SubmittedJob['submission'] {
	return {
		face: 'native',
		// Other bytes with the same id are another request, and refused as one that came before.
		clientId: `${jti}:${bodyDigest(payload)}`,
		draft: job,
		freshness: { nonce: jti, expiresAt: (exp + nativeLimits.aheadSeconds) * 1000 },
	};
}

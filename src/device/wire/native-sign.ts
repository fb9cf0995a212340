/** What a client signs: its jobs, and a proof for every other request, with the private key that "agent init" printed. Pure. */
import { createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import { z } from 'zod';
import type { JobDraftInput } from '../../contract/device-job.ts';
import { KnownError } from '../../contract/error.ts';
import { bodyDigest, type JobEnvelopeInput, jobType, nativeLimits, type RequestClaims, requestType } from './native.ts';

/** A private key with the id under which the agent knows its other half. */
export interface SigningKey {
	readonly kid: string;
	readonly key: KeyObject;
}

/** RFC 8037; what else stands in a JWK (use, key_ops) says nothing that is needed. */
const jwkSchema = z.object({
	kty: z.literal('OKP'),
	crv: z.literal('Ed25519'),
	kid: z.string().min(1).max(64),
	x: z.string(),
	d: z.string(),
});

function invalid(details: string): KnownError {
	return new KnownError('CONFIG_INVALID', { details: `the key of the device ${details}` });
}

/** @param text the JWK as JSON; throws CONFIG_INVALID, which never repeats it */
export function readSigningKey(text: string): SigningKey {
	const parsed = jwkSchema.safeParse(parseJson(text));
	if (!parsed.success) throw invalid('is no private Ed25519 key as a JWK with "kid", as "agent init" prints it');
	const { kid, ...jwk } = parsed.data;
	try {
		return { kid, key: createPrivateKey({ key: jwk, format: 'jwk' }) };
	} catch {
		throw invalid('cannot be read');
	}
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** The JWK that a client is given, of a private key in PEM. */
export function signingJwk(privatePem: string, kid: string): string {
	const jwk = createPrivateKey(privatePem).export({ format: 'jwk' });
	return JSON.stringify({ kty: 'OKP', crv: 'Ed25519', kid, x: jwk.x, d: jwk.d });
}

/** What the agent keeps of a client's key. */
export const publicPemOf = ({ key }: SigningKey): string =>
	createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();

const encode = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url');

/** Compact JWS (RFC 7515) over exactly these bytes. */
export function signBytes({ kid, key }: SigningKey, typ: string, payload: string | Uint8Array): string {
	const input = `${encode(JSON.stringify({ alg: 'EdDSA', kid, typ }))}.${encode(payload)}`;
	return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
}

/** When it is signed (ms since 1970; the device's clock, where it is known to differ), and for how long it is good. */
export interface SigningTime {
	readonly now?: number | undefined;
	readonly seconds?: number | undefined;
}

function claimsFor(deviceId: string, { now = Date.now() }: SigningTime, seconds: number) {
	const iat = Math.floor(now / 1000);
	return { aud: deviceId, iat, exp: iat + seconds, jti: randomUUID() };
}

/** @returns body of POST /v2/jobs; a retry of a job that has an idempotency key may be signed anew */
export function signJob(key: SigningKey, deviceId: string, job: JobDraftInput, time: SigningTime = {}): string {
	const claims = claimsFor(deviceId, time, time.seconds ?? nativeLimits.jobSeconds);
	return signBytes(key, jobType, JSON.stringify({ ...claims, job } satisfies JobEnvelopeInput));
}

export interface RequestToSign {
	readonly method: RequestClaims['method'];
	/** Path and query as they are sent, without a prefix that a proxy takes away. */
	readonly path: string;
	readonly body?: string | undefined;
}

/** @returns value of the header "authorization" for exactly this request */
export function signRequest(key: SigningKey, deviceId: string, request: RequestToSign, time: SigningTime = {}): string {
	const { method, path, body } = request;
	const claims = claimsFor(deviceId, time, time.seconds ?? nativeLimits.requestSeconds);
	const digest = body === undefined || body === '' ? {} : { body: bodyDigest(body) };
	return `Bearer ${signBytes(key, requestType, JSON.stringify({ ...claims, method, path, ...digest } satisfies RequestClaims))}`;
}

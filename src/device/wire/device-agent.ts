/** The wire of device_agent, requests: the envelope of a capability, plain or signed, and what its arguments mean. Both sides. Pure. */
import { type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { readJson, wholeText } from './json.ts';

export const deviceAgentPaths = {
	health: '/health',
	capabilities: '/capabilities',
	submit: '/capability',
	result: '/capability/:id',
	cancel: '/capability/:id/cancel',
} as const;

/** Takes the same token as "authorization: Bearer …". */
export const deviceAgentTokenHeader = 'x-auth-token';

/** What a capability does; a label behind it only selects another entry of the policy. */
export const deviceAgentKinds = [
	'shell.exec',
	'shell.eval',
	'docker.container.list',
	'docker.container.logs',
	'docker.container.exec',
	'fs.read',
] as const;
export type DeviceAgentKind = (typeof deviceAgentKinds)[number];

const labelPattern = /^(?:\.[a-z0-9_-]{1,40})?$/;

/** @returns what `shell.exec.admin` does, which is what `shell.exec` does; undefined for what nobody knows */
export const deviceAgentKindOf = (capability: string): DeviceAgentKind | undefined =>
	deviceAgentKinds.find((kind) => capability.startsWith(kind) && labelPattern.test(capability.slice(kind.length)));

/** One request. The rest of the fields is our own, and originals do not know it. */
export interface DeviceAgentRequest {
	readonly requestId: string;
	readonly capability: string;
	readonly args: readonly string[];
	/** For capabilities whose arguments have no place for it. */
	readonly cwd?: string | undefined;
	/** Unix milliseconds. */
	readonly ts?: number | undefined;
	readonly nonce?: string | undefined;
	/** Which device is meant; a signed request that names another one is refused. */
	readonly deviceId?: string | undefined;
}

/** What proves a signed request: a signature over exactly these bytes. */
export interface DeviceAgentProof {
	readonly keyId: string;
	readonly signature: Uint8Array;
	readonly bytes: Uint8Array;
}

export interface DeviceAgentEnvelope {
	readonly request: DeviceAgentRequest;
	/** Null: plain. */
	readonly proof: DeviceAgentProof | null;
}

/** An invalid one: with its id where it has one, and with its proof, so that strangers do not learn what was wrong. */
export interface DeviceAgentInvalid {
	readonly details: string;
	readonly requestId: string | null;
	readonly proof: DeviceAgentProof | null;
	/** A plain request cannot carry a signature; whoever signs means it. */
	readonly isMissigned: boolean;
}

export type DeviceAgentReading = DeviceAgentEnvelope | DeviceAgentInvalid;

/** Anything printable; ids of chats are in use that hold "$", ":" and "/". */
const requestIdSchema = z.string().regex(/^[!-~]{1,128}$/, 'is no id of 1 to 128 printable characters');
const keyIdSchema = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'is no id of a key');

/** A member that the protocol does not know says nothing in a plain request, as to the original. What is signed is meant. */
const envelopeSchema = z.object({
	request_id: requestIdSchema,
	capability: z.string().max(100),
	/** Go writes an empty list as null. */
	args: z
		.array(wholeText)
		.max(500)
		.nullish()
		.transform((args) => args ?? []),
	cwd: wholeText.max(4096).nullish(),
	ts: z.int().nullish(),
	nonce: z
		.string()
		.regex(/^[A-Za-z0-9_=+/-]{16,128}$/, 'is no nonce of 16 to 128 characters')
		.nullish(),
	device_id: z.string().max(64).nullish(),
});

const signedSchema = z.strictObject({
	payload: wholeText,
	key_id: keyIdSchema,
	sig: z.string().regex(/^[A-Za-z0-9+/_-]{86}(?:==)?$/, 'is no Ed25519 signature in base64url'),
});

const wordsOf = (error: z.ZodError): string => z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' ');

const invalid = (details: string, more: Partial<DeviceAgentInvalid> = {}): DeviceAgentInvalid => ({
	...{ details, requestId: null, proof: null, isMissigned: false },
	...more,
});

const isObject = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const has = (value: unknown, key: string): boolean =>
	isObject(value) && Object.hasOwn(value, key) && value[key] !== null;

/** Reads the body of `POST /capability`. Nothing in it is verified. */
export function decodeDeviceAgentRequest(body: Uint8Array): DeviceAgentReading {
	const json = readJson(body);
	if (!json.ok) return invalid(`the body ${json.why}`);
	if (has(json.value, 'payload')) return decodeSigned(json.value);
	if (has(json.value, 'sig') || has(json.value, 'key_id'))
		return invalid('a signed request is {"payload":"<json text>","key_id","sig"}', { isMissigned: true });
	return decodeEnvelope(json.value, null);
}

function decodeSigned(value: unknown): DeviceAgentReading {
	const { data, error } = signedSchema.safeParse(value);
	if (error) return invalid(wordsOf(error), { isMissigned: true });
	const bytes = Buffer.from(data.payload);
	const proof = { keyId: data.key_id, signature: Buffer.from(data.sig, 'base64url'), bytes };
	const json = readJson(bytes);
	if (!json.ok) return invalid(`the payload ${json.why}`, { proof });
	return decodeEnvelope(json.value, proof);
}

function decodeEnvelope(value: unknown, proof: DeviceAgentProof | null): DeviceAgentReading {
	const { data, error } = (proof ? envelopeSchema.strict() : envelopeSchema).safeParse(value);
	if (error) return invalid(wordsOf(error), { proof, requestId: idIn(value) });
	if (proof && !(has(value, 'ts') && has(value, 'nonce')))
		return invalid('a signed request needs "ts" and "nonce"', { proof, requestId: data.request_id });
	return {
		request: {
			requestId: data.request_id,
			capability: data.capability,
			args: data.args,
			cwd: data.cwd ?? undefined,
			ts: data.ts ?? undefined,
			nonce: data.nonce ?? undefined,
			deviceId: data.device_id ?? undefined,
		},
		proof,
	};
}

const idIn = (value: unknown): string | null =>
	isObject(value) ? (requestIdSchema.safeParse(value.request_id).data ?? null) : null;

/** @param key public Ed25519 key */
export const isDeviceAgentProof = ({ bytes, signature }: DeviceAgentProof, key: KeyObject): boolean =>
	verify(null, bytes, key, signature);

const envelopeText = (request: DeviceAgentRequest): string =>
	JSON.stringify({
		request_id: request.requestId,
		capability: request.capability,
		args: request.args,
		cwd: request.cwd,
		ts: request.ts,
		nonce: request.nonce,
		device_id: request.deviceId,
	});

/** @returns the body of a plain request */
export const encodeDeviceAgentRequest = envelopeText;

/** @param key private Ed25519 key; @returns the body of a signed request */
export function signDeviceAgentRequest(
	request: DeviceAgentRequest & { readonly ts: number; readonly nonce: string },
	keyId: string,
	key: KeyObject,
): string {
	const payload = envelopeText(request);
	const sig = sign(null, Buffer.from(payload), key).toString('base64url');
	return JSON.stringify({ payload, key_id: keyId, sig });
}

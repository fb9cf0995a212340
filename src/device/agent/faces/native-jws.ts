/** Verifies what is signed for the native protocol: which key, over which bytes, for this device and this moment. */
import { flattenedVerify } from 'jose';
import type { z } from 'zod';
import { KnownError } from '../../../contract/error.ts';
import { readJson } from '../../wire/json.ts';
import {
	algorithms,
	compactPattern,
	type Flattened,
	flattenedSchema,
	jobHeaderSchema,
	nativeLimits,
	requestHeaderSchema,
} from '../../wire/native.ts';
import { decodeBody } from '../../wire/native-codec.ts';
import type { LiveKey } from '../face.ts';

/** A proof that is none. The reason is for the record; a stranger is told nothing but "no". */
export class Unproven extends Error {
	readonly reason: string;
	constructor(reason: string) {
		super(reason);
		this.reason = reason;
	}
}

export interface Verified {
	readonly key: LiveKey;
	/** Exactly what was signed. */
	readonly payload: Buffer;
}

const headerOf = { job: jobHeaderSchema, request: requestHeaderSchema } as const;

/** Reads the compact or the flattened form; throws Unproven. */
export function readJws(bytes: Uint8Array): Flattened {
	const text = Buffer.from(bytes).toString('latin1').trim();
	if (compactPattern.test(text)) {
		const [header = '', payload = '', signature = ''] = text.split('.');
		return { protected: header, payload, signature };
	}
	const json = readJson(bytes);
	const flattened = flattenedSchema.safeParse(json.ok ? json.value : undefined);
	if (!flattened.success) throw new Unproven('no jws');
	return flattened.data;
}

/**
 * Verifies a signature with the one key that its header names. Headers that say anything else than what is expected, "none" and
 * HMAC among them, are refused before any key is used.
 */
export async function verifyJws(
	jws: Flattened,
	kind: keyof typeof headerOf,
	keys: readonly LiveKey[],
): Promise<Verified> {
	const json = readJson(Buffer.from(jws.protected, 'base64url'));
	const header = headerOf[kind].safeParse(json.ok ? json.value : undefined);
	if (!header.success) throw new Unproven('wrong header');
	const key = keys.find(({ id }) => id === header.data.kid);
	if (!key || Buffer.isBuffer(key.material)) throw new Unproven('unknown key');
	try {
		const { payload } = await flattenedVerify(jws, key.material, { algorithms: [...algorithms] });
		return { key, payload: Buffer.from(payload) };
	} catch {
		throw new Unproven('bad signature');
	}
}

/** The payload as what it should be; throws REQUEST_INVALID, because by now it is known who sent it. */
export function parsePayload<T>(schema: z.ZodType<T>, payload: Uint8Array): T {
	const decoded = decodeBody(schema, payload);
	if (!decoded.ok) throw new KnownError('REQUEST_INVALID', { details: `in what was signed, ${decoded.why}` });
	return decoded.value;
}

interface Times {
	readonly iat: number;
	readonly exp: number;
}

/** Throws AUTH_STALE with both clocks, because the sender has proved who it is and must be able to mend it. */
export function refuseStale({ iat, exp }: Times, longestSeconds: number, nowMs: number): void {
	const now = Math.floor(nowMs / 1000);
	const stale = (details: string): never => {
		throw new KnownError('AUTH_STALE', { details: `${details}; the clock of this device says ${timeOf(now)}` });
	};
	if (exp <= iat || exp - iat > longestSeconds) stale(`it must be good for ${longestSeconds} s at most`);
	if (iat > now + nativeLimits.aheadSeconds) stale(`it was signed at ${timeOf(iat)}, which is yet to come`);
	if (exp <= now) stale(`it was good until ${timeOf(exp)}`);
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000', '');

/** A checkpoint: the device's signature under "so many lines there are, and this is the seal of the last". Pure. */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';

const purpose = 'secure-code/audit-checkpoint';

/** One line of audit-checkpoints.jsonl, the only line of audit-head.json, and the detail of a checkpoint in the audit. */
export const checkpointSchema = z.strictObject({
	purpose: z.literal(purpose),
	device: z.string(),
	seq: z.int().min(0).describe('Number of the last line that it covers.'),
	seal: z.string().regex(/^[0-9a-f]{64}$/),
	at: z.string(),
	key: z.string().describe('SHA-256 of the public key (SPKI, DER), hex.'),
	sig: z.string().describe('Ed25519 over the JSON of the fields before it, base64url.'),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

const signedFields = ['purpose', 'device', 'seq', 'seal', 'at', 'key'];

const signedBytes = (checkpoint: Omit<Checkpoint, 'sig'>): Buffer =>
	Buffer.from(JSON.stringify(checkpoint, signedFields));

/** Names a key without saying it. */
export const fingerprintOf = (key: KeyObject): string =>
	createHash('sha256')
		.update(key.export({ type: 'spki', format: 'der' }))
		.digest('hex');

export interface Signer {
	readonly device: string;
	readonly key: KeyObject;
	readonly fingerprint: string;
}

/** @param key private, Ed25519 */
export const createSigner = (device: string, key: KeyObject): Signer => ({
	device,
	key,
	fingerprint: fingerprintOf(createPublicKey(key)),
});

export function signCheckpoint(signer: Signer, covered: { seq: number; seal: string }, at: string): Checkpoint {
	const { device, key, fingerprint } = signer;
	const unsigned = { purpose, device, seq: covered.seq, seal: covered.seal, at, key: fingerprint } as const;
	return { ...unsigned, sig: sign(null, signedBytes(unsigned), key).toString('base64url') };
}

/** Undefined for anything that is not a checkpoint. */
export function readCheckpoint(text: string): Checkpoint | undefined {
	try {
		return checkpointSchema.safeParse(JSON.parse(text)).data;
	} catch {
		return undefined;
	}
}

/** @param keys public keys of the device by their fingerprint, those that were replaced too */
export function isSigned(checkpoint: Checkpoint, keys: ReadonlyMap<string, KeyObject>): boolean {
	const key = keys.get(checkpoint.key);
	return key !== undefined && verify(null, signedBytes(checkpoint), key, Buffer.from(checkpoint.sig, 'base64url'));
}

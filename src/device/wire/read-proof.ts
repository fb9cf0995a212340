/** Proves who asks where a protocol has no place for a proof: a header over method, path and time, for reads and cancels. Pure. */
import { createHmac, type KeyObject, sign, verify } from 'node:crypto';
import { isSameText } from './same-text.ts';

/** What is asked for, by whom and when. */
export interface ReadClaim {
	readonly method: string;
	/** As it stands in the request line, without the part behind "?". */
	readonly path: string;
	/** Controller of QuickCMD, or key of device_agent. */
	readonly id: string;
	/** Unix seconds. */
	readonly at: number;
}

export interface ReadProof {
	readonly scheme: 'HMAC-SHA256' | 'Ed25519';
	readonly id: string;
	readonly at: number;
	readonly signature: string;
}

const textOf = ({ method, path, id, at }: ReadClaim): string => `${method} ${path}\n${id}\n${at}`;

const hmacOf = (claim: ReadClaim, secret: string | Uint8Array): string =>
	createHmac('sha256', secret).update(textOf(claim)).digest('hex');

/** @returns the value of the header "authorization" */
export const hmacReadProof = (claim: ReadClaim, secret: string | Uint8Array): string =>
	`HMAC-SHA256 ${claim.id}:${claim.at}:${hmacOf(claim, secret)}`;

/** @param key private Ed25519 key; @returns the value of the header "authorization" */
export const ed25519ReadProof = (claim: ReadClaim, key: KeyObject): string =>
	`Ed25519 ${claim.id}:${claim.at}:${sign(null, Buffer.from(textOf(claim)), key).toString('base64url')}`;

/** An id may hold a colon itself, as an address does. */
const proofPattern = /^(HMAC-SHA256|Ed25519) ([^\s]{1,200}):(\d{1,12}):([A-Za-z0-9_-]{64,86})$/;

export function readProofOf(header: string | undefined): ReadProof | undefined {
	const [, scheme, id, at, signature] = proofPattern.exec(header ?? '') ?? [];
	if (id === undefined || signature === undefined) return undefined;
	return { scheme: scheme as ReadProof['scheme'], id, at: Number(at), signature };
}

type Asked = Pick<ReadClaim, 'method' | 'path'>;

/** In constant time. Says nothing about the age of the proof. */
export const isHmacReadProof = (proof: ReadProof, asked: Asked, secret: string | Uint8Array): boolean =>
	proof.scheme === 'HMAC-SHA256' &&
	isSameText(proof.signature, hmacOf({ ...asked, id: proof.id, at: proof.at }, secret));

/** @param key public Ed25519 key */
export function isEd25519ReadProof(proof: ReadProof, asked: Asked, key: KeyObject): boolean {
	if (proof.scheme !== 'Ed25519') return false;
	const text = textOf({ ...asked, id: proof.id, at: proof.at });
	return verify(null, Buffer.from(text), key, Buffer.from(proof.signature, 'base64url'));
}

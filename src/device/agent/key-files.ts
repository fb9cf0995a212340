/** What lies in the file of a key: a digest, a secret or a public key; refused when it is too weak to prove anything. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { KeyEntry } from '../../contract/agent-config.ts';
import { KnownError } from '../../contract/error.ts';
import { type ReadOptions, refuseExposed } from './config.ts';
import { inside } from './layout.ts';
import { type Exposure, look } from './ownership.ts';

/** Shorter secrets can be guessed. */
export const leastSecretBytes = 32;
/** Characters that a secret must at least be made of; 64 times "a" is long, but no secret. */
const leastCharacters = 8;
const digestPattern = /^[0-9a-f]{64}$/;

export type Material = Buffer | KeyObject;

const invalid = (id: string, details: string, cause?: unknown) =>
	new KnownError('CONFIG_INVALID', { details: `key ${id}: ${details}` }, { cause });

/** @returns why a secret proves nothing; undefined for a good one */
export function weaknessOf(secret: string): string | undefined {
	if (/^change[_-]?me/i.test(secret)) return 'its secret is still the placeholder';
	if (Buffer.byteLength(secret) < leastSecretBytes) return `its secret is shorter than ${leastSecretBytes} bytes`;
	if (new Set(secret).size < leastCharacters)
		return `its secret is made of fewer than ${leastCharacters} different characters`;
	return undefined;
}

function secretOf(id: string, text: string): Buffer {
	const weakness = weaknessOf(text);
	if (weakness !== undefined) throw invalid(id, `${weakness}; "secure-code agent keys rotate ${id}" makes a good one`);
	return Buffer.from(text);
}

function publicKeyOf(id: string, text: string): KeyObject {
	try {
		const key = createPublicKey(text);
		if (key.asymmetricKeyType === 'ed25519') return key;
	} catch (error) {
		throw invalid(id, 'its file is no public key in PEM', error);
	}
	throw invalid(id, 'its public key is not of the kind ed25519');
}

/** Reads the text of a key file as what the kind of the key needs. */
export function materialOf({ id, kind }: Pick<KeyEntry, 'id' | 'kind'>, text: string): Material {
	const trimmed = text.trim();
	if (kind === 'ed25519') {
		if (trimmed.includes('PRIVATE KEY')) throw invalid(id, 'a private key lies where only the public one belongs');
		return publicKeyOf(id, trimmed);
	}
	if (kind !== 'token') return secretOf(id, trimmed);
	if (!digestPattern.test(trimmed)) throw invalid(id, 'its file does not hold the SHA-256 of a token in hex');
	return Buffer.from(trimmed, 'hex');
}

export interface ReadKey {
	readonly entry: KeyEntry;
	readonly material: Material;
	readonly warnings: readonly Exposure[];
}

/** A secret that others can read is none. A digest or a public key betrays nothing. */
const isSecret = ({ kind }: KeyEntry): boolean => kind === 'hmac' || kind === 'jwt-hs256';

export function readKey(dir: string, entry: KeyEntry, options: ReadOptions = {}): ReadKey {
	const path = inside(dir, entry.file);
	const found = look(path);
	const exposure = found?.kind === 'readable' && isSecret(entry) ? { ...found, kind: 'writable' as const } : found;
	const warnings = refuseExposed([exposure], options);
	return { entry, material: materialOf(entry, readText(entry.id, path)), warnings };
}

function readText(id: string, path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw invalid(id, 'its file cannot be read', error);
	}
}

/** The signature beside a manifest of device_agent: Ed25519 over exactly the bytes of the manifest. Pure. */
import { type KeyObject, sign, verify } from 'node:crypto';

const signatureBytes = 64;

/** 64 bytes, as openssl writes them; or the same in base64, base64url or hex, on a line. Undefined for what is none. */
export function signatureIn(file: Buffer): Buffer | undefined {
	if (file.length === signatureBytes) return file;
	const text = file.toString('latin1').trim();
	if (/^[0-9a-f]{128}$/i.test(text)) return Buffer.from(text, 'hex');
	return /^[A-Za-z0-9+/_-]{86}(?:==)?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** @param key public Ed25519 key */
export function isSignedManifest(manifest: Buffer, signatureFile: Buffer, key: KeyObject): boolean {
	const signature = signatureIn(signatureFile);
	return key.asymmetricKeyType === 'ed25519' && signature !== undefined && verify(null, manifest, key, signature);
}

/** @param key private Ed25519 key; @returns what the file of the signature holds */
export const signManifest = (manifest: Buffer, key: KeyObject): string =>
	`${sign(null, manifest, key).toString('base64')}\n`;

/** The key of the device: it signs the checkpoints of the audit, and nothing that a job runs can read it. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fingerprintOf } from './checkpoint.ts';
import { deviceKeyFile, devicePublicKeyFile } from './places.ts';

/** The private key; throws when it is not there. */
export const readDeviceKey = (dir: string): KeyObject => createPrivateKey(readFileSync(deviceKeyFile(dir)));

/** Makes the pair; throws when there is one. @returns the public key, PEM */
export function makeDeviceKey(dir: string): string {
	const { privateKey, publicKey } = generateKeyPairSync('ed25519');
	const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
	const file = deviceKeyFile(dir);
	mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
	writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
	writeFileSync(devicePublicKeyFile(dir), pem, { mode: 0o644 });
	return pem;
}

const pemBlock = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;

const byFingerprint = (keys: readonly KeyObject[]): ReadonlyMap<string, KeyObject> =>
	new Map(keys.map((key) => [fingerprintOf(key), key]));

/** All keys of a file of PEM blocks: the one of now, and those that were replaced. Throws when there is none. */
export function readPublicKeys(path: string): ReadonlyMap<string, KeyObject> {
	const keys = [...readFileSync(path, 'utf8').matchAll(pemBlock)].map(([block]) => createPublicKey(block));
	if (keys.length === 0) throw new Error(`${path} holds no public key`);
	return byFingerprint(keys);
}

/** From the folder of the agent: of the private key for whoever may read it, else from the file beside it. */
export function devicePublicKeys(dir: string): ReadonlyMap<string, KeyObject> {
	let key: KeyObject;
	try {
		key = createPublicKey(readDeviceKey(dir));
	} catch {
		return readPublicKeys(devicePublicKeyFile(dir));
	}
	return byFingerprint([key]);
}

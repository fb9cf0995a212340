/** The key of the device: it signs the checkpoints of the audit, and nothing that a job runs can read it. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fingerprintOf } from './checkpoint.ts';

/** Below the folder of the agent. */
const privateFile = join('keys', 'device.key');
/** May hold the keys of earlier times after the one of now. */
const publicFile = join('keys', 'device.pub');

/** Makes the pair; throws when there is one. @returns the public key, PEM */
export function makeDeviceKey(dir: string): string {
	const { privateKey, publicKey } = generateKeyPairSync('ed25519');
	const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
	mkdirSync(dirname(join(dir, privateFile)), { recursive: true, mode: 0o700 });
	writeFileSync(join(dir, privateFile), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
		mode: 0o600,
		flag: 'wx',
	});
	writeFileSync(join(dir, publicFile), pem, { mode: 0o644 });
	return pem;
}

/** The private key; throws when it is not there. */
export const readDeviceKey = (dir: string): KeyObject => createPrivateKey(readFileSync(join(dir, privateFile)));

const pemBlock = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;

/** @returns the keys of a file of PEM blocks, by fingerprint; throws when there is none */
export function readPublicKeys(path: string): ReadonlyMap<string, KeyObject> {
	const keys = [...readFileSync(path, 'utf8').matchAll(pemBlock)].map(([block]) => createPublicKey(block));
	if (keys.length === 0) throw new Error(`${path} holds no public key`);
	return new Map(keys.map((key) => [fingerprintOf(key), key]));
}

export const devicePublicFile = (dir: string): string => join(dir, publicFile);

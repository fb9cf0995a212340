import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KeyEntry } from '../../../../src/contract/agent-config.ts';
import { materialOf, readKey, weaknessOf } from '../../../../src/device/agent/key-files.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const good = '0123456789abcdef0123456789abcdef';
const pem = (type: 'ed25519' | 'rsa', part: 'publicKey' | 'privateKey'): string => {
	const pair = type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
	const key = pair[part];
	return key.export({ type: part === 'publicKey' ? 'spki' : 'pkcs8', format: 'pem' }).toString();
};

describe('weaknessOf', () => {
	it.each([
		['CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME', 'its secret is still the placeholder'],
		['change-me-0123456789abcdef0123456789abcdef', 'its secret is still the placeholder'],
		['', 'its secret is shorter than 32 bytes'],
		[good.slice(1), 'its secret is shorter than 32 bytes'],
		['a'.repeat(64), 'its secret is made of fewer than 8 different characters'],
		[good, undefined],
	])('says of %j: %s', (secret, weakness) => {
		expect(weaknessOf(secret)).toBe(weakness);
	});
});

describe('materialOf', () => {
	it('takes secrets as their bytes and digests as theirs, without the line that ends the file', () => {
		const digest = 'ab'.repeat(32);
		const read = (kind: KeyEntry['kind'], text: string) => materialOf({ id: 'k', kind }, text);
		expect([read('hmac', `${good}\n`), read('jwt-hs256', good), read('token', `${digest}\n`)]).toEqual([
			Buffer.from(good),
			Buffer.from(good),
			Buffer.from(digest, 'hex'),
		]);
	});

	it('takes a public Ed25519 key', () => {
		expect(materialOf({ id: 'k', kind: 'ed25519' }, pem('ed25519', 'publicKey'))).toMatchObject({
			type: 'public',
			asymmetricKeyType: 'ed25519',
		});
	});

	it.each([
		['a private key', 'ed25519', pem('ed25519', 'privateKey'), 'a private key lies where only the public one belongs'],
		['a key of another kind', 'ed25519', pem('rsa', 'publicKey'), 'is not of the kind ed25519'],
		['no key at all', 'ed25519', 'hello', 'its file is no public key in PEM'],
		['a token in clear', 'token', 'my-token', 'does not hold the SHA-256 of a token'],
		['a weak secret', 'hmac', 'short', '"secure-code agent keys rotate k" makes a good one'],
	] as const)('refuses %s', (_, kind, text, words) => {
		expect(() => materialOf({ id: 'k', kind }, text)).toThrow(words);
	});
});

describe('readKey', () => {
	const entryFor = (kind: KeyEntry['kind'], file = 'keys/k'): KeyEntry => ({
		...{ id: 'k', face: 'agent3', kind, principal: 'p', roles: ['executor'], file, isRevoked: false },
	});
	function folder(text: string, mode: number): string {
		const dir = tempFolder();
		mkdirSync(join(dir, 'keys'), { mode: 0o700 });
		writeFileSync(join(dir, 'keys', 'k'), text);
		chmodSync(join(dir, 'keys', 'k'), mode);
		return dir;
	}

	it('refuses a secret that others can read, because then it is none', () => {
		expect(() => readKey(folder(good, 0o644), entryFor('hmac'))).toThrow('can be read by other users');
	});

	it('only warns of a digest that others can read', () => {
		const { warnings } = readKey(folder('ab'.repeat(32), 0o644), entryFor('token'));
		expect(warnings.map(({ kind }) => kind)).toEqual(['readable']);
	});

	it.each(['../k', '/etc/passwd', 'keys/../../k'])('refuses the file %s outside the folder', (file) => {
		expect(() => readKey(folder(good, 0o600), entryFor('hmac', file))).toThrow('outside the folder of the agent');
	});

	it('says which file is missing', () => {
		expect(() => readKey(folder(good, 0o600), entryFor('hmac', 'keys/other'))).toThrow('keys/other is not there');
	});
});

import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../../../src/device/agent/config.ts';
import { initAgent } from '../../../../src/device/agent/init.ts';
import { readKey } from '../../../../src/device/agent/key-files.ts';
import { addKey, issueJwt, listKeys, revokeKey, rotateKey } from '../../../../src/device/agent/keys.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

let dir: string;
beforeEach(async () => {
	dir = join(tempFolder(), 'agent');
	await initAgent({
		dir,
		faces: ['agent3', 'ogent', 'quickcmd', 'native'],
		listen: '127.0.0.1',
		hosts: [],
		portBase: 20_000 + Math.floor(Math.random() * 30_000),
		program: ['node', 'main.js'],
	});
});

const entry = (id: string) => listKeys(dir).find((key) => key.id === id);

describe('addKey', () => {
	it('gives the next free name, and what the client needs once', async () => {
		const { entry: made, shown } = await addKey(dir, { face: 'agent3', kind: 'token', roles: ['viewer'] });
		expect([made, shown?.length, entry('agent3-2')]).toEqual([
			{
				...{ id: 'agent3-2', face: 'agent3', kind: 'token', principal: 'agent3-2', roles: ['viewer'] },
				...{ file: 'keys/agent3-2.sha256', isRevoked: false },
			},
			43,
			made,
		]);
		expect(readFileSync(join(dir, 'config.yaml'), 'utf8')).not.toContain(shown);
	});

	it('lets a new controller of QuickCMD in', async () => {
		await addKey(dir, { id: 'c2', face: 'quickcmd', kind: 'hmac', principal: 'controller-2', roles: ['executor'] });
		expect(readConfig(dir).config.quickcmd.allowedControllers).toEqual(['controller-1', 'controller-2']);
	});

	it('takes the public key of a client that made its pair itself', async () => {
		const { publicKey } = generateKeyPairSync('ed25519');
		const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
		const made = await addKey(dir, {
			id: 'laptop',
			face: 'native',
			kind: 'ed25519',
			roles: ['approver'],
			publicKey: pem,
		});
		const { material } = readKey(dir, made.entry);
		expect([made.shown, publicKey.equals(material as typeof publicKey)]).toEqual([null, true]);
	});

	it('takes neither a private key nor a name that is there', async () => {
		const { privateKey } = generateKeyPairSync('ed25519');
		const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
		const order = { face: 'native' as const, kind: 'ed25519' as const, roles: ['executor' as const] };
		await expect(addKey(dir, { ...order, publicKey: pem })).rejects.toThrow('a private key lies where');
		await expect(addKey(dir, { ...order, id: 'native-1' })).rejects.toThrow('there is a key native-1 already');
		expect(listKeys(dir)).toHaveLength(4);
	});

	it('keeps the comments of the configuration', async () => {
		const path = join(dir, 'config.yaml');
		writeFileSync(path, `# mine\n${readFileSync(path, 'utf8')}`);
		await addKey(dir, { face: 'agent3', kind: 'token', roles: ['executor'] });
		expect(readFileSync(path, 'utf8')).toMatch(/^# mine\n/);
	});
});

describe('rotateKey', () => {
	it('makes a new key for the same principal, and lets the old one go on for a while', async () => {
		const { entry: made } = await rotateKey(dir, 'quickcmd-1', 60_000, 1_000_000);
		expect([made.id, made.principal, entry('quickcmd-1')?.notAfter]).toEqual(['quickcmd-2', 'controller-1', 1_060_000]);
	});

	it('never makes the life of an old key longer', async () => {
		await rotateKey(dir, 'agent3-1', 1000, 1_000_000);
		await rotateKey(dir, 'agent3-1', 60_000, 1_000_000);
		expect(entry('agent3-1')?.notAfter).toBe(1_001_000);
	});

	it('knows no key that is not there or was revoked', async () => {
		revokeKey(dir, 'agent3-1');
		for (const id of ['agent3-1', 'nope']) await expect(rotateKey(dir, id, 0)).rejects.toThrow(`there is no key ${id}`);
	});
});

describe('revokeKey', () => {
	it('deletes the secret and keeps the name', () => {
		revokeKey(dir, 'quickcmd-1');
		expect([entry('quickcmd-1')?.isRevoked, existsSync(join(dir, 'keys/quickcmd-1.secret'))]).toEqual([true, false]);
	});
});

describe('issueJwt', () => {
	it('signs another JWT of a key that signs JWTs, and of no other', async () => {
		const payload = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
		const { sub, iat, exp } = payload(await issueJwt(dir, 'ogent-1', 'bob', 7));
		expect([sub, exp - iat]).toEqual(['bob', 7 * 86_400]);
		await expect(issueJwt(dir, 'quickcmd-1', 'bob', 7)).rejects.toThrow('does not sign JWTs');
	});
});

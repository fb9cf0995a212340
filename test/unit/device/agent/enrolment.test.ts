import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { invite, redeem } from '../../../../src/device/agent/enrolment.ts';
import { initAgent } from '../../../../src/device/agent/init.ts';
import { listKeys } from '../../../../src/device/agent/keys.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

let dir: string;
beforeEach(async () => {
	dir = join(tempFolder(), 'agent');
	await initAgent({
		dir,
		faces: ['native'],
		listen: '127.0.0.1',
		hosts: [],
		portBase: 32_100,
		program: ['node', 'main.js'],
	});
});

const publicKey = (): string =>
	generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();

const order = (more: object = {}) => ({
	principal: 'ann',
	roles: ['executor' as const],
	expiresAt: Date.now() + 60_000,
	...more,
});

const codeOf = (promise: Promise<unknown>) =>
	promise.then(
		() => 'done',
		({ code }: { code: string }) => code,
	);

describe('a token for one key', () => {
	it('registers the public key of whoever holds it, with the rights that the operator gave', async () => {
		const token = invite(dir, order({ capabilities: ['fs.read'] }));
		const { id } = await redeem(dir, token, publicKey());
		expect(listKeys(dir).find((key) => key.id === id)).toMatchObject({
			...{ face: 'native', kind: 'ed25519', principal: 'ann', roles: ['executor'], capabilities: ['fs.read'] },
		});
	});

	it('is good once, also for two who come at the same moment', async () => {
		const token = invite(dir, order());
		const codes = await Promise.all([codeOf(redeem(dir, token, publicKey())), codeOf(redeem(dir, token, publicKey()))]);
		expect([codes.sort(), await codeOf(redeem(dir, token, publicKey()))]).toEqual([
			['AUTH_REQUIRED', 'done'],
			'AUTH_REQUIRED',
		]);
	});

	it('is used up by a key that is none', async () => {
		const token = invite(dir, order());
		expect([await codeOf(redeem(dir, token, 'no key')), await codeOf(redeem(dir, token, publicKey()))]).toEqual([
			'REQUEST_INVALID',
			'AUTH_REQUIRED',
		]);
	});

	it('ends with its time', async () => {
		const token = invite(dir, order({ expiresAt: Date.now() + 1000 }));
		expect(await codeOf(redeem(dir, token, publicKey(), Date.now() + 1001))).toBe('AUTH_REQUIRED');
	});

	it('lies on the disk as its digest, for the owner alone', () => {
		const token = invite(dir, order());
		const path = join(dir, 'state', 'invitations.json');
		expect([readFileSync(path, 'utf8').includes(token), statSync(path).mode & 0o777]).toEqual([false, 0o600]);
	});

	it.each(['', 'x'.repeat(43), '../../etc/passwd'])('is not "%s"', async (token) => {
		invite(dir, order());
		expect(await codeOf(redeem(dir, token, publicKey()))).toBe('AUTH_REQUIRED');
	});

	it('invites nobody when the file is damaged', async () => {
		const token = invite(dir, order());
		writeFileSync(join(dir, 'state', 'invitations.json'), '[{"digest":');
		expect(await codeOf(redeem(dir, token, publicKey()))).toBe('CONFIG_INVALID');
	});
});

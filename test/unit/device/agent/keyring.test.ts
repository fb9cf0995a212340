import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { KeyEntry } from '../../../../src/contract/agent-config.ts';
import { FileKeyring } from '../../../../src/device/agent/keyring.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

const tokenKey = (id: string, token: string, more: Partial<KeyEntry> = {}) => ({
	entry: {
		...{ id, face: 'agent3', kind: 'token', principal: `of-${id}`, roles: ['executor'], file: id, isRevoked: false },
		...more,
	} as KeyEntry,
	material: sha256(token),
});

function ring(keys: ReturnType<typeof tokenKey>[], now = 1000) {
	const clock = { now };
	const refused: unknown[] = [];
	const keyring = new FileKeyring({ now: () => clock.now, refused: (...failure) => refused.push(failure) });
	keyring.replace(keys);
	return { keyring, clock, refused };
}

describe('byToken', () => {
	it('finds whose token it is, with roles, and every capability when none is named', () => {
		const { keyring } = ring([tokenKey('a', 'one'), tokenKey('b', 'two', { capabilities: [] })]);
		expect([keyring.byToken('agent3', 'one')?.principal, keyring.byToken('agent3', 'two')?.principal]).toEqual([
			{ name: 'of-a', roles: ['executor'], capabilities: ['*'], keyId: 'a' },
			{ name: 'of-b', roles: ['executor'], capabilities: [], keyId: 'b' },
		]);
	});

	it('knows no token of another protocol, no part of one and no digest of one', () => {
		const { keyring } = ring([tokenKey('a', 'one')]);
		const tries = [
			keyring.byToken('device', 'one'),
			keyring.byToken('agent3', 'on'),
			keyring.byToken('agent3', ''),
			keyring.byToken('agent3', sha256('one').toString('hex')),
		];
		expect(tries).toEqual([undefined, undefined, undefined, undefined]);
	});
});

describe('a key', () => {
	it('is good until its time, so that old and new ones overlap', () => {
		const { keyring, clock } = ring([tokenKey('old', 'one', { notAfter: 2000 }), tokenKey('new', 'two')]);
		const names = () => keyring.candidates('agent3', 'token').map(({ id }) => id);
		const during = names();
		clock.now = 2000;
		expect([during, names()]).toEqual([['old', 'new'], ['new']]);
	});

	it('is good for nothing once it is revoked', () => {
		const { keyring } = ring([tokenKey('a', 'one', { isRevoked: true })]);
		expect([keyring.byToken('agent3', 'one'), keyring.candidates('agent3', 'token')]).toEqual([undefined, []]);
	});

	it('is gone when the keys are replaced by others', () => {
		const { keyring } = ring([tokenKey('a', 'one')]);
		keyring.replace([tokenKey('b', 'two')]);
		expect([keyring.byToken('agent3', 'one'), keyring.byToken('agent3', 'two')?.id]).toEqual([undefined, 'b']);
	});
});

it('passes on who failed to prove what', () => {
	const { keyring, refused } = ring([]);
	keyring.refused('native', 'bad signature', '10.0.0.1');
	expect(refused).toEqual([['native', 'bad signature', '10.0.0.1']]);
});

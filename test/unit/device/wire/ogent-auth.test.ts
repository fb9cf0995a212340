import { describe, expect, it } from 'vitest';
import {
	decodeOgentLogin,
	decodeOgentUser,
	encodeOgentLogin,
	ogentUserOfClaims,
} from '../../../../src/device/wire/ogent-auth.ts';

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('the user of a token', () => {
	it('is read from the claims of the authentication service', () => {
		const claims = {
			iss: 'x',
			iat: 1,
			exp: 2,
			nbf: 1,
			sub: 42,
			jti: 'j',
			roles: ['admin'],
			permissions: ['run agents'],
		};
		expect(ogentUserOfClaims(claims)).toEqual({ id: '42', roles: ['admin'], permissions: ['run agents'] });
		expect(ogentUserOfClaims({ sub: 'u' })).toEqual({ id: 'u', roles: [], permissions: [] });
	});

	it.each([
		{},
		{ sub: '' },
		{ sub: null },
		{ sub: 'u', roles: 'admin' },
		{ sub: 'u', permissions: { name: 'x' } },
		null,
	])('is nobody for the claims %j', (claims) => {
		expect(ogentUserOfClaims(claims)).toBe(undefined);
	});
});

describe('the user of the authentication service', () => {
	it('has the permissions of all his roles', () => {
		const permissions = [{ id: 1, name: 'run agents' }];
		const roles = [{ name: 'admin', permissions }, { name: 'user', permissions }, { name: 'idle' }];
		expect(decodeOgentUser(bytes({ user: { id: 7, name: 'A', roles } }))).toEqual({
			...{ id: '7', roles: ['admin', 'user', 'idle'], permissions: ['run agents'] },
		});
	});

	it.each(['', '<html>', '{}', '{"user":{}}', '{"user":{"id":1,"roles":"admin"}}', '{"user":null}'])(
		'is nobody for %j',
		(text) => {
			expect(decodeOgentUser(bytes(text))).toBe(undefined);
		},
	);
});

describe('a login', () => {
	it('names the user by the field that fits', () => {
		expect(JSON.parse(encodeOgentLogin({ user: 'a@b.c', password: 'p' }))).toEqual({ email: 'a@b.c', password: 'p' });
		expect(JSON.parse(encodeOgentLogin({ user: 'a', password: 'p' }))).toEqual({ username: 'a', password: 'p' });
	});

	it('brings a token, or nothing', () => {
		const answer = { user: {}, token: 't', token_type: 'Bearer', expires_in: 3600 };
		expect(decodeOgentLogin(bytes(answer))).toEqual({ token: 't', expiresInSeconds: 3600 });
		expect(decodeOgentLogin(bytes({ token: 't' }))).toEqual({ token: 't', expiresInSeconds: null });
		expect(decodeOgentLogin(bytes({ token: '' }))).toBe(undefined);
	});
});

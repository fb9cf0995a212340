import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../../../../src/contract/agent-config.ts';
import type { Role } from '../../../../../src/contract/principal.ts';
import { OgentAuth } from '../../../../../src/device/agent/faces/ogent-auth.ts';
import { RemoteUsers } from '../../../../../src/device/agent/faces/ogent-remote.ts';
import { TestKeys, tokenKey } from '../../../../helpers/face.ts';

const closing: (() => void)[] = [];
afterEach(() => {
	for (const close of closing.splice(0)) close();
});

async function service(answer: RequestListener): Promise<string> {
	const server = createServer(answer).listen(0, '127.0.0.1');
	closing.push(() => server.close().closeAllConnections());
	await once(server, 'listening');
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
}

const secret = 'a secret that is long enough for HS256';
const signedKey = (material: string, name: string, roles: Role[] = ['executor']) => ({
	...{ id: `key-${name}`, kind: 'jwt-hs256' as const, material: Buffer.from(material) },
	principal: { name, roles, capabilities: ['*'], keyId: `key-${name}` },
});

const now = () => Math.floor(Date.now() / 1000);
const claims = (more: object = {}): JWTPayload => ({
	...{ iss: 'auth', sub: '42', iat: now(), nbf: now(), exp: now() + 3600, jti: 'j' },
	...{ roles: ['user'], permissions: ['run agents', 'view agents'], ...more },
});
const jwt = (payload: JWTPayload, by = secret, alg = 'HS256') =>
	new SignJWT(payload).setProtectedHeader({ alg, typ: 'JWT' }).sign(Buffer.from(by));

function auth(keys: ConstructorParameters<typeof TestKeys>[0], ogent: object = {}) {
	const config = agentConfigSchema.parse({
		...{ version: 1, device: { id: 'd' }, listeners: [{ faces: ['ogent'], port: 0 }], ogent },
	});
	const ring = new TestKeys(keys);
	const one = new OgentAuth({ config, keys: ring });
	return { ring, bearer: (token: string) => one.callerOf(`Bearer ${token}`, '10.0.0.1'), one };
}

const refused = (httpStatus: number, error: string) => ({
	refused: { kind: 'refused', httpStatus, error, reason: null },
});
const principal = (name: string, roles: string[], more: object = {}) => ({
	principal: { name, roles, capabilities: ['*'], keyId: 'key-ogent', peer: '10.0.0.1', ...more },
});

describe('a JWT', () => {
	it('makes its user an executor under the name of the key', async () => {
		const { bearer, ring } = auth([signedKey(secret, 'ogent')]);
		expect(await bearer(await jwt(claims()))).toEqual(principal('ogent:42', ['executor']));
		expect(await bearer(await jwt(claims({ sub: 7 as never })))).toEqual(principal('ogent:7', ['executor']));
		expect(await bearer(await jwt(claims({ sub: 'ogent' })))).toEqual(principal('ogent', ['executor']));
		expect(ring.refusals).toEqual([]);
	});

	it('brings only roles that the key has, too', async () => {
		const { bearer } = auth([signedKey(secret, 'ogent', ['executor', 'viewer'])]);
		expect(await bearer(await jwt(claims({ roles: ['admin', 'viewer', 'executor'] })))).toEqual(
			principal('ogent:42', ['executor', 'viewer']),
		);
		expect(await bearer(await jwt(claims({ roles: [] })))).toEqual(principal('ogent:42', ['executor']));
		const viewers = auth([signedKey(secret, 'ogent', ['viewer'])]);
		expect(await viewers.bearer(await jwt(claims()))).toEqual(refused(403, 'Insufficient permissions'));
	});

	it.each([{ permissions: [] }, { permissions: ['run'] }, { permissions: undefined }])(
		'without the permission is not enough: %j',
		async (more) => {
			const { bearer, ring } = auth([signedKey(secret, 'ogent')]);
			expect(await bearer(await jwt(claims(more)))).toEqual(refused(403, 'Insufficient permissions'));
			expect(ring.refusals).toEqual(['ogent: insufficient permissions']);
		},
	);

	it('needs the permission that the configuration names', async () => {
		const { bearer } = auth([signedKey(secret, 'ogent')], { permission: 'use shells' });
		expect(await bearer(await jwt(claims()))).toEqual(refused(403, 'Insufficient permissions'));
		expect(await bearer(await jwt(claims({ permissions: ['use shells'] })))).toHaveProperty('principal');
	});

	it('may be signed with any key that is good now', async () => {
		const { bearer } = auth([signedKey(`old ${secret}`, 'old'), signedKey(secret, 'ogent')]);
		expect(await bearer(await jwt(claims()))).toEqual(principal('ogent:42', ['executor']));
	});

	it('may come from a clock that is a few seconds ahead', async () => {
		const { bearer } = auth([signedKey(secret, 'ogent')]);
		const off = { iat: now() + 20, nbf: now() + 20 };
		expect(await bearer(await jwt(claims(off)))).toHaveProperty('principal');
	});

	it.each(['d', 'ogent-1', ['elsewhere', 'd']])('may be for %j, which is this agent', async (aud) => {
		const { bearer } = auth([signedKey(secret, 'ogent')], { audiences: ['ogent-1'] });
		expect(await bearer(await jwt(claims({ aud })))).toEqual(principal('ogent:42', ['executor']));
	});

	it('is taken only from issuers that the configuration names, where it names any', async () => {
		const { bearer } = auth([signedKey(secret, 'ogent')], { issuers: ['auth', 'other'] });
		const by = async (iss: unknown) => bearer(await jwt(claims({ iss })));
		expect([await by('auth'), await by('somebody'), await by(undefined), await by(['auth'])]).toEqual([
			principal('ogent:42', ['executor']),
			...Array(3).fill(refused(401, 'Invalid token')),
		]);
		const closed = auth([signedKey(secret, 'ogent')], { issuers: [] });
		expect(await closed.bearer(await jwt(claims()))).toEqual(refused(401, 'Invalid token'));
	});

	it.each<[string, object]>([
		['is over', { exp: now() - 1 }],
		['is for somebody else', { aud: 'elsewhere' }],
		['is for others', { aud: ['elsewhere', 'there'] }],
		['is for nobody', { aud: [] }],
		['is not good yet', { nbf: now() + 60 }],
		['comes from the future', { iat: now() + 60 }],
		['has no end', { exp: undefined }],
		['has no beginning', { iat: undefined }],
		['is nobody’s', { sub: undefined }],
		['has an id with a line in it', { sub: 'a\nb' }],
		['has an id with a blank', { sub: 'local alice' }],
		['has no list of permissions', { permissions: 'run agents' }],
	])('that %s is invalid', async (_what, more) => {
		const { bearer, ring } = auth([signedKey(secret, 'ogent')]);
		expect(await bearer(await jwt(claims(more)))).toEqual(refused(401, 'Invalid token'));
		expect(ring.refusals).toEqual(['ogent: invalid token']);
	});

	it('of another secret, another algorithm, or none, is invalid', async () => {
		const { bearer } = auth([signedKey(secret, 'ogent')]);
		const good = await jwt(claims());
		const tokens = [
			await jwt(claims(), `${secret}!`),
			await jwt(claims(), secret, 'HS512'),
			await jwt(claims(), 'default_secret_key'),
			new UnsecuredJWT(claims()).encode(),
			good.replace(/\.[^.]*$/, '.'),
			good.replace(/^[^.]*/, Buffer.from('{"alg":"none"}').toString('base64url')),
			`${good}A`,
			'a.b.c',
			'x',
		];
		for (const token of tokens) expect(await bearer(token)).toEqual(refused(401, 'Invalid token'));
	});

	it('signed with a secret that can be guessed is invalid, even if somebody made it a key', async () => {
		const { bearer } = auth([signedKey('default_secret_key', 'ogent')]);
		expect(await bearer(await jwt(claims(), 'default_secret_key'))).toEqual(refused(401, 'Invalid token'));
	});
});

describe('a caller', () => {
	it.each([undefined, '', 'Bearer', 'Bearer ', 'Basic YTpi', 'Bearer a b', 'Bearer a, Bearer b'])(
		'with the header %j brings no token',
		async (header) => {
			const { one, ring } = auth([signedKey(secret, 'ogent')]);
			expect(await one.callerOf(header, null)).toEqual(refused(401, 'Token is missing'));
			expect(ring.refusals).toEqual(['ogent: token is missing']);
		},
	);

	it('may bring a token of the agent', async () => {
		const { bearer } = auth([tokenKey('t-1', 'ogent')]);
		expect(await bearer('t-1')).toEqual(principal('ogent', ['executor']));
		expect(await bearer('t-2')).toEqual(refused(401, 'Invalid token'));
	});

	it('is nobody when there are no keys and there is no service', async () => {
		const { bearer } = auth([]);
		expect(await bearer(await jwt(claims()))).toEqual(refused(401, 'Invalid token'));
	});
});

const user = (id: unknown, permission = 'run agents') => ({
	user: { id, name: 'A', roles: [{ name: 'admin', permissions: [{ name: permission }] }] },
});

describe('the authentication service', () => {
	it('vouches for a user, who may do what this face is for and nothing else', async () => {
		const asked: unknown[] = [];
		const authUrl = await service(({ method, url, headers }, response) => {
			asked.push([method, url, headers.authorization]);
			response.end(JSON.stringify(user(7)));
		});
		const { bearer } = auth([signedKey(secret, 'ogent')], { authUrl: `${authUrl}/` });
		const seven = principal('ogent:7', ['executor'], { capabilities: ['shell.run.ogent'], keyId: null });
		expect([await bearer('tok'), await bearer('tok')]).toEqual([seven, seven]);
		expect(asked).toEqual([['GET', '/api/user', 'Bearer tok']]);
	});

	it('is not asked about a token that is known here', async () => {
		const authUrl = await service((_request, response) => response.writeHead(500).end());
		const { bearer } = auth([signedKey(secret, 'ogent')], { authUrl });
		expect(await bearer(await jwt(claims()))).toHaveProperty('principal');
	});

	it.each([
		['a user without the permission', 200, JSON.stringify(user(7, 'view')), 403, 'Insufficient permissions'],
		['a user whose id is no id', 200, JSON.stringify(user('a/b c')), 401, 'Invalid token'],
		['a no', 401, '{"message":"Unauthenticated."}', 401, 'Invalid token'],
		['a no of another kind', 403, '', 401, 'Invalid token'],
		['a page of HTML', 200, '<html>', 401, 'Failed to verify token'],
		['a user without roles', 200, '{"user":{"id":7}}', 403, 'Insufficient permissions'],
		['a failure', 500, '', 401, 'Invalid token'],
		['that there is no such route', 404, '<html>', 401, 'Invalid token'],
		['a user with another status', 201, JSON.stringify(user(7)), 401, 'Invalid token'],
		['more than an answer can be', 200, JSON.stringify(user('x'.repeat(300_000))), 401, 'Failed to verify token'],
	])('that answers %s lets nobody in', async (_what, status, body, httpStatus, error) => {
		const authUrl = await service((_request, response) => response.writeHead(status).end(body));
		expect(await auth([], { authUrl }).bearer('tok')).toEqual(refused(httpStatus, error));
	});

	it('that is not there lets nobody in', async () => {
		const authUrl = await service(() => {});
		for (const close of closing.splice(0)) close();
		expect(await auth([], { authUrl }).bearer('tok')).toEqual(refused(401, 'Failed to verify token'));
	});

	it('is not followed elsewhere, for the token is for it alone', async () => {
		const asked: string[] = [];
		const other = await service(({ url }, response) => {
			asked.push(url ?? '');
			response.end(JSON.stringify(user(7)));
		});
		const authUrl = await service((_request, response) => response.writeHead(302, { location: `${other}/user` }).end());
		expect(await auth([], { authUrl }).bearer('tok')).toEqual(refused(401, 'Invalid token'));
		expect(asked).toEqual([]);
	});
});

describe('RemoteUsers', () => {
	it('believes a yes for half a minute and a no for five seconds', async () => {
		let count = 0;
		const url = await service((_request, response) => {
			count++;
			response.writeHead(count === 2 ? 401 : 200).end(JSON.stringify(user(count)));
		});
		let time = 0;
		const users = new RemoteUsers(url, () => time);
		const ask = async (at: number) => {
			time = at;
			const answer = await users.userOf('t', null);
			return typeof answer === 'string' ? answer : answer.id;
		};
		expect([await ask(0), await ask(29_999), await ask(30_000), await ask(34_999), await ask(35_000)]).toEqual([
			'1',
			'1',
			'invalid',
			'invalid',
			'3',
		]);
	});

	it('remembers no failure of the service for a no', async () => {
		let count = 0;
		const url = await service((_request, response) => {
			response.writeHead(++count === 1 ? 500 : 200).end(JSON.stringify(user(count)));
		});
		const users = new RemoteUsers(url, () => 0);
		expect([await users.userOf('t', null), await users.userOf('t', null)]).toEqual([
			'unvouched',
			expect.objectContaining({ id: '2' }),
		]);
	});

	it('asks once for the same token, and not about more than 32 at the same time', async () => {
		const waiting: (() => void)[] = [];
		const url = await service((_request, response) => {
			waiting.push(() => response.end(JSON.stringify(user(1))));
			if (waiting.length === 32) for (const answer of waiting) answer();
		});
		const users = new RemoteUsers(url);
		const tokens = [...Array.from({ length: 32 }, (_, index) => `t${index}`), 't0', 't1', 'one too many'];
		const answers = await Promise.all(tokens.map((token) => users.userOf(token, `10.0.0.${tokens.indexOf(token)}`)));
		expect([waiting.length, answers.filter((answer) => answer === 'failed').length, answers.at(-1)]).toEqual([
			32,
			1,
			'failed',
		]);
	});

	it('gives one address no more than 8 turns at a time, so that slow tokens of a stranger keep nobody else out', async () => {
		const waiting: (() => void)[] = [];
		const url = await service((_request, response) => {
			waiting.push(() => response.end(JSON.stringify(user(1))));
		});
		const users = new RemoteUsers(url);
		const slow = Array.from({ length: 9 }, (_, index) => users.userOf(`slow-${index}`, '10.0.0.1'));
		expect(await slow.at(-1)).toBe('failed');
		const other = users.userOf('good', '10.0.0.2');
		while (waiting.length < 9) await new Promise((resolve) => setTimeout(resolve, 5));
		for (const answer of waiting) answer();
		expect(await other).toMatchObject({ id: '1' });
		await Promise.all(slow);
		const again = users.userOf('slow-8', '10.0.0.1');
		while (waiting.length < 10) await new Promise((resolve) => setTimeout(resolve, 5));
		waiting[9]?.();
		expect(await again).toMatchObject({ id: '1' });
	});
});

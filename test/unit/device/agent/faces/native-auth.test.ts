import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Claims, HandKey, jobTyp, requestTyp, sha256 } from '../../../../helpers/native-client.ts';
import { type NativeAgent, nativeAgent, uptime } from '../../../../helpers/native-face.ts';

const refused = { code: 'AUTH_REQUIRED', message: expect.any(String), next: expect.any(String) };
const now = () => Math.floor(Date.now() / 1000);
const spki = (key: HandKey) =>
	(key.publicKey as NonNullable<HandKey['publicKey']>).export({ type: 'spki', format: 'der' });
const pem = (key: HandKey) =>
	(key.publicKey as NonNullable<HandKey['publicKey']>).export({ type: 'spki', format: 'pem' });

/** What others have got in with elsewhere; each makes a JWS of a payload with the key that the agent knows, or without. */
const forgeries: Readonly<
	Record<string, readonly [reason: string, make: (key: HandKey, typ: string, payload: object) => string]>
> = {
	'a signature of another key': ['bad signature', (key, typ, payload) => HandKey.make(key.kid).jws(typ, payload)],
	'a key that the agent does not know': ['unknown key', (key, typ, payload) => key.jws(typ, payload, { kid: 'zed' })],
	'no key named': ['wrong header', (key, typ, payload) => key.jws(typ, payload, { kid: undefined })],
	'the algorithm none': [
		'wrong header',
		(key, typ, payload) => key.jws(typ, payload, { alg: 'none' }, () => Buffer.alloc(1)),
	],
	'HS256 with the public key as secret': [
		'wrong header',
		(key, typ, payload) =>
			key.jws(typ, payload, { alg: 'HS256' }, (input) => createHmac('sha256', pem(key)).update(input).digest()),
	],
	'EdDSA in the header and HMAC with the public key below': [
		'bad signature',
		(key, typ, payload) => key.jws(typ, payload, {}, (input) => createHmac('sha512', spki(key)).update(input).digest()),
	],
	'a key of its own in the header': [
		'wrong header',
		(key, typ, payload) => {
			const own = HandKey.make(key.kid);
			return own.jws(typ, payload, { jwk: own.publicKey?.export({ format: 'jwk' }) });
		},
	],
	'a critical extension': ['wrong header', (key, typ, payload) => key.jws(typ, payload, { crit: ['b64'], b64: false })],
	'an empty signature': ['bad signature', (key, typ, payload) => key.jws(typ, payload, {}, () => Buffer.alloc(64))],
	'a type of another thing': ['wrong header', (key, _typ, payload) => key.jws('JWT', payload)],
	'a payload that was changed': [
		'bad signature',
		(key, typ, payload) => {
			const [header, , signature] = key.jws(typ, payload).split('.');
			return `${header}.${Buffer.from(JSON.stringify({ ...payload, x: 1 })).toString('base64url')}.${signature}`;
		},
	],
	'another device as its audience': [
		'other device',
		(key, typ, payload) => key.jws(typ, { ...payload, aud: 'device-2' }),
	],
};

const newReasons = ({ keys }: NativeAgent): string[] => keys.refusals.splice(0);

describe('a signed job', () => {
	it.each(Object.entries(forgeries))('with %s is refused like any stranger', async (_, [reason, make]) => {
		const agent = await nativeAgent();
		const body = make(agent.handKey, jobTyp, { ...agent.ann.claims(), job: uptime });
		const { status, json, headers } = await agent.ann.submitBytes(body);
		expect([status, json, headers['www-authenticate']]).toEqual([401, { error: refused }, 'Bearer']);
		expect([newReasons(agent), agent.desk.ran]).toEqual([[`native: ${reason}`], []]);
	});

	it('with another name for the same algorithm is taken', async () => {
		const { ann } = await nativeAgent();
		expect((await ann.submitBytes(ann.signed(uptime, {}, { alg: 'Ed25519' }))).status).toBe(202);
	});

	it('that is a proof for another request is none', async () => {
		const agent = await nativeAgent();
		const { status } = await agent.ann.submitBytes(
			agent.handKey.jws(requestTyp, { ...agent.ann.claims(), job: uptime }),
		);
		expect([status, newReasons(agent)]).toEqual([401, ['native: wrong header']]);
	});

	it.each([
		['that has expired', () => ({ iat: now() - 120, exp: now() - 60 })],
		['that expires now', () => ({ iat: now() - 60, exp: now() })],
		['of the future', () => ({ iat: now() + 120, exp: now() + 180 })],
		['that is good for longer than a quarter of an hour', () => ({ iat: now(), exp: now() + 901 })],
		['that ends before it begins', () => ({ iat: now() + 30, exp: now() + 20 })],
	])('%s is refused, and its sender, who is known, learns why', async (_, times) => {
		const agent = await nativeAgent();
		const { status, json } = await agent.ann.submit(uptime, times());
		expect([status, json.error.code, agent.desk.ran]).toEqual([401, 'AUTH_STALE', []]);
		expect(json.error.message).toMatch(/the clock of this device says \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/);
		expect(newReasons(agent)).toEqual(['native: stale']);
	});

	it('from a clock that is a little ahead, and one of a quarter of an hour, are good', async () => {
		const { ann } = await nativeAgent();
		const ahead = await ann.submit(uptime, { iat: now() + 50, exp: now() + 110 });
		const long = await ann.submit(uptime, { iat: now(), exp: now() + 900 });
		expect([ahead.status, long.status]).toEqual([202, 202]);
	});

	it.each([
		['without a field', { jti: undefined }],
		['with times that are no integers', { iat: 1.5 }],
		['with times as text', { exp: '9999999999' }],
		['with a field that nobody knows', { nbf: 1 }],
		['with an id of spaces', { jti: ' ' }],
		['with a job that does not fit', { job: { capability: 'shell.run', command: { mode: 'argv', argv: [] } } }],
		['with an unknown field in its job', { job: { ...uptime, runAs: 'root' } }],
		['with half a character in its job', { job: { ...uptime, stdin: '\ud800' } }],
	])('%s is refused in words', async (_, changes) => {
		const { ann, desk } = await nativeAgent();
		const { status, json } = await ann.submit(uptime, changes as Claims);
		expect([status, json.error.code, desk.ran]).toEqual([400, 'REQUEST_INVALID', []]);
	});

	it('with the same key twice in what was signed is refused', async () => {
		const { ann, handKey } = await nativeAgent();
		const text = JSON.stringify({ ...ann.claims(), job: uptime }).replace('{', '{"aud":"device-2",');
		const { status, json } = await ann.submitBytes(handKey.jws(jobTyp, text));
		expect([status, json.error.message]).toEqual([400, expect.stringContaining('the same key twice')]);
	});
});

describe('a signed request', () => {
	it.each(Object.entries(forgeries))('with %s is refused like any stranger', async (_, [reason, make]) => {
		const agent = await nativeAgent();
		const payload = { ...agent.ann.claims(), method: 'GET', path: '/v2/jobs' };
		const authorization = `Bearer ${make(agent.handKey, requestTyp, payload)}`;
		const { status, json } = await agent.ann.send('GET', '/v2/jobs', '', { authorization });
		expect([status, json, newReasons(agent)]).toEqual([401, { error: refused }, [`native: ${reason}`]]);
	});

	it('opens no other address, no other query, no other method and no other body', async () => {
		const agent = await nativeAgent();
		const { ann } = agent;
		const get = { authorization: ann.bearer('GET', '/v2/jobs?limit=1') };
		const post = { authorization: ann.bearer('POST', '/v2/explain', JSON.stringify({ job: uptime })) };
		const other = JSON.stringify({ job: { ...uptime, stdin: 'x' } });
		const statuses = [
			await ann.send('GET', '/v2/jobs?limit=1', '', get),
			await ann.send('GET', '/v2/jobs?limit=2', '', get),
			await ann.send('GET', '/v2/jobs', '', get),
			await ann.send('GET', '/v2/approvals', '', get),
			await ann.send('POST', '/v2/explain', other, post),
			await ann.send('POST', '/v2/explain', '', post),
			await ann.send('GET', '/v2/explain', '', post),
		].map(({ status }) => status);
		expect(statuses).toEqual([200, 401, 401, 401, 401, 401, 404]);
		expect(new Set(newReasons(agent))).toEqual(new Set(['native: other request']));
	});

	it('may read again within its minute, and change something once', async () => {
		const agent = await nativeAgent();
		const { ann } = agent;
		const body = JSON.stringify({ job: uptime });
		const get = { authorization: ann.bearer('GET', '/v2/jobs') };
		const post = { authorization: ann.bearer('POST', '/v2/explain', body) };
		const codes = [
			await ann.send('GET', '/v2/jobs', '', get),
			await ann.send('GET', '/v2/jobs', '', get),
			await ann.send('POST', '/v2/explain', body, post),
			await ann.send('POST', '/v2/explain', body, post),
		].map(({ status, json }) => [status, json.error?.code]);
		expect(codes).toEqual([
			[200, undefined],
			[200, undefined],
			[200, undefined],
			[409, 'REQUEST_REPLAYED'],
		]);
		expect(newReasons(agent)).toEqual(['native: replayed']);
	});

	it.each([
		['after its minute', () => ({ iat: now() - 61, exp: now() - 1 })],
		['when it claims more than a minute', () => ({ iat: now(), exp: now() + 61 })],
		['before its time', () => ({ iat: now() + 90, exp: now() + 120 })],
	])('is void %s', async (_, times) => {
		const agent = await nativeAgent();
		const authorization = agent.ann.bearer('GET', '/v2/jobs', '', times());
		const { status, json } = await agent.ann.send('GET', '/v2/jobs', '', { authorization });
		expect([status, json.error.code, newReasons(agent)]).toEqual([401, 'AUTH_STALE', ['native: stale']]);
	});

	it('with a digest where there is no body, or none where there is one, is void', async () => {
		const { ann } = await nativeAgent();
		const body = JSON.stringify({ job: uptime });
		const with_ = { authorization: ann.bearer('GET', '/v2/jobs', '', { body: sha256('') }) };
		const without = { authorization: ann.bearer('POST', '/v2/explain') };
		expect((await ann.send('GET', '/v2/jobs', '', with_)).status).toBe(401);
		expect((await ann.send('POST', '/v2/explain', body, without)).status).toBe(401);
	});

	it('proves no job: that must be signed itself', async () => {
		const agent = await nativeAgent();
		const body = JSON.stringify({ job: uptime });
		expect((await agent.ann.send('POST', '/v2/jobs', body)).status).toBe(401);
		expect((await agent.vic.send('POST', '/v2/jobs', body)).status).toBe(401);
		expect(newReasons(agent)).toEqual(['native: no jws', 'native: no jws']);
	});
});

describe('a token', () => {
	it('reads by its role', async () => {
		const { vic, bob } = await nativeAgent();
		expect([(await vic.get('/v2/jobs')).status, (await bob.get('/v2/approvals')).status]).toEqual([200, 200]);
	});

	it.each([
		['none', undefined, 'no token'],
		['a wrong one', 'Bearer bob-toke', 'unknown token'],
		['one of another kind', 'Basic Ym9iOnRva2Vu', 'no bearer token'],
		['an empty one', 'Bearer ', 'no bearer token'],
		['one with bytes that are no characters', 'Bearer \u00ff\u00fe', 'no bearer token'],
		['dots alone', 'Bearer a.b.c', 'wrong header'],
	])('is asked for: %s is refused', async (_, authorization, reason) => {
		const agent = await nativeAgent();
		const { status, json } = await agent.vic.send('GET', '/v2/jobs', '', { authorization });
		expect([status, json, newReasons(agent)]).toEqual([401, { error: refused }, [`native: ${reason}`]]);
	});

	it('may have any letters before it', async () => {
		const { vic } = await nativeAgent();
		expect((await vic.send('GET', '/v2/jobs', '', { authorization: 'bearer vic-token' })).status).toBe(200);
	});
});

describe('without a proof', () => {
	it('health, the document and the page are there, and nothing else', async () => {
		const { ann } = await nativeAgent();
		const bare = { authorization: undefined };
		const paths = ['/v2/health', '/v2/openapi.json', '/', '/page/app.js'];
		const statuses = await Promise.all(paths.map(async (path) => (await ann.send('GET', path, '', bare)).status));
		expect(statuses).toEqual([200, 200, 200, 200]);
		const closed = [
			...['/v2/capabilities', '/v2/jobs', '/v2/jobs/a', '/v2/jobs/a/wait', '/v2/jobs/a/events', '/v2/approvals'],
			...['/v2/jobs/a/output/stdout', '/v2/jobs/a/output/stdout/tail', '/v2/jobs/a/output/stdout/grep?pattern=a'],
			...['/v2/approvals/a', '/v2/audit/status'],
		];
		const answers = await Promise.all(closed.map(async (path) => (await ann.send('GET', path, '', bare)).status));
		expect(answers).toEqual(closed.map(() => 401));
	});

	it('figures are for the networks of the configuration alone', async () => {
		const bare = { authorization: undefined };
		const open = await nativeAgent();
		const closed = await nativeAgent({ agent: { metrics: { from: [] } } });
		const answers = [
			await open.ann.send('GET', '/metrics', '', bare),
			await closed.ann.send('GET', '/metrics', '', bare),
			await closed.vic.get('/metrics'),
			await closed.ann.get('/metrics'),
		];
		expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 200]);
		expect(answers[0]?.bytes.toString()).toBe('# figures\n');
	});
});

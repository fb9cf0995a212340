import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nativeRoutes } from '../../../../../src/device/wire/native-routes.ts';
import { jobTyp, type Reply } from '../../../../helpers/native-client.ts';
import { nativeAgent, uptime } from '../../../../helpers/native-face.ts';

/** A refusal is JSON of one shape with a status that blames the sender. */
function expectRefusal({ status, json }: Reply): void {
	expect(status).toBeGreaterThanOrEqual(400);
	expect(status).toBeLessThan(500);
	expect(json).toEqual({
		error: { code: expect.stringMatching(/^[A-Z_]+$/), message: expect.any(String), next: expect.any(String) },
	});
}

const runs = 150;

describe('whatever is sent', () => {
	it('as the body of a job, the answer is a refusal', async () => {
		const { ann, logged, desk } = await nativeAgent();
		await fc.assert(
			fc.asyncProperty(
				fc.oneof(fc.uint8Array({ maxLength: 200 }).map(Buffer.from), fc.json().map(Buffer.from)),
				async (body) => {
					expectRefusal(await ann.submitBytes(body.toString('latin1')));
				},
			),
			{ numRuns: runs },
		);
		expect([logged, desk.ran]).toEqual([[], []]);
	});

	it('as what was signed, the answer is a refusal', async () => {
		const { ann, handKey, logged, desk } = await nativeAgent();
		const value = fc.jsonValue();
		await fc.assert(
			fc.asyncProperty(value, value, value, async (one, two, three) => {
				expectRefusal(await ann.submitBytes(handKey.jws(jobTyp, one)));
				expectRefusal(await ann.submitBytes(handKey.jws(jobTyp, { ...ann.claims(), job: two })));
				expectRefusal(
					await ann.submitBytes(handKey.jws(jobTyp, { ...ann.claims(), job: { ...uptime, env: three, cwd: 7 } })),
				);
			}),
			{ numRuns: runs / 3 },
		);
		expect([logged, desk.ran]).toEqual([[], []]);
	});

	it('as the header of a JWS, the answer is a refusal', async () => {
		const { ann, handKey, logged } = await nativeAgent();
		await fc.assert(
			fc.asyncProperty(
				fc.dictionary(fc.constantFrom('alg', 'kid', 'typ', 'crit', 'jwk', '__proto__', 'x'), fc.jsonValue(), {
					minKeys: 1,
				}),
				async (header) => {
					expectRefusal(await ann.submitBytes(handKey.jws('JWT', { ...ann.claims(), job: uptime }, header)));
				},
			),
			{ numRuns: runs },
		);
		expect(logged).toEqual([]);
	});

	it('as a token, the answer is a refusal', async () => {
		const { ann, logged } = await nativeAgent();
		const printable = fc.string({ unit: fc.constantFrom(...'aZ09._-=+/ ~{}"\\'), maxLength: 300 });
		await fc.assert(
			fc.asyncProperty(printable, async (token) => {
				expectRefusal(await ann.send('GET', '/v2/jobs', '', { authorization: `Bearer ${token}` }));
			}),
			{ numRuns: runs },
		);
		expect(logged).toEqual([]);
	});

	it('as a query, no answer is a failure', async () => {
		const { vic, logged } = await nativeAgent();
		const paths = Object.values(nativeRoutes)
			.filter(({ method, path }) => method === 'GET' && path !== '/v2/audit/status')
			.map(({ path }) => path.replace(':stream', 'stdout').replaceAll(/:\w+/g, 'x'));
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom(...paths),
				fc.array(
					fc.tuple(
						fc.constantFrom('limit', 'after', 'raw', 'state', '__proto__', 'constructor', ''),
						fc.string({ maxLength: 30 }),
					),
				),
				async (path, pairs) => {
					const query = pairs
						.map(([name, value]) => `${name}=${encodeURIComponent(value.replaceAll(/\p{Surrogate}/gu, '%'))}`)
						.join('&');
					const { status } = await vic.get(`${path}?${query}`);
					expect(status).toBeLessThan(500);
				},
			),
			{ numRuns: runs },
		);
		expect(logged).toEqual([]);
	});

	it('as an answer to a request, the answer is a refusal', async () => {
		const { bob, logged } = await nativeAgent();
		await fc.assert(
			fc.asyncProperty(fc.json(), async (body) => expectRefusal(await bob.send('POST', '/v2/approvals/apr-1', body))),
			{ numRuns: runs },
		);
		expect(logged).toEqual([]);
	});
});

describe('a body', () => {
	it('that is longer than the limit is refused before it is read', async () => {
		const { ann, desk } = await nativeAgent();
		const { status, json } = await ann.submit({ ...uptime, stdin: 'x'.repeat(300_000) });
		expect([status, json.error.code, desk.ran]).toEqual([413, 'REQUEST_TOO_LARGE', []]);
	});

	it('of the greatest size is taken', async () => {
		const { ann } = await nativeAgent();
		expect((await ann.submit({ ...uptime, stdin: 'x'.repeat(190_000) })).status).toBe(202);
	});

	it('that never ends holds up nobody', async () => {
		const { ann, url } = await nativeAgent();
		const { hostname, port } = new URL(url);
		const sockets = Array.from({ length: 20 }, () => connect(Number(port), hostname));
		for (const socket of sockets) socket.write('POST /v2/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nab');
		expect((await ann.submit(uptime)).status).toBe(202);
		for (const socket of sockets) socket.destroy();
	});

	it('of deep nesting is refused', async () => {
		const { ann, handKey } = await nativeAgent();
		const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
		expectRefusal(await ann.submitBytes(handKey.jws(jobTyp, deep)));
		expectRefusal(await ann.send('POST', '/v2/explain', `{"job":${deep}}`));
	});
});

describe('a method that an address does not take', () => {
	it.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])('%s is refused', async (method) => {
		const { vic } = await nativeAgent();
		expect((await vic.send(method, '/v2/jobs')).status).toBeLessThan(500);
	});
});

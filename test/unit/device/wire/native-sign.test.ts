import { generateKeyPairSync } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import type { JobDraftInput } from '../../../../src/contract/device-job.ts';
import { KnownError } from '../../../../src/contract/error.ts';
import { bodyDigest, jobEnvelopeSchema, requestClaimsSchema } from '../../../../src/device/wire/native.ts';
import {
	publicPemOf,
	readSigningKey,
	signBytes,
	signingJwk,
	signJob,
	signRequest,
} from '../../../../src/device/wire/native-sign.ts';

const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const jwk = signingJwk(pem, 'ci-1');
const key = readSigningKey(jwk);
const now = 1_700_000_000_400;
const job: JobDraftInput = { capability: 'shell.exec', command: { mode: 'argv', argv: ['uptime'] } };

/** As another library reads it. */
async function verified(jws: string) {
	const { d, ...shared } = JSON.parse(jwk);
	const { payload, protectedHeader } = await compactVerify(jws, await importJWK(shared, 'EdDSA'), {
		algorithms: ['EdDSA'],
	});
	return { header: protectedHeader, payload: JSON.parse(new TextDecoder().decode(payload)) };
}

describe('a signed job', () => {
	it('is a JWS that another library verifies, and says for whom, from when and until when it is', async () => {
		const { header, payload } = await verified(signJob(key, 'web-1', job, { now }));
		expect(header).toEqual({ alg: 'EdDSA', kid: 'ci-1', typ: 'secure-code-job+jws' });
		const jti = expect.stringMatching(/^[0-9a-f-]{36}$/);
		expect(payload).toEqual({ aud: 'web-1', iat: 1_700_000_000, exp: 1_700_000_900, jti, job });
		expect(jobEnvelopeSchema.safeParse(payload).success).toBe(true);
	});

	it('has another id each time', async () => {
		const ids = await Promise.all([1, 2].map(async () => (await verified(signJob(key, 'web-1', job))).payload.jti));
		expect(new Set(ids).size).toBe(2);
	});

	it('carries exactly the bytes that it was given', async () => {
		const { payload } = await verified(signBytes(key, 'x', '{"a":\t1, "b":"é"}'));
		expect(payload).toEqual({ a: 1, b: 'é' });
		expect(Buffer.from(signBytes(key, 'x', '{ }').split('.')[1] ?? '', 'base64url').toString()).toBe('{ }');
	});
});

describe('a signed request', () => {
	it('is good for a minute, for one method, one address and one body', async () => {
		const header = signRequest(key, 'web-1', { method: 'POST', path: '/v2/explain?a=1', body: '{"é":1}' }, { now });
		const { header: protectedHeader, payload } = await verified(header.replace(/^Bearer /, ''));
		expect(protectedHeader.typ).toBe('secure-code-request+jws');
		expect(payload).toEqual({
			...{ aud: 'web-1', iat: 1_700_000_000, exp: 1_700_000_060, jti: expect.any(String) },
			...{ method: 'POST', path: '/v2/explain?a=1', body: bodyDigest('{"é":1}') },
		});
		expect(requestClaimsSchema.safeParse(payload).success).toBe(true);
	});

	it('names no body where there is none', async () => {
		const header = signRequest(key, 'web-1', { method: 'GET', path: '/v2/jobs', body: '' });
		expect((await verified(header.slice('Bearer '.length))).payload).not.toHaveProperty('body');
	});
});

describe('the key of a client', () => {
	it('is a JWK with an id, and its other half is what the agent keeps', () => {
		expect(JSON.parse(jwk)).toEqual({
			...{ kty: 'OKP', crv: 'Ed25519', kid: 'ci-1', x: expect.any(String), d: expect.any(String) },
		});
		expect(publicPemOf(key)).toMatch(/^-----BEGIN PUBLIC KEY-----/);
		expect(signingJwk(key.key.export({ type: 'pkcs8', format: 'pem' }).toString(), 'ci-1')).toBe(jwk);
	});

	const { kid, ...nameless } = JSON.parse(jwk);
	const { d, ...publicHalf } = JSON.parse(jwk);
	it.each([
		['no JSON', 'hello'],
		['a public key', JSON.stringify(publicHalf)],
		['without an id', JSON.stringify(nameless)],
		['of another curve', JSON.stringify({ ...JSON.parse(jwk), crv: 'X25519' })],
		['with halves that are too short', JSON.stringify({ ...JSON.parse(jwk), d: 'AAAA' })],
	])('is refused where it is %s, and not repeated', (_, text) => {
		try {
			readSigningKey(text);
			expect.unreachable();
		} catch (error) {
			expect(KnownError.is(error) && error.code).toBe('CONFIG_INVALID');
			expect((error as Error).message).not.toContain(d);
		}
	});
});

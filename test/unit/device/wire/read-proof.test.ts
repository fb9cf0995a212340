import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
	ed25519ReadProof,
	hmacReadProof,
	isEd25519ReadProof,
	isHmacReadProof,
	readProofOf,
} from '../../../../src/device/wire/read-proof.ts';

const claim = { method: 'GET', path: '/api/v1/jobs/job-1', id: 'https://controller:8443', at: 1_704_628_500 };
const { publicKey, privateKey } = generateKeyPairSync('ed25519');

const proofOf = (header: string) => {
	const proof = readProofOf(header);
	if (!proof) throw new Error('no proof');
	return proof;
};

describe('a proof for a read', () => {
	it('with a secret is a header of four parts, and holds for the secret, the method and the path', () => {
		const header = hmacReadProof(claim, 'test-secret');
		expect(header).toBe(
			'HMAC-SHA256 https://controller:8443:1704628500:fc2dc15fb36f2f7dab9f23d043150328c98b0d7ee42b0ab328c9c6789ed3da7b',
		);
		const proof = proofOf(header);
		expect(proof).toMatchObject({ scheme: 'HMAC-SHA256', id: claim.id, at: claim.at });
		expect([
			isHmacReadProof(proof, claim, 'test-secret'),
			isHmacReadProof(proof, claim, 'other'),
			isHmacReadProof(proof, { ...claim, method: 'POST' }, 'test-secret'),
			isHmacReadProof(proof, { ...claim, path: '/api/v1/jobs/job-2' }, 'test-secret'),
			isHmacReadProof({ ...proof, at: claim.at + 1 }, claim, 'test-secret'),
			isHmacReadProof({ ...proof, id: 'controller-2' }, claim, 'test-secret'),
			isEd25519ReadProof(proof, claim, publicKey),
		]).toEqual([true, false, false, false, false, false, false]);
	});

	it('with a key holds for the key, the method and the path', () => {
		const proof = proofOf(ed25519ReadProof(claim, privateKey));
		const other = generateKeyPairSync('ed25519').publicKey;
		expect([
			isEd25519ReadProof(proof, claim, publicKey),
			isEd25519ReadProof(proof, claim, other),
			isEd25519ReadProof(proof, { ...claim, path: '/' }, publicKey),
			isHmacReadProof(proof, claim, 'test-secret'),
		]).toEqual([true, false, false, false]);
	});

	it.each([
		undefined,
		'',
		'Bearer abc',
		'HMAC-SHA256 a:1:zz',
		`HMAC-SHA256 a b:1:${'0'.repeat(64)}`,
		`HMAC-SHA256 a:-1:${'0'.repeat(64)}`,
		`HMAC-SHA256 a:1:${'0'.repeat(64)} `,
		`HMAC-SHA512 a:1:${'0'.repeat(64)}`,
	])('%j is none', (header) => {
		expect(readProofOf(header)).toBe(undefined);
	});
});

import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	type DeviceAgentRequest,
	decodeDeviceAgentRequest,
	deviceAgentKindOf,
	encodeDeviceAgentRequest,
	isDeviceAgentProof,
	signDeviceAgentRequest,
} from '../../../../src/device/wire/device-agent.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');

const full = {
	...{ requestId: 'r-1', capability: 'shell.exec', args: ['ls', '-la'], cwd: '/repo' },
	...{ ts: 1_779_616_800_000, nonce: 'AAECAwQFBgcICQoLDA0ODw', deviceId: 'home-wsl' },
};
const seed: DeviceAgentRequest = {
	...{ requestId: 'r-1', capability: 'shell.eval', args: ['{"cmd":"git status","cwd":"/repo"}'] },
	...{ cwd: undefined, ts: undefined, nonce: undefined, deviceId: undefined },
};

const read = (body: string | Buffer) => decodeDeviceAgentRequest(Buffer.from(body));
const readValue = (value: unknown) => read(JSON.stringify(value));
const signed = (payload: string, key = privateKey) => ({
	...{ payload, key_id: 'bot-1', sig: sign(null, Buffer.from(payload), key).toString('base64url') },
});
const refusal = (details: string, more: object = {}) => ({
	...{ details: expect.stringContaining(details), requestId: null, proof: null, isMissigned: false },
	...more,
});

describe('what a capability of device_agent does', () => {
	it.each([
		['shell.exec', 'shell.exec'],
		['shell.exec.admin', 'shell.exec'],
		['shell.eval', 'shell.eval'],
		['docker.container.list', 'docker.container.list'],
		['docker.container.exec.prod-1', 'docker.container.exec'],
		['fs.read', 'fs.read'],
		['shell.execute', undefined],
		['shell.exec.', undefined],
		['shell.exec.a.b', undefined],
		['shell.exec.Admin', undefined],
		['shell', undefined],
		['fs.write', undefined],
		['', undefined],
		['__proto__', undefined],
	])('%j: %s', (capability, kind) => {
		expect(deviceAgentKindOf(capability)).toBe(kind);
	});
});

describe('a plain request of device_agent', () => {
	it('is on the wire what the original takes', () => {
		expect(encodeDeviceAgentRequest(seed)).toBe(
			'{"request_id":"r-1","capability":"shell.eval","args":["{\\"cmd\\":\\"git status\\",\\"cwd\\":\\"/repo\\"}"]}',
		);
	});

	it.each([seed, full])('comes out as it went in', (request) => {
		expect(read(encodeDeviceAgentRequest(request))).toEqual({ request, proof: null });
	});

	it('may have no arguments, which Go writes as null', () => {
		const list = { request_id: 'r-1', capability: 'docker.container.list' };
		expect([list, { ...list, args: null }, { ...list, args: [] }].map(readValue)).toEqual(
			Array(3).fill({ request: { ...seed, capability: 'docker.container.list', args: [] }, proof: null }),
		);
	});

	it.each(['"sudo":true', '"argv":["id"]', '"Cwd":"/root"', '"__proto__":{"cwd":"/root"}'])(
		'may carry what the protocol does not know, which says nothing: %s',
		(more) => {
			const request = { ...seed, capability: 'shell.exec', args: ['ls'] };
			const text = `{"request_id":"r-1","capability":"shell.exec","args":["ls"],${more}}`;
			expect(read(text)).toEqual({ request, proof: null });
		},
	);

	it.each([
		['', 'is not JSON', null],
		['[]', 'expected object', null],
		['{"request_id":"r-1","request_id":"r-2","capability":"shell.exec","args":["id"]}', 'the same key twice', null],
		['{"capability":"shell.exec","args":["id"]}', 'request_id', null],
		['{"request_id":"","capability":"shell.exec"}', 'request_id', null],
		['{"request_id":"a b","capability":"shell.exec"}', 'request_id', null],
		['{"request_id":"r-1","args":["id"]}', 'capability', 'r-1'],
		['{"request_id":"r-1","capability":"shell.exec","args":"id"}', 'args', 'r-1'],
		['{"request_id":"r-1","capability":"shell.exec","args":["id",7]}', 'args', 'r-1'],
		['{"request_id":"r-1","capability":"shell.exec","args":["\\ud800"]}', 'half a character', 'r-1'],
		['{"request_id":"r-1","capability":"shell.exec","ts":1.5}', 'ts', 'r-1'],
		['{"request_id":"r-1","capability":"shell.exec","ts":"now"}', 'ts', 'r-1'],
		['{"request_id":"r-1","capability":"shell.exec","nonce":"short"}', 'nonce', 'r-1'],
	])('%j is invalid', (text, why, requestId) => {
		expect(read(text)).toEqual(refusal(why, { requestId }));
	});

	it.each([{ sig: 'AA' }, { key_id: 'bot-1' }, { key_id: 'bot-1', sig: 'A'.repeat(86) }])(
		'that carries %j is signed in a way that proves nothing',
		(more) => {
			const plain = { request_id: 'r-1', capability: 'shell.exec', args: ['id'] };
			expect(readValue({ ...plain, ...more })).toEqual(refusal('a signed request is', { isMissigned: true }));
		},
	);

	it('is read or refused, whatever the bytes', () => {
		fc.assert(
			fc.property(fc.oneof(fc.json(), fc.uint8Array()), (body) => {
				expect(read(Buffer.from(body as string))).toMatchObject({ details: expect.any(String) });
			}),
		);
	});
});

describe('a signed request of device_agent', () => {
	it('comes out as it went in, and its proof holds for its key only', () => {
		const reading = read(signDeviceAgentRequest(full, 'bot-1', privateKey));
		expect(reading).toMatchObject({ request: full, proof: { keyId: 'bot-1' } });
		expect(reading.proof && isDeviceAgentProof(reading.proof, publicKey)).toBe(true);
		expect(reading.proof && isDeviceAgentProof(reading.proof, stranger.publicKey)).toBe(false);
	});

	it('is signed over the bytes of its payload, however they are written', () => {
		const payload = ` { "args" : ["\\u0069d"],"capability":"shell.exec","request_id":"r-1","ts":5,"nonce":"${full.nonce}"}\n`;
		const reading = readValue(signed(payload));
		expect(reading.proof && isDeviceAgentProof(reading.proof, publicKey)).toBe(true);
		const other = readValue({ ...signed(payload), payload: payload.trim() });
		expect(other.proof && isDeviceAgentProof(other.proof, publicKey)).toBe(false);
	});

	it('may write its signature in either alphabet of base64', () => {
		const request = signed(encodeDeviceAgentRequest(full));
		const sig = Buffer.from(request.sig, 'base64url').toString('base64');
		const { proof } = readValue({ ...request, sig });
		expect(proof && isDeviceAgentProof(proof, publicKey)).toBe(true);
	});

	it.each([{ ts: undefined }, { nonce: undefined }, { ts: undefined, nonce: undefined }])(
		'needs a time and a nonce: without %j it is invalid',
		(without) => {
			const payload = encodeDeviceAgentRequest({ ...full, ...without });
			const proof = expect.objectContaining({ keyId: 'bot-1' });
			expect(readValue(signed(payload))).toEqual(refusal('needs "ts" and "nonce"', { proof, requestId: 'r-1' }));
		},
	);

	it('says only what the protocol knows', () => {
		const payload = JSON.stringify({ ...JSON.parse(encodeDeviceAgentRequest(full)), sudo: true });
		const proof = expect.objectContaining({ keyId: 'bot-1' });
		expect(readValue(signed(payload))).toEqual(refusal('Unrecognized key', { proof, requestId: 'r-1' }));
	});

	it.each(['', '[]', '{"request_id":"r-1"', '{"request_id":"r-1","request_id":"r-1"}'])(
		'with the payload %j is invalid, and still has its proof',
		(payload) => {
			expect(readValue(signed(payload))).toMatchObject({ details: expect.any(String), proof: { keyId: 'bot-1' } });
		},
	);

	it.each([
		{ payload: {} },
		{ key_id: 'a b' },
		{ key_id: undefined },
		{ sig: undefined },
		{ sig: 'AA' },
		{ sig: `${'A'.repeat(85)}!` },
		{ args: ['id'] },
	])('that carries %j instead is signed in a way that proves nothing', (change) => {
		const request = { ...signed(encodeDeviceAgentRequest(full)), ...change };
		expect(readValue(request)).toMatchObject({ details: expect.any(String), isMissigned: true, proof: null });
	});
});

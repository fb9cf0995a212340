import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isSamePeer, peerOf } from '../../../../../src/device/agent/faces/peer.ts';

const at = (remoteAddress: string | undefined) =>
	Object.assign(Object.create(Socket.prototype), { _peername: { address: remoteAddress } });

describe('a peer', () => {
	it.each([
		['127.0.0.1', '127.0.0.1'],
		['::ffff:10.42.0.1', '10.42.0.1'],
		['fd00::1', 'fd00::1'],
		[undefined, ''],
	])('at %s is called %j', (address, peer) => {
		expect(peerOf(at(address))).toBe(peer);
	});

	it.each([
		['10.0.0.1', '10.0.0.1', true],
		['10.0.0.1', '10.0.0.2', false],
		['10.0.0.1 sha256:ab', '10.0.0.2 sha256:ab', true],
		['10.0.0.1 sha256:ab', '10.0.0.2 sha256:cd', false],
		['10.0.0.1 sha256:ab', '10.0.0.1', true],
		['10.0.0.1', '10.0.0.1 sha256:ab', true],
		[null, '', false],
		['', '', false],
		[null, '10.0.0.1', false],
	])('%j that comes back as %j is the same: %s', (known, now, isSame) => {
		expect(isSamePeer(known, now)).toBe(isSame);
	});
});

/** Who is at the other end of a connection: its address, and its certificate where the listener asked for one. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

const certificateMark = ' sha256:';

/** IPv4 over a socket that speaks both shows itself as ::ffff:a.b.c.d. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '');

/** For example "10.42.0.1", or "10.42.0.1 sha256:ab12…" with a client certificate that was verified. */
export function peerOf(socket: Socket): string {
	const address = plainAddress(socket.remoteAddress ?? '');
	const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate() : undefined;
	const fingerprint = certificate?.fingerprint256?.replaceAll(':', '').toLowerCase();
	return fingerprint === undefined ? address : `${address}${certificateMark}${fingerprint}`;
}

/** The same client certificate, or the same address. Nobody is the same as a peer that is not known. */
export function isSamePeer(known: string | null, now: string): boolean {
	const [address, certificate] = (known ?? '').split(certificateMark);
	const [addressNow, certificateNow] = now.split(certificateMark);
	if (certificate !== undefined && certificate === certificateNow) return true;
	return address !== undefined && address !== '' && address === addressNow;
}

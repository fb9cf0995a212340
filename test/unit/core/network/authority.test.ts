import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { Authority } from '../../../../src/core/network/authority.ts';

const closing: (() => void)[] = [];
afterEach(() => {
	for (const close of closing.splice(0)) close();
});

/** What a client that trusts `ca` for `servername` is told by a server that the authority vouches for as `host`. */
async function handshake(authority: Authority, host: string, servername: string, ca: string) {
	const server = createServer({ SNICallback: (_name, done) => done(null, authority.contextFor(host)) });
	server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const client = connect({ port: (server.address() as { port: number }).port, servername, ca });
	closing.push(
		() => server.close(),
		() => client.destroy(),
	);
	return once(client, 'secureConnect').then(
		() => 'trusted',
		(error: NodeJS.ErrnoException) => error.code,
	);
}

describe('Authority', () => {
	const authority = new Authority();

	it.each(['api.example.com', 'xn--bcher-kva.example', `${'a'.repeat(60)}.${'b'.repeat(60)}.example`])(
		'vouches for %s to whoever trusts it',
		async (host) => {
			expect(await handshake(authority, host, host, authority.certificate)).toBe('trusted');
		},
	);

	it('vouches for no other host', async () => {
		const code = await handshake(authority, 'api.example.com', 'www.example.com', authority.certificate);
		expect(code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
	});

	it('is worth nothing to another run', async () => {
		const other = new Authority().certificate;
		expect(await handshake(authority, 'api.example.com', 'api.example.com', other)).not.toBe('trusted');
	});

	it('is one that signs certificates, for a day, and the same host has one certificate', () => {
		const { ca, subject, issuer, validFrom, validTo, publicKey } = new X509Certificate(authority.certificate);
		expect({ ca, subject, issuer, type: publicKey.asymmetricKeyType }).toEqual({
			ca: true,
			subject: 'CN=Secure Code authority of one run',
			issuer: 'CN=Secure Code authority of one run',
			type: 'ec',
		});
		expect(Date.parse(validTo) - Date.parse(validFrom)).toBe(48 * 3_600_000);
		expect(authority.contextFor('a.example')).toBe(authority.contextFor('a.example'));
	});
});

/** The certificate of an agent, as Node.js and a client see it. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCertificate, fingerprintOf } from '../../../../src/device/agent/certificate.ts';
import { namesOf, renewCertificate } from '../../../../src/device/agent/certificate-files.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const day = 86_400_000;

describe('a certificate', () => {
	it('is for its names and addresses, once each, for a year and a month, and no authority', async () => {
		const now = Date.UTC(2026, 0, 1);
		const { cert, key } = await createCertificate(['web-1', 'web-1', '127.0.0.1', '::1', 'a.example'], now);
		const read = new X509Certificate(cert);
		expect({
			subject: read.subject,
			names: read.subjectAltName,
			isAuthority: read.ca,
			from: Date.parse(read.validFrom),
			to: Date.parse(read.validTo),
			curve: read.publicKey.asymmetricKeyDetails?.namedCurve,
			fits: read.checkPrivateKey(createPrivateKey(key)),
		}).toEqual({
			subject: 'CN=web-1',
			names: 'DNS:web-1, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:a.example',
			isAuthority: false,
			from: now - 3_600_000,
			to: now + 397 * day,
			curve: 'prime256v1',
			fits: true,
		});
	});

	it('is trusted by a client that has it as its authority, and by nobody else', async () => {
		const { cert, key } = await createCertificate(['localhost']);
		const server = createServer({ cert, key }).listen(0, '127.0.0.1');
		onTestFinished(() => void server.close());
		await once(server, 'listening');
		const { port } = server.address() as AddressInfo;
		const say = async (options: object): Promise<string> => {
			const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ...options });
			onTestFinished(() => void socket.destroy());
			return new Promise((resolve) => {
				socket.once('secureConnect', () => resolve('trusted'));
				socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
			});
		};
		expect([await say({ ca: cert }), await say({})]).toEqual(['trusted', 'DEPTH_ZERO_SELF_SIGNED_CERT']);
		expect(await say({ ca: cert, servername: 'other' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
	});

	it('has the fingerprint that openssl shows', async () => {
		const { cert } = await createCertificate(['a']);
		expect(fingerprintOf(cert)).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
	});
});

describe('a new certificate for an agent', () => {
	it('keeps the names of the old one, adds more, and its key is for the agent alone', async () => {
		const dir = tempFolder();
		mkdirSync(join(dir, 'tls'));
		writeFileSync(join(dir, 'tls', 'cert.pem'), (await createCertificate(['old', '10.0.0.1'])).cert);
		const { ca, fingerprint } = await renewCertificate(dir, ['new']);
		expect(namesOf(ca)).toEqual(['old', '10.0.0.1', 'new']);
		expect([readFileSync(join(dir, 'tls', 'cert.pem'), 'utf8'), fingerprintOf(ca)]).toEqual([ca, fingerprint]);
		expect(statSync(join(dir, 'tls', 'key.pem')).mode & 0o777).toBe(0o600);
	});

	it('is for this machine where there was none', async () => {
		const dir = tempFolder();
		mkdirSync(join(dir, 'tls'));
		const { ca } = await renewCertificate(dir, []);
		expect(namesOf(ca)).toEqual(expect.arrayContaining(['localhost', '127.0.0.1']));
	});
});

/** The certificate of an agent: made on the device itself, trusted by its fingerprint or by being its own authority. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

export interface Certificate {
	readonly cert: string;
	readonly key: string;
}

/** Long enough to be forgotten in between, short enough that clients accept it. */
const lifeDays = 397;
const dayMs = 86_400_000;

const subjectName = (name: string) =>
	isIP(name) === 0 ? { type: 2 as const, value: name } : { type: 7 as const, ip: name };

/** EC P-256, valid for these names and addresses. @param names the first one is shown as its owner */
export async function createCertificate(names: readonly string[], now = Date.now()): Promise<Certificate> {
	// Loaded when it is needed: a running agent never makes a certificate.
	const { generate } = await import('selfsigned');
	const made = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
		keyType: 'ec',
		curve: 'P-256',
		algorithm: 'sha256',
		// Clocks differ by minutes.
		notBeforeDate: new Date(now - 3_600_000),
		notAfterDate: new Date(now + lifeDays * dayMs),
		extensions: [
			{ name: 'basicConstraints', cA: false, critical: true },
			{ name: 'keyUsage', digitalSignature: true, critical: true },
			{ name: 'extKeyUsage', serverAuth: true },
			{ name: 'subjectAltName', altNames: [...new Set(names)].map(subjectName) },
		],
	});
	return { cert: `${made.cert.trim()}\n`, key: `${made.private.trim()}\n` };
}

/** SHA-256 of the certificate, as "AB:CD:…", the way openssl and browsers show it. */
export const fingerprintOf = (cert: string): string => new X509Certificate(cert).fingerprint256;

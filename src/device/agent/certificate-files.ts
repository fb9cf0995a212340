/** Replaces the certificate of an agent by a new one for the same names. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createCertificate, fingerprintOf } from './certificate.ts';
import { layoutOf } from './layout.ts';
import { writeOwned } from './owned-files.ts';

/** Names and addresses of a certificate, as "DNS:a, IP Address:b" tells them. */
export const namesOf = (cert: string): string[] =>
	(new X509Certificate(cert).subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''));

const usualNames = (): string[] => ['localhost', hostname(), '127.0.0.1', '::1'];

export async function renewCertificate(
	dir: string,
	hosts: readonly string[],
): Promise<{ readonly ca: string; readonly fingerprint: string }> {
	const { tls } = layoutOf(dir);
	const [certFile, keyFile] = [join(tls, 'cert.pem'), join(tls, 'key.pem')];
	const names = existsSync(certFile) ? namesOf(readFileSync(certFile, 'utf8')) : usualNames();
	const { cert, key } = await createCertificate([...names, ...hosts]);
	writeOwned(keyFile, key, 0o600);
	writeOwned(certFile, cert, 0o644);
	return { ca: cert, fingerprint: fingerprintOf(cert) };
}

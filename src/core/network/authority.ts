/** A certificate authority for one run: it vouches, to one jail alone, for the hosts at which secrets are put in. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import * as x509 from '@peculiar/asn1-x509';

const ecdsaWithSha256 = new x509.AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' });
const commonName = '2.5.4.3';
const hourMs = 3_600_000;

interface KeyPair {
	readonly publicKey: KeyObject;
	readonly privateKey: KeyObject;
}

const newKeys = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' });

const nameOf = (text: string): x509.Name => {
	const value = new x509.AttributeValue({ utf8String: text });
	return new x509.Name([
		new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type: commonName, value })]),
	]);
};

const infoOf = ({ publicKey }: KeyPair): Buffer => publicKey.export({ type: 'spki', format: 'der' });

const identifierOf = (keys: KeyPair): Buffer => createHash('sha256').update(infoOf(keys)).digest().subarray(0, 20);

const extension = (extnID: string, value: unknown, critical = false): x509.Extension =>
	new x509.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });

const usage = (flags: number): x509.Extension =>
	extension(x509.id_ce_keyUsage, new x509.KeyUsage(flags as x509.KeyUsageFlags), true);

/** What strict clients look for: who may sign what, and which key signed it. */
const authorityExtensions = (keys: KeyPair): x509.Extension[] => [
	extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
	usage(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign),
	extension(x509.id_ce_subjectKeyIdentifier, new x509.SubjectKeyIdentifier(identifierOf(keys))),
];

const hostExtensions = (host: string, keys: KeyPair, issuer: KeyPair): x509.Extension[] => [
	extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: false }), true),
	usage(x509.KeyUsageFlags.digitalSignature),
	extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth])),
	extension(x509.id_ce_subjectAltName, new x509.SubjectAlternativeName([new x509.GeneralName({ dNSName: host })])),
	extension(x509.id_ce_subjectKeyIdentifier, new x509.SubjectKeyIdentifier(identifierOf(keys))),
	extension(
		x509.id_ce_authorityKeyIdentifier,
		new x509.AuthorityKeyIdentifier({ keyIdentifier: new x509.KeyIdentifier(identifierOf(issuer)) }),
	),
];

const pem = (der: ArrayBuffer): string => {
	const lines =
		Buffer.from(der)
			.toString('base64')
			.match(/.{1,64}/g) ?? [];
	return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
};

const authorityName = nameOf('Secure Code authority of one run');

function certify(subject: x509.Name, keys: KeyPair, issuer: KeyPair, extensions: x509.Extension[]): string {
	// The first bit of a positive number is 0.
	const serialNumber = Uint8Array.from(randomBytes(16), (byte, index) => (index === 0 ? (byte & 0x7f) | 0x40 : byte));
	const now = Date.now();
	const tbsCertificate = new x509.TBSCertificate({
		version: x509.Version.v3,
		serialNumber: serialNumber.buffer,
		signature: ecdsaWithSha256,
		issuer: authorityName,
		validity: new x509.Validity({ notBefore: new Date(now - 24 * hourMs), notAfter: new Date(now + 24 * hourMs) }),
		subject,
		subjectPublicKeyInfo: AsnConvert.parse(infoOf(keys), x509.SubjectPublicKeyInfo),
		extensions: new x509.Extensions(extensions),
	});
	const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), issuer.privateKey);
	const signatureValue = Uint8Array.from(signature).buffer;
	const signatureAlgorithm = ecdsaWithSha256;
	return pem(AsnConvert.serialize(new x509.Certificate({ tbsCertificate, signatureAlgorithm, signatureValue })));
}

/** Its key never leaves this process and dies with the run. */
export class Authority {
	readonly #keys = newKeys();
	readonly #hosts = new Map<string, SecureContext>();
	/** For the jail's list, as PEM. */
	readonly certificate = certify(authorityName, this.#keys, this.#keys, authorityExtensions(this.#keys));

	contextFor(host: string): SecureContext {
		const known = this.#hosts.get(host);
		if (known) return known;
		const keys = newKeys();
		const cert = certify(nameOf(host.slice(0, 64)), keys, this.#keys, hostExtensions(host, keys, this.#keys));
		const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
		const context = createSecureContext({ key, cert });
		this.#hosts.set(host, context);
		return context;
	}
}

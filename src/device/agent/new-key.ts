/** Makes keys: what the agent keeps of one, and what its client gets to see once. */
import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import type { KeyEntry } from '../../contract/agent-config.ts';
import type { FaceName } from '../../contract/device-job.ts';
import { signingJwk } from '../wire/native-sign.ts';

export interface NewKey {
	/** Text of the file that the agent keeps: the SHA-256 of a token, a shared secret, a public key. */
	readonly kept: string;
	/** What the client needs, shown once: a token, the shared secret, a JWT, a private key (JWK for the native protocol, else PEM). */
	readonly shown: string;
}

export const kindOfFace: Readonly<Record<FaceName, KeyEntry['kind']>> = {
	agent3: 'token',
	ogent: 'jwt-hs256',
	quickcmd: 'hmac',
	device: 'token',
	native: 'ed25519',
};

/** Ending of the file that keeps it. */
export const fileEndings: Readonly<Record<KeyEntry['kind'], string>> = {
	token: 'sha256',
	'jwt-hs256': 'secret',
	hmac: 'secret',
	ed25519: 'pub.pem',
};

const secretBytes = 32;
/** How long the JWT is good that a new key of Ogent comes with. */
const jwtDays = 90;

function newToken(): NewKey {
	const shown = randomBytes(secretBytes).toString('base64url');
	return { kept: createHash('sha256').update(shown).digest('hex'), shown };
}

function newSecret(): NewKey {
	const secret = randomBytes(secretBytes).toString('hex');
	return { kept: secret, shown: secret };
}

function newPair(): NewKey {
	const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
		publicKeyEncoding: { type: 'spki', format: 'pem' },
		privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
	});
	return { kept: publicKey.trim(), shown: privateKey };
}

export interface JwtClaims {
	readonly subject: string;
	/** What Ogent's services ask for; "run agents" lets a job in. */
	readonly permissions: readonly string[];
	readonly days: number;
}

/** A JWT as Ogent's authentication service would issue it, signed with HS256. */
export async function jwtFor(secret: string, { subject, permissions, days }: JwtClaims): Promise<string> {
	const { SignJWT } = await import('jose');
	const claims = { roles: ['operator'], permissions };
	return new SignJWT(claims)
		.setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
		.setIssuer('secure-code-agent')
		.setSubject(subject)
		.setIssuedAt()
		.setNotBefore('0s')
		.setExpirationTime(`${days}d`)
		.setJti(randomUUID())
		.sign(Buffer.from(secret));
}

export type KeyOrder = Pick<KeyEntry, 'id' | 'face' | 'kind'>;

export async function newKey({ id, face, kind }: KeyOrder): Promise<NewKey> {
	if (kind === 'token') return newToken();
	if (kind === 'hmac') return newSecret();
	if (kind === 'jwt-hs256') {
		const { kept } = newSecret();
		return { kept, shown: await jwtFor(kept, { subject: id, permissions: ['run agents'], days: jwtDays }) };
	}
	const { kept, shown } = newPair();
	return { kept, shown: face === 'native' ? signingJwk(shown, id) : shown };
}

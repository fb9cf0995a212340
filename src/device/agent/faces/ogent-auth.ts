/** Who calls the Ogent face: a token of the agent, a JWT of a known secret, or a user that the authentication service vouches for. */
import type { JWTPayload } from 'jose';
import { jwtVerify } from 'jose';
import type { AgentConfig } from '../../../contract/agent-config.ts';
import type { Principal } from '../../../contract/principal.ts';
import { type OgentRefused, ogentRefused } from '../../wire/ogent.ts';
import { type OgentUser, ogentUserOfClaims } from '../../wire/ogent-auth.ts';
import type { FaceParts, LiveKey } from '../face.ts';
import { RemoteUsers } from './ogent-remote.ts';

/** How far the clock of whoever made a token may be ahead. What is over is over. */
const skewSeconds = 30;
/** HS256 asks for a key as long as its hash. */
const leastSecretBytes = 32;

/** Ids become part of names in records: letters, digits and what e-mail addresses and UUIDs are made of. */
const idPattern = /^[\p{L}\p{N}._@:+-]{1,128}$/u;

export type OgentCaller = { readonly principal: Principal } | { readonly refused: OgentRefused };

type AuthParts = Pick<FaceParts, 'config' | 'keys'>;

export class OgentAuth {
	readonly #parts: AuthParts;
	readonly #remote: RemoteUsers | undefined;

	constructor(parts: AuthParts) {
		this.#parts = parts;
		const { authUrl } = parts.config.ogent;
		this.#remote = authUrl === undefined ? undefined : new RemoteUsers(authUrl);
	}

	/** @param peer address of the caller */
	async callerOf(authorization: string | undefined, peer: string | null): Promise<OgentCaller> {
		const [, token] = /^Bearer +([^\s,]+)$/i.exec(authorization ?? '') ?? [];
		const caller = token === undefined ? refuse(401, 'Token is missing') : await this.#callerOf(token, peer);
		if ('refused' in caller) this.#parts.keys.refused('ogent', caller.refused.error.toLowerCase(), peer);
		return caller;
	}

	async #callerOf(token: string, peer: string | null): Promise<OgentCaller> {
		const key = this.#parts.keys.byToken('ogent', token);
		if (key) return { principal: { ...key.principal, peer } };
		const signed = await this.#signedBy(token);
		if (signed) return this.#admit(ogentUserOfClaims(signed.claims), (user) => ofKey(signed.key, user, peer));
		if (!this.#remote) return refuse(401, 'Invalid token');
		const answer = await this.#remote.userOf(token, peer);
		if (answer === 'invalid' || answer === 'unvouched') return refuse(401, 'Invalid token');
		if (answer === 'failed') return refuse(401, 'Failed to verify token');
		return this.#admit(answer, (user) => ofService(user, peer));
	}

	/** The secret that a token was signed with, if it is one of ours and the token is good now. */
	async #signedBy(token: string): Promise<{ readonly key: LiveKey; readonly claims: JWTPayload } | undefined> {
		for (const key of this.#parts.keys.candidates('ogent', 'jwt-hs256')) {
			const claims = key.material instanceof Uint8Array ? await verified(token, key.material) : undefined;
			if (claims && isForUs(claims, this.#parts.config)) return { key, claims };
		}
		return undefined;
	}

	/** Nobody without the permission, and nobody whose id could be taken for something else. */
	#admit(user: OgentUser | undefined, principalOf: (user: OgentUser) => Principal): OgentCaller {
		if (!user || !idPattern.test(user.id)) return refuse(401, 'Invalid token');
		if (!user.permissions.includes(this.#parts.config.ogent.permission)) return refuse(403, 'Insufficient permissions');
		const principal = principalOf(user);
		return principal.roles.length === 0 ? refuse(403, 'Insufficient permissions') : { principal };
	}
}

const refuse = (httpStatus: number, error: string): OgentCaller => ({ refused: ogentRefused(httpStatus, error) });

async function verified(token: string, secret: Uint8Array): Promise<JWTPayload | undefined> {
	if (secret.length < leastSecretBytes) return undefined;
	try {
		const { payload } = await jwtVerify(token, secret, {
			algorithms: ['HS256'],
			requiredClaims: ['exp', 'iat', 'sub'],
			clockTolerance: skewSeconds,
		});
		return isFromNow(payload) ? payload : undefined;
	} catch {
		return undefined;
	}
}

function isFromNow({ iat = Number.POSITIVE_INFINITY, exp = 0 }: JWTPayload): boolean {
	const now = Date.now() / 1000;
	return exp > now && iat <= now + skewSeconds;
}

/** A token that names whom it is for is for nobody else (RFC 7519, 4.1.3); who made it counts where the operator says who may. */
function isForUs({ aud, iss }: JWTPayload, { ogent, device }: AgentConfig): boolean {
	const isMeant =
		aud === undefined || [aud].flat().some((name) => name === device.id || ogent.audiences.includes(name));
	return isMeant && (ogent.issuers === undefined || (iss !== undefined && ogent.issuers.includes(iss)));
}

/** The permission makes an executor; every other role must be both the key's and the user's. */
function ofKey({ principal }: LiveKey, user: OgentUser, peer: string | null): Principal {
	const name = user.id === principal.name ? principal.name : `${principal.name}:${user.id}`;
	const roles = principal.roles.filter((role) => role === 'executor' || user.roles.includes(role));
	return { ...principal, name, roles, peer };
}

/** No key of ours stands behind these, so they may do what this face is for and nothing else. */
const ofService = (user: OgentUser, peer: string | null): Principal => ({
	name: `ogent:${user.id}`,
	roles: ['executor'],
	capabilities: ['shell.run.ogent'],
	keyId: null,
	peer,
});

/** One-time tokens with which somebody registers a key that he made himself: the private half never leaves his machine. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { KeyEntry } from '../../contract/agent-config.ts';
import { KnownError } from '../../contract/error.ts';
import { roles } from '../../contract/principal.ts';
import { addKey } from './keys.ts';
import { layoutOf } from './layout.ts';
import { writeOwned } from './owned-files.ts';

/** Tokens that may be open at the same time. */
const mostOpen = 50;

const invitationSchema = z.strictObject({
	/** SHA-256 of the token, hex. */
	digest: z.string().regex(/^[0-9a-f]{64}$/),
	expiresAt: z.int(),
	principal: z.string().min(1).max(200),
	roles: z.array(z.enum(roles)).min(1),
	capabilities: z.array(z.string()).optional(),
});
type Invitation = z.infer<typeof invitationSchema>;

export type InvitationOrder = Omit<Invitation, 'digest'>;

const fileOf = (dir: string): string => join(layoutOf(dir).state, 'invitations.json');

const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Those that are still good. A file that cannot be read is no invitation for anybody. */
function open(dir: string, now: number): Invitation[] {
	const path = fileOf(dir);
	if (!existsSync(path)) return [];
	try {
		const parsed = z.array(invitationSchema).parse(JSON.parse(readFileSync(path, 'utf8')));
		return parsed.filter(({ expiresAt }) => expiresAt > now);
	} catch (error) {
		throw new KnownError('CONFIG_INVALID', { details: `${path} is damaged; delete it` }, { cause: error });
	}
}

const write = (dir: string, invitations: readonly Invitation[]): void =>
	writeOwned(fileOf(dir), `${JSON.stringify(invitations)}\n`, 0o600);

/** @returns the token; it is good once and until then */
export function invite(dir: string, order: InvitationOrder, now = Date.now()): string {
	const others = open(dir, now);
	if (others.length >= mostOpen)
		throw new KnownError('CONFIG_INVALID', { details: `${mostOpen} tokens are open already` });
	const token = randomBytes(32).toString('base64url');
	write(dir, [...others, { ...order, digest: digestOf(token) }]);
	return token;
}

/**
 * Registers the public key of whoever holds the token. The token is used up first, so that it is good for one try at most.
 * @param publicKey PEM, Ed25519; throws AUTH_REQUIRED for a token that is not good, REQUEST_INVALID for a key that is none
 */
export async function redeem(dir: string, token: string, publicKey: string, now = Date.now()): Promise<KeyEntry> {
	const invitations = open(dir, now);
	const digest = digestOf(token);
	const found = invitations.find((invitation) => invitation.digest === digest);
	if (!found) throw new KnownError('AUTH_REQUIRED');
	write(
		dir,
		invitations.filter((invitation) => invitation !== found),
	);
	const { principal, roles: granted, capabilities } = found;
	const order = { face: 'native', kind: 'ed25519', roles: granted, principal, publicKey } as const;
	const made = await addKey(dir, { ...order, ...(capabilities && { capabilities }) }).catch((error: unknown) => {
		throw new KnownError('REQUEST_INVALID', { details: 'the public key is no Ed25519 key in PEM' }, { cause: error });
	});
	return made.entry;
}
